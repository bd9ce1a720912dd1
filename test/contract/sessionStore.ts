// What a session store promises, wherever it keeps its sessions: written once, and run for each engine.
//
//     sessionStoreContract('in memory', engine);
//
// defines the suite. An engine (`StoreEngine`) makes one `StoreBed` for each test: a place to keep sessions in, that can be opened, ended as by
// `kill -9`, and opened again. What an engine cannot do it says in `lacks`; nothing else is left out.

import { callsContract } from './calls.ts';
import { damageContract } from './damage.ts';
import type { Lab, StoreBed, StoreEngine } from './engine.ts';
import { evictionContract } from './eviction.ts';
import { failuresContract } from './failures.ts';
import { keysContract } from './keys.ts';
import { ownersContract } from './owners.ts';
import { sessionIdsContract } from './sessionIds.ts';
import { statesContract } from './states.ts';

export function sessionStoreContract(name: string, engine: StoreEngine): void {
	describe(`a session store ${name}`, () => {
		let bed: StoreBed | undefined;
		const lab: Lab = {
			get bed() {
				if (bed === undefined) throw new Error('Only a test has a bed.');
				return bed;
			},
			has: (facility) => engine.lacks?.includes(facility) !== true,
		};
		beforeEach(async () => (bed = await engine.create()));
		afterEach(async () => {
			await bed?.dispose();
			bed = undefined;
		});

		callsContract(lab);
		failuresContract(lab);
		keysContract(lab);
		sessionIdsContract(lab);
		statesContract(lab);
		evictionContract(lab);
		damageContract(lab);
		ownersContract(lab);
	});
}
