// The worker as it is deployed, many times in one process: each first part of a path is a place of its own to keep sessions in, with its own limits.
// What a test does to such a place it asks for below `/test`.

import type { Environment } from '../../../src/worker/environment.ts';
import { route } from '../../../src/worker/router.ts';
import { SessionObject as DeployedObject } from '../../../src/worker/sessionObject.ts';

interface TestEnvironment extends Omit<Environment, 'SESSIONS'> {
	readonly SESSIONS: DurableObjectNamespace<SessionObject>;
}

/** In the memory of the process, which has one isolate. */
const limits = new Map<string, unknown>();
const objects = new Map<string, Set<string>>();

type Failure = 'full' | 'io' | 'unacknowledged';
const failures = new Map<string, Failure>();

export class SessionObject extends DeployedObject {
	constructor(context: DurableObjectState, environment: TestEnvironment) {
		const [bed = ''] = (context.id.name ?? '').split('/');
		super(failing(context, bed), environmentOf(bed, environment));
	}

	async kill(): Promise<void> {
		this.ctx.abort('killed');
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
	body: { limits: unknown; name: string; sql: string; parameters: unknown[]; how: Failure },
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
		case 'fail':
			return void failures.set(bed, body.how);
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
				return environment.SESSIONS.getByName(`${bed}/${name}`);
			},
		} as unknown as DurableObjectNamespace<DeployedObject>,
		INDEX: {
			put: async (key: string, value: string) => environment.INDEX.put(`${bed}/${key}`, value),
			list: async ({ prefix, ...options }: KVNamespaceListOptions) => {
				const listed = await environment.INDEX.list({ ...options, prefix: `${bed}/${prefix}` });
				return { ...listed, keys: listed.keys.map((key) => ({ name: key.name.slice(bed.length + 1) })) };
			},
		} as unknown as KVNamespace,
	};
}

/** The storage fails when a test has asked for it. */
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
			const how = taken('full', 'io');
			if (how === 'full') throw new Error('database or disk is full: SQLITE_FULL');
			if (how === 'io') throw new Error('disk I/O error: SQLITE_IOERR_WRITE');
			return result;
		});
	storage.sync = async () => {
		await sync();
		if (taken('unacknowledged') !== undefined) throw new Error('It is not known whether it was written.');
	};
	return context;
}
