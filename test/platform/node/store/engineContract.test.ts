import { DatabaseSync } from 'node:sqlite';
import { createSessionStore } from '../../../../src/core/store/createSessionStore.ts';
import { createTurns, defaultLimits } from '../../../../src/core/store/createTurns.ts';
import type { StoreTurns } from '../../../../src/core/store/createTurns.ts';
import type { SessionStore, StoreLimits } from '../../../../src/core/store/sessionStore.ts';
import { SqlError } from '../../../../src/core/store/sqlDatabase.ts';
import type { SqlDatabase, SqlRow, SqlStatement } from '../../../../src/core/store/sqlDatabase.ts';
import type { StorePlatform } from '../../../../src/core/store/storePlatform.ts';
import { nodeStorePlatform } from '../../../../src/platform/node/store/nodeStorePlatform.ts';
import type { StoreEngine } from '../../../contract/engine.ts';
import { sessionStoreContract } from '../../../contract/sessionStore.ts';
import { forwarded } from '../../../store/forwarded.ts';
import { Engines } from './engines.ts';

interface Owner {
	readonly database: MortalDatabase;
	readonly turns: StoreTurns;
	readonly platform: StorePlatform;
}

/** As `kill -9`: whoever waits is told nothing. The process it would happen to is this one, so what was sent is awaited. */
class MortalDatabase implements SqlDatabase {
	private readonly database: SqlDatabase;
	private isKilled = false;
	private isCutOff = false;
	/** The next write is made, and its caller is not told. */
	loses = false;

	constructor(database: SqlDatabase) {
		this.database = database;
	}

	read(statement: SqlStatement): Promise<readonly SqlRow[]> {
		return this.told(() => this.database.read(statement));
	}

	write(statements: readonly SqlStatement[], generation: number): Promise<void> {
		const { loses } = this;
		this.loses = false;
		return this.told(async () => {
			await this.database.write(statements, generation);
			if (!loses) return;
			this.isCutOff = true;
			throw new SqlError('closed', 'It was to be lost.');
		});
	}

	claim(): Promise<number> {
		return this.told(() => this.database.claim());
	}

	close(): Promise<void> {
		return this.database.close();
	}

	async kill(): Promise<void> {
		this.isKilled = true;
		await this.database.close();
	}

	private async told<T>(run: () => Promise<T>): Promise<T> {
		if (this.isCutOff) throw new SqlError('closed', 'It was lost.');
		try {
			return await run();
		} finally {
			if (this.isKilled) await new Promise<never>(() => {});
		}
	}
}

/** A file, and the thread that holds it. */
const nodeSqliteEngine: StoreEngine = {
	async create() {
		const engines = await Engines.create();
		const owners: Owner[] = [];
		let limits: StoreLimits = defaultLimits;

		const own = async (): Promise<SessionStore> => {
			const database = new MortalDatabase(await engines.openFaulty());
			const platform = { database, onError: () => undefined, ...nodeStorePlatform() };
			const turns = await createTurns(platform, limits);
			owners.push({ database, turns, platform });
			return createSessionStore(turns, platform);
		};
		const latest = (): Owner => {
			const owner = owners.at(-1);
			if (owner === undefined) throw new Error('It is not open.');
			return owner;
		};

		return {
			open: (asked = {}) => {
				limits = { ...defaultLimits, ...asked };
				return own();
			},
			kill: async () => owners.pop()?.database.kill(),
			join: async () => {
				const { turns, platform } = latest();
				return createSessionStore({ ...forwarded(turns), close: () => Promise.resolve() }, platform);
			},
			takeOver: own,
			forceOut: (sessionId) => latest().turns.evict(sessionId, true),
			sql: async (_sessionId, sql, ...parameters) => {
				const beneath = new DatabaseSync(engines.path);
				try {
					// They are read as they were written: the types of SQLite are those of SqlValue, except bigint, which only reading as bigint gives.
					return beneath.prepare(sql).all(...parameters) as SqlRow[];
				} finally {
					beneath.close();
				}
			},
			failNext: (how) => {
				if (how === 'unacknowledged') latest().database.loses = true;
				else if (how === 'full') engines.fail({ failing: [{ sql: '^\\s*INSERT', errcode: 13, isOnce: true }] });
				else engines.fail({ failing: [{ sql: '^COMMIT$', errcode: 10, isOnce: true }] });
			},
			dispose: () => engines.dispose(),
		};
	},
};

sessionStoreContract('on SQLite', nodeSqliteEngine);
