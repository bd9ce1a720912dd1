import { createHash } from 'node:crypto';
import { encodeObjectMessage } from '../../src/core/store/objectMessages.ts';
import { connectSessionStore } from '../../src/platform/node/store/connectSessionStore.ts';
import type { Session, SessionStore, StoreLimits } from '../../src/core/store/sessionStore.ts';
import type { SqlRow, SqlValue } from '../../src/core/store/sqlDatabase.ts';
import type { StoreBed } from '../contract/engine.ts';
import { sessionStoreContract } from '../contract/sessionStore.ts';
import { bundle, startWorker, token } from './localWorker.ts';
import type { LocalWorker } from './localWorker.ts';

describe('a Durable Object', () => {
	let worker: LocalWorker;
	let beds = 0;
	before(async () => (worker = await startWorker({ script: await bundle('test/worker/runtime/beds.ts') })));
	after(async () => worker.dispose());

	sessionStoreContract('in Durable Objects', {
		// Who owns an object's storage is the platform's affair: there is no second owner to be had.
		lacks: ['takeOver'],
		create: async () => new Bed(`${worker.url}/bed${beds++}`),
	});
});

class Bed implements StoreBed {
	private readonly url: string;
	private callers = new AbortController();
	/** Until the storage knows that it has to fail. */
	private failing: Promise<unknown> | undefined;

	constructor(url: string) {
		this.url = url;
	}

	readonly open = async (limits: Partial<StoreLimits> = {}): Promise<SessionStore> => {
		await this.act('open', { limits });
		return this.join();
	};

	readonly join = async (): Promise<SessionStore> => {
		const { signal } = this.callers;
		const store = await connectSessionStore({ url: this.url, token, signal, onError: () => undefined });
		return replaced(store, 'session', (sessionId: string) => this.patient(store.session(sessionId)));
	};

	readonly kill = async (): Promise<void> => {
		this.callers.abort();
		this.callers = new AbortController();
		await this.act('kill', {});
	};

	readonly forceOut = async (sessionId: string): Promise<void> => {
		const url = `${this.url.replace('http', 'ws')}/v1/sessions/${nameOf(sessionId)}`;
		const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
		await once(socket, 'open');
		const body = { sessionId, isForced: true };
		const answered = once(socket, 'message');
		socket.send(encodeObjectMessage({ kind: 'request', id: 1, name: 'evict', body }));
		await answered;
		const closed = once(socket, 'close');
		socket.close();
		await closed;
	};

	readonly sql = async (sessionId: string, sql: string, ...parameters: SqlValue[]): Promise<readonly SqlRow[]> => {
		const rows = await this.act('sql', { name: nameOf(sessionId), sql, parameters });
		return rows as SqlRow[]; // as SQLite gave them
	};

	readonly failNext = (how: 'full' | 'io' | 'unacknowledged'): void => {
		this.failing = this.act('fail', { how });
	};

	readonly dispose = async (): Promise<void> => {
		await this.kill();
	};

	/** Its calls begin when what was asked of the storage has got there. */
	private patient(session: Session): Session {
		return replaced(session, 'call', async (...call: Parameters<Session['call']>) => {
			if (this.failing !== undefined) await this.failing;
			return session.call(...call);
		});
	}

	private async act(what: string, body: object): Promise<unknown> {
		const response = await fetch(`${this.url}/test/${what}`, { method: 'POST', body: JSON.stringify(body) });
		if (!response.ok) throw new Error(await response.text());
		return response.json();
	}
}

/** With one member that is another. */
function replaced<T extends object>(target: T, member: keyof T, replacement: unknown): T {
	return new Proxy(target, {
		get: (_target, name) => {
			if (name === member) return replacement;
			const value: unknown = Reflect.get(target, name);
			return typeof value === 'function' ? (value.bind(target) as unknown) : value;
		},
	});
}

function nameOf(sessionId: string): string {
	return createHash('sha256').update(sessionId).digest('hex');
}

async function once(socket: WebSocket, event: 'open' | 'message' | 'close'): Promise<void> {
	await new Promise<void>((resolve) => socket.addEventListener(event, () => resolve(), { once: true }));
}
