import { setTimeout as delay } from 'node:timers/promises';
import { askToYield } from '../store/storeClient.ts';
import { readAddress } from './dataDirectory.ts';
import { takeOwnership } from './ownership.ts';
import type { Ownership } from './ownership.ts';

const patienceMs = 10_000;
const pauseMs = 20;

/**
 * Takes the directory from a process that has nothing but its session store open. That one, and its clients, are clients of the host from
 * then on. `undefined`: the owner is a host, or cannot be reached.
 */
export async function takeFromStore(directory: string): Promise<Ownership | undefined> {
	const deadline = performance.now() + patienceMs;
	let asked: string | undefined;
	while (performance.now() < deadline) {
		const owner = await readAddress(directory);
		if (owner !== undefined && owner.controlSocket !== asked) {
			if (owner.isStoreOnly !== true) return undefined;
			asked = owner.controlSocket;
			await askToYield(asked, patienceMs / 2);
		}
		const ownership = await takeOwnership(directory);
		if (ownership !== undefined) return ownership;
		await delay(pauseMs);
	}
	return undefined;
}
