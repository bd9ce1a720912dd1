// The worker as it is deployed, many times in one process: each first part of a path is a place of its own to keep sessions in, with its own limits.
// What a test does to such a place it asks for below `/test`.

import { SqlError } from '../../../src/core/store/sqlDatabase.ts';
import type { SqlStatement } from '../../../src/core/store/sqlDatabase.ts';
import { DurableSql } from '../../../src/platform/workerd/durableSql.ts';
import type { Environment } from '../../../src/worker/environment.ts';
import { route } from '../../../src/worker/router.ts';
import { SessionObject as DeployedObject } from '../../../src/worker/sessionObject.ts';

interface TestEnvironment extends Omit<Environment, 'SESSIONS'> {
	readonly SESSIONS: DurableObjectNamespace<SessionObject>;
}

/** In the memory of the process, which has one isolate. */
const limits = new Map<string, unknown>();
const objects = new Map<string, Set<string>>();

type Failure =
	| 'full'
	| 'io'
	| 'unacknowledged'
	| 'overloaded'
	| 'unlisted'
	| 'lost before'
	| 'lost after'
	| 'without timers'
	| 'nothing';
const failures = new Map<string, Failure>();
/** How often an object of a bed was looked for, and what is written into its rows. */
const counts = new Map<string, { requests: number; rowsWritten: number }>();

const startTimer = globalThis.setTimeout;
globalThis.setTimeout = ((callback: () => void, milliseconds?: number) =>
	[...failures.values()].includes('without timers') ? 0 : startTimer(callback, milliseconds)) as typeof setTimeout;

export class SessionObject extends DeployedObject {
	constructor(context: DurableObjectState, environment: TestEnvironment) {
		const [bed = ''] = (context.id.name ?? '').split('/');
		super(failing(context, bed), environmentOf(bed, environment));
	}

	async kill(): Promise<void> {
		this.ctx.abort('killed');
	}

	/** What a database of this object says to a statement. */
	async query(statement: SqlStatement): Promise<string> {
		const database = new DurableSql(this.ctx.storage, () => undefined);
		const outcomes = [database.read(statement), database.claim().then((own) => database.write([statement], own))];
		const codes = await Promise.all(
			outcomes.map((outcome) =>
				outcome.then(
					() => 'ok',
					(error: unknown) => (error instanceof SqlError ? error.code : String(error)),
				),
			),
		);
		return codes.join(' ');
	}

	async sql(sql: string, parameters: readonly unknown[]): Promise<unknown[]> {
		return this.ctx.storage.sql.exec(sql, ...parameters).toArray();
	}
}

// The runtime asks for it under this name.
// oxlint-disable-next-line import/no-default-export
export default {
	async fetch(request, environment) {
		const url = new URL(request.url);
		const [, bed = '', ...rest] = url.pathname.split('/');
		url.pathname = rest.join('/');
		if (rest[0] !== 'test') return route(new Request(url, request), environmentOf(bed, environment));
		const body: unknown = await request.json();
		return Response.json((await act(rest[1], bed, body as never, environment)) ?? null);
	},
} satisfies ExportedHandler<TestEnvironment>;

async function act(
	what: string | undefined,
	bed: string,
	body: SqlStatement & { readonly limits: unknown; readonly name: string; readonly how: Failure },
	{ SESSIONS }: TestEnvironment,
): Promise<unknown> {
	switch (what) {
		case 'open':
			limits.set(bed, body.limits);
			// Who opens it anew finds a new owner.
			return killAll(bed, SESSIONS);
		case 'kill':
			return killAll(bed, SESSIONS);
		case 'sql':
			return SESSIONS.getByName(`${bed}/${body.name}`).sql(body.sql, body.parameters);
		case 'query':
			return SESSIONS.getByName(`${bed}/${body.name}`).query(body);
		case 'fail':
			return void failures.set(bed, body.how);
		case 'count':
			return countsOf(bed);
		default:
			throw new Error(`There is no ${String(what)}.`);
	}
}

async function killAll(bed: string, namespace: TestEnvironment['SESSIONS']): Promise<void> {
	const names = [...(objects.get(bed) ?? [])];
	objects.delete(bed);
	await Promise.all(
		names.map(async (name) => {
			try {
				await namespace.getByName(`${bed}/${name}`).kill();
			} catch {
				// That is how it tells.
			}
		}),
	);
}

function environmentOf(bed: string, environment: TestEnvironment): Environment {
	return {
		...environment,
		LIMITS: limits.get(bed),
		// What of a namespace the worker uses.
		SESSIONS: {
			idFromName: (name: string) => environment.SESSIONS.idFromName(`${bed}/${name}`),
			getByName: (name: string) => {
				objects.set(bed, (objects.get(bed) ?? new Set()).add(name));
				countsOf(bed).requests++;
				const stub = environment.SESSIONS.getByName(`${bed}/${name}`);
				// As the platform says it.
				const overloaded = Object.assign(new Error('Durable Object is overloaded.'), { overloaded: true });
				if (failures.get(bed) !== 'overloaded') return stub;
				return { fetch: () => Promise.reject(overloaded), summary: () => Promise.reject(overloaded) };
			},
		} as unknown as DurableObjectNamespace<DeployedObject>,
		INDEX: {
			put: async (key: string, value: string) => {
				if (failures.get(bed) === 'unlisted') throw new Error('KV PUT failed: 429 Too Many Requests');
				await environment.INDEX.put(`${bed}/${key}`, value);
			},
			list: async ({ prefix, ...options }: KVNamespaceListOptions) => {
				const listed = await environment.INDEX.list({ ...options, prefix: `${bed}/${prefix}` });
				return { ...listed, keys: listed.keys.map((key) => ({ name: key.name.slice(bed.length + 1) })) };
			},
		} as unknown as KVNamespace,
	};
}

function countsOf(bed: string): { requests: number; rowsWritten: number } {
	const known = counts.get(bed);
	if (known !== undefined) return known;
	const fresh = { requests: 0, rowsWritten: 0 };
	counts.set(bed, fresh);
	return fresh;
}

/** The storage counts, and fails when a test has asked for it. */
function failing(context: DurableObjectState, bed: string): DurableObjectState {
	const { storage } = context;
	const transactionSync = storage.transactionSync.bind(storage);
	const sync = storage.sync.bind(storage);
	const taken = (...hows: readonly Failure[]): Failure | undefined => {
		const how = failures.get(bed);
		if (how === undefined || !hows.includes(how)) return undefined;
		failures.delete(bed);
		return how;
	};
	storage.transactionSync = (work) =>
		transactionSync(() => {
			const result = work();
			const how = taken('full', 'io', 'lost before');
			if (how === 'lost before') context.abort('lost before it was written');
			if (how === 'full') throw new Error('database or disk is full: SQLITE_FULL');
			if (how === 'io') throw new Error('disk I/O error: SQLITE_IOERR_WRITE');
			return result;
		});
	const { sql } = storage;
	const exec = sql.exec.bind(sql);
	sql.exec = (query, ...bindings) => {
		const cursor = exec<never>(query, ...(bindings as readonly unknown[]));
		const toArray = cursor.toArray.bind(cursor);
		cursor.toArray = () => {
			const rows = toArray();
			countsOf(bed).rowsWritten += cursor.rowsWritten;
			return rows;
		};
		return cursor;
	};
	storage.sync = async () => {
		await sync();
		if (taken('lost after') !== undefined) context.abort('lost after it was written');
		if (taken('unacknowledged') !== undefined) throw new Error('It is not known whether it was written.');
	};
	return context;
}
