import { randomUUID } from 'node:crypto';
import type { StoreEngine } from '../contract/engine.ts';
import { createSessionStore } from '../../src/core/store/createSessionStore.ts';
import { createTurns, defaultLimits } from '../../src/core/store/createTurns.ts';
import type { StoreTurns } from '../../src/core/store/createTurns.ts';
import type { SessionStore, StoreLimits } from '../../src/core/store/sessionStore.ts';
import type { SqlRow } from '../../src/core/store/sqlDatabase.ts';
import type { StoreClock, StorePlatform } from '../../src/core/store/storePlatform.ts';
import { forwarded } from './forwarded.ts';
import { MemoryDisk } from './memoryDatabase.ts';
import type { Fault, MemoryDatabase } from './memoryDatabase.ts';
import { sha256 } from './turnsRig.ts';

const clock: StoreClock = {
	now: () => Date.now(),
	elapsed: () => performance.now(),
	after: (milliseconds, callback) => {
		// Whoever was killed does not take his timers back, and they keep nothing from ending.
		const timer = setTimeout(callback, milliseconds).unref();
		return { dispose: () => clearTimeout(timer) };
	},
};

const faults: Readonly<Record<'full' | 'io' | 'unacknowledged', Fault>> = {
	full: { at: 'middle', code: 'full' },
	io: { at: 'commit', code: 'io' },
	unacknowledged: { at: 'acknowledgement', code: 'closed' },
};

interface Owner {
	readonly database: MemoryDatabase;
	readonly turns: StoreTurns;
	readonly platform: StorePlatform;
}

/** Sessions in memory, in this process, and in real time. */
export const memoryEngine: StoreEngine = {
	create: () => {
		const disk = new MemoryDisk();
		const owners: Owner[] = [];
		let limits: StoreLimits = defaultLimits;
		let fault: Fault | undefined;

		const own = async (): Promise<SessionStore> => {
			const database = disk.connect({
				faultOf: ({ kind }) => {
					if (kind !== 'write') return undefined;
					const now = fault;
					fault = undefined;
					return now;
				},
			});
			const platform: StorePlatform = {
				database,
				clock,
				digest: sha256,
				randomId: () => randomUUID().replaceAll('-', ''),
				onError: () => {},
			};
			const turns = await createTurns(platform, limits);
			owners.push({ database, turns, platform });
			return createSessionStore(turns, platform);
		};
		const latest = (): Owner => {
			const owner = owners.at(-1);
			if (owner === undefined) throw new Error('It is not open.');
			return owner;
		};

		return Promise.resolve({
			open: (asked = {}) => {
				limits = { ...defaultLimits, ...asked };
				return own();
			},
			kill: () => {
				owners.pop()?.database.kill();
				return Promise.resolve();
			},
			join: () => {
				const { turns, platform } = latest();
				return Promise.resolve(
					createSessionStore({ ...forwarded(turns), close: () => Promise.resolve() }, platform),
				);
			},
			takeOver: own,
			forceOut: (sessionId) => latest().turns.evict(sessionId, true),
			// They are read as they were written: the types of SQLite are those of SqlValue, except bigint, which only reading as bigint gives.
			sql: (_sessionId, sql, ...parameters) =>
				Promise.resolve(disk.sqlite.prepare(sql).all(...parameters) as SqlRow[]),
			failNext: (how) => {
				fault = faults[how];
			},
			dispose: () => {
				for (const { database } of owners) database.kill();
				disk.dispose();
				return Promise.resolve();
			},
		});
	},
};
