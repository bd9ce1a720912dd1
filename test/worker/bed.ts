import { createHash } from 'node:crypto';
import { encodeObjectMessage } from '../../src/core/store/objectMessages.ts';
import type { Session, SessionStore, StoreLimits } from '../../src/core/store/sessionStore.ts';
import type { SqlRow, SqlStatement, SqlValue } from '../../src/core/store/sqlDatabase.ts';
import { connectSessionStore } from '../../src/platform/node/store/connectSessionStore.ts';
import type { StoreBed } from '../contract/engine.ts';
import { token } from './localWorker.ts';

/** One of the many places to keep sessions in of runtime/beds.ts. */
export class Bed implements StoreBed {
	readonly url: string;
	private callers = new AbortController();
	/** Until the storage knows that it has to fail. */
	private failing: Promise<unknown> | undefined;

	constructor(url: string) {
		this.url = url;
	}

	get name(): string {
		return new URL(this.url).pathname.slice(1);
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

	/** Its objects begin anew; its callers stay. */
	async reset(): Promise<void> {
		await this.act('kill', {});
	}

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

	/** Until it is said otherwise. */
	async fail(
		how: 'overloaded' | 'unlisted' | 'without timers' | 'lost before' | 'lost after' | 'nothing',
	): Promise<void> {
		this.failing = this.act('fail', { how });
		await this.failing;
	}

	/** What the object's database says, with the codes of `SqlError`, to reading a statement and to writing it. */
	async query(statement: SqlStatement): Promise<string> {
		return (await this.act('query', { name: nameOf('any'), ...statement })) as string;
	}

	/** How often an object was looked for, and how many rows all of them have written. */
	async counts(): Promise<{ readonly requests: number; readonly rowsWritten: number }> {
		return (await this.act('count', {})) as { requests: number; rowsWritten: number };
	}

	readonly dispose = async (): Promise<void> => {
		// Its objects fall asleep by themselves.
		this.callers.abort();
		if (this.failing !== undefined) await this.act('fail', { how: 'nothing' });
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

export function nameOf(sessionId: string): string {
	return createHash('sha256').update(sessionId).digest('hex');
}

async function once(socket: WebSocket, event: 'open' | 'message' | 'close'): Promise<void> {
	await new Promise<void>((resolve) => socket.addEventListener(event, () => resolve(), { once: true }));
}
