import { setTimeout as delay } from 'node:timers/promises';

/** Looks again and again until there is something; what it is waiting for is named by whoever has waited in vain. */
export async function until<T>(
	what: string,
	look: () => T | undefined | Promise<T | undefined>,
	milliseconds = 60_000,
): Promise<T> {
	const startedAt = performance.now();
	for (;;) {
		const found = await look();
		if (found !== undefined && found !== false) return found;
		if (performance.now() - startedAt > milliseconds) throw new Error(`In vain: ${what}, for ${milliseconds} ms.`);
		await delay(5);
	}
}

/** What nobody may wait for longer. */
export async function within<T>(milliseconds: number, what: string, promise: Promise<T>): Promise<T> {
	const given = new AbortController();
	try {
		return await Promise.race([
			promise,
			delay(milliseconds, undefined, { signal: given.signal }).then(() => {
				throw new Error(`${what} has not come in ${milliseconds} ms.`);
			}),
		]);
	} finally {
		given.abort();
	}
}
