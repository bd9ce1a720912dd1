import { setTimeout as delay } from 'node:timers/promises';
import { Emitter } from '../../../core/base/emitter.ts';
import type { KeptState, StoreErrorRecord, StoreEvent, StoreTurns } from '../../../core/store/createTurns.ts';
import { objectProtocol, storePath } from '../../../core/store/objectMessages.ts';
import type { SessionPage } from '../../../core/store/objectMessages.ts';
import type { CheckpointSummary, SessionSummary } from '../../../core/store/sessionStore.ts';
import { inSession, quoted } from '../../../core/store/storable.ts';
import { StoreError } from '../../../core/store/storeError.ts';
import type { StorePlatform } from '../../../core/store/storePlatform.ts';
import type { Turn, TurnCommitted, TurnEnd, TurnRequest, TurnStart } from '../../../core/store/turns.ts';
import { ofSession } from '../../../core/store/storeErrors.ts';
import { ObjectLostError, ObjectSocket, TurnUnknownError } from './objectSocket.ts';

export interface ObjectTurnsOptions {
	/** Without a slash at its end. */
	readonly url: string;
	readonly token: string;
	readonly platform: Pick<StorePlatform, 'clock' | 'digest' | 'randomId' | 'onError'>;
	/** Gives everything up at once. */
	readonly signal: AbortSignal;
}

/** Until the next attempt to reach an object; how many there are. Some seconds in all: as long as it takes to start one somewhere else. */
const pausesMs: readonly number[] = [0, 50, 200, 500, 1_000, 2_000, 4_000];

/** A socket that nobody needs for so long is closed. */
const idleMs = 30_000;

const askingMs = 30_000;

interface Way {
	readonly socket: Promise<ObjectSocket>;
	/** Requests that are not answered and turns that run. */
	users: number;
	idle: NodeJS.Timeout | undefined;
}

interface Running {
	readonly request: TurnRequest;
	readonly turn: Turn;
	readonly beganAt: number;
	readonly way: Way;
}

/** The turns of sessions that are kept in Durable Objects: one WebSocket for each that is in use. */
export class ObjectTurns implements StoreTurns {
	/** Each object counts for itself. What cannot be written to says so when it is tried. */
	readonly generation = 1;
	readonly onDidHappen;
	private readonly options: ObjectTurnsOptions;
	private readonly happened: Emitter<StoreEvent>;
	private readonly ways = new Map<string, Way>();
	private readonly running = new Map<string, Running>();
	private readonly waiting = new Set<AbortController>();
	private committing = 0;
	private isClosed = false;
	private onIdle: (() => void) | undefined;

	constructor(options: ObjectTurnsOptions) {
		this.options = options;
		this.happened = new Emitter(options.platform.onError);
		this.onDidHappen = this.happened.event;
		options.signal.addEventListener('abort', () => this.drop(), { once: true });
	}

	async begin(request: TurnRequest): Promise<TurnStart> {
		this.refuseWhenClosed(request.sessionId);
		const waiting = new AbortController();
		this.waiting.add(waiting);
		try {
			return await this.taken(request, waiting.signal);
		} finally {
			this.waiting.delete(waiting);
		}
	}

	async commit(end: TurnEnd): Promise<TurnCommitted> {
		const running = this.ended(end.turnId);
		if (running === undefined) throw new StoreError('evicted', 'The call has no turn any more.', undefined);
		this.committing++;
		try {
			return await (await running.way.socket).request('commit', end);
		} catch (error) {
			// Too long to be said at all, perhaps: then the object has not ended the turn.
			if (error instanceof StoreError && error.code === 'too-large') await this.giveBack(running, end.turnId);
			if (!(error instanceof ObjectLostError || error instanceof TurnUnknownError)) throw error;
			return await this.resume(running, end, error);
		} finally {
			this.committing--;
			this.leave(running);
			this.tellIdle();
		}
	}

	async abort(turnId: string): Promise<void> {
		const running = this.ended(turnId);
		if (running === undefined) return;
		try {
			await (await running.way.socket).request('abort', { turnId });
		} catch (error) {
			// With the way its turns have ended too.
			if (!(error instanceof ObjectLostError)) throw error;
		} finally {
			this.leave(running);
			this.tellIdle();
		}
	}

	async sessions(): Promise<readonly SessionSummary[]> {
		const sessions: SessionSummary[] = [];
		let cursor: string | undefined;
		do {
			const query = cursor === undefined ? '' : `?cursor=${encodeURIComponent(cursor)}`;
			const page = await this.page(query);
			sessions.push(...page.sessions);
			cursor = page.cursor;
		} while (cursor !== undefined);
		return sessions.sort((left, right) => Date.parse(right.checkpointedAt) - Date.parse(left.checkpointedAt));
	}

	async read(sessionId: string): Promise<KeptState | undefined> {
		this.refuseWhenClosed(sessionId);
		const kept = await this.asked(sessionId, async (socket) => socket.request('read', { sessionId }));
		return kept ?? undefined;
	}

	async checkpoints(sessionId: string): Promise<readonly CheckpointSummary[]> {
		this.refuseWhenClosed(sessionId);
		return this.asked(sessionId, async (socket) => socket.request('checkpoints', { sessionId }));
	}

	async stateAt(sessionId: string, seq: number): Promise<KeptState> {
		this.refuseWhenClosed(sessionId);
		return this.asked(sessionId, async (socket) => socket.request('stateAt', { sessionId, seq }));
	}

	async evict(sessionId: string, isForced: boolean): Promise<void> {
		this.refuseWhenClosed(sessionId);
		await this.asked(sessionId, async (socket) => socket.request('evict', { sessionId, isForced }));
	}

	async close(): Promise<void> {
		this.isClosed = true;
		for (const waiting of this.waiting) waiting.abort();
		if (this.running.size > 0 || this.committing > 0) await new Promise<void>((resolve) => (this.onIdle = resolve));
		this.drop();
	}

	private async giveBack({ way }: Running, turnId: string): Promise<void> {
		try {
			await (await way.socket).request('abort', { turnId });
		} catch {
			// With the way the turn has ended too.
		}
	}

	/** The same, when nobody knows whether the commit got there. */
	private async resume(running: Running, end: TurnEnd, cause: Error): Promise<TurnCommitted> {
		const { request, turn, beganAt } = running;
		const { sessionId, key } = request;
		let isKnownToBeLost = cause instanceof TurnUnknownError;
		for (;;) {
			const deadlineMs = turn.deadlineMs - (this.options.platform.clock.elapsed() - beganAt);
			if (deadlineMs <= 0) throw this.mayHaveBeen(sessionId, cause);
			const again = await this.taken({ ...request, heldState: turn.stateId, deadlineMs }, this.options.signal);
			if (again.kind === 'replay') {
				// If it is another's, that one had the same key and was faster; the caller gets its reply when it asks again.
				if (again.reply !== end.reply) throw this.nothingRemains(sessionId, cause);
				return { seq: again.seq, stateId: this.options.platform.randomId() };
			}
			const next = this.ended(again.turnId);
			if (next === undefined) throw new Error('A turn that has just begun is known.');
			try {
				const socket = await next.way.socket;
				if (again.seq !== turn.seq) {
					await socket.request('abort', { turnId: again.turnId });
					// With a key it would have been replayed.
					if (isKnownToBeLost || key !== undefined) throw this.nothingRemains(sessionId, cause);
					throw this.mayHaveBeen(sessionId, cause);
				}
				// Nothing was written since this call began: it is the same state, and its work need not be done again.
				return await socket.request('commit', { ...end, turnId: again.turnId });
			} catch (error) {
				if (error instanceof ObjectLostError) isKnownToBeLost = false;
				else if (!(error instanceof TurnUnknownError)) throw error;
			} finally {
				this.leave(next);
			}
		}
	}

	/** A turn, or a replay, from whichever object there is. */
	private async taken(request: TurnRequest, signal: AbortSignal): Promise<TurnStart> {
		const { sessionId } = request;
		return this.asked(
			sessionId,
			async (socket, way) => {
				const start = await unlessAborted(socket.request('begin', request), signal, {
					error: () => closedError(sessionId),
					// It came too late: nobody wants this turn.
					after: (late) => {
						if (late.kind === 'turn')
							void socket.request('abort', { turnId: late.turnId }).catch(() => undefined);
					},
				});
				if (start.kind === 'turn') {
					way.users++;
					const beganAt = this.options.platform.clock.elapsed();
					this.running.set(start.turnId, { request, turn: start, beganAt, way });
				}
				return start;
			},
			signal,
		);
	}

	/** Asks the object of a session, and asks again when it is lost: for what may be asked twice. */
	private async asked<T>(
		sessionId: string,
		ask: (socket: ObjectSocket, way: Way) => Promise<T>,
		signal: AbortSignal = this.options.signal,
	): Promise<T> {
		for (let attempt = 0; ; attempt++) {
			if (this.options.signal.aborted) throw closedError(sessionId);
			const way = this.wayTo(sessionId);
			way.users++;
			try {
				return await ask(await way.socket, way);
			} catch (error) {
				if (!(error instanceof ObjectLostError)) throw error;
				if (error.isOverloaded) throw overloaded(sessionId, error);
				const pauseMs = pausesMs[attempt];
				if (pauseMs === undefined) throw await this.explained(sessionId, error);
				await this.pause(pauseMs, sessionId, signal);
			} finally {
				this.leave({ way });
			}
		}
	}

	private wayTo(sessionId: string): Way {
		const known = this.ways.get(sessionId);
		if (known !== undefined) {
			clearTimeout(known.idle);
			return known;
		}
		const { url, token, platform } = this.options;
		const forget = () => {
			clearTimeout(way.idle);
			if (this.ways.get(sessionId) === way) this.ways.delete(sessionId);
		};
		const opened = ObjectSocket.open({
			url: new URL(`${url}${storePath}/sessions/${platform.digest.sha256(sessionId)}`),
			token,
			onEvent: (event) => this.happened.fire(event),
			onClose: forget,
		});
		const way: Way = { socket: opened, users: 0, idle: undefined };
		this.ways.set(sessionId, way);
		return way;
	}

	private leave({ way }: { readonly way: Way }): void {
		way.users--;
		if (way.users > 0) return;
		clearTimeout(way.idle);
		way.idle = setTimeout(() => closeWay(way), idleMs).unref();
	}

	private ended(turnId: string): Running | undefined {
		const running = this.running.get(turnId);
		this.running.delete(turnId);
		return running;
	}

	private tellIdle(): void {
		if (this.running.size === 0 && this.committing === 0) this.onIdle?.();
	}

	private async pause(milliseconds: number, sessionId: string, signal: AbortSignal): Promise<void> {
		try {
			// Not all who have lost the same object come back in the same moment.
			await delay(milliseconds * (0.5 + Math.random() / 2), undefined, { signal });
		} catch {
			// Only the signal ends it before its time.
			throw closedError(sessionId);
		}
	}

	private async explained(sessionId: string, cause: Error): Promise<StoreError> {
		try {
			await greet(this.options);
			return new StoreError(
				'owner-lost',
				`The connection to session ${quoted(sessionId)} was lost again and again.`,
				sessionId,
				{
					cause,
				},
			);
		} catch (error) {
			if (error instanceof StoreError) return ofSession(error, sessionId);
			throw error;
		}
	}

	private async page(query: string): Promise<SessionPage> {
		if (this.isClosed) throw closedError(undefined);
		const { signal } = this.options;
		const response = await fetchStore(
			this.options,
			`/sessions${query}`,
			AbortSignal.any([signal, AbortSignal.timeout(askingMs)]),
		);
		const body: unknown = await response.json().catch(() => undefined);
		if (typeof body === 'object' && body !== null) {
			// Both are made by the router.
			if (response.ok && 'sessions' in body) return body as SessionPage;
			if ('code' in body) throw storeErrorOf(body as StoreErrorRecord);
		}
		throw notAStore(this.options.url, response.status);
	}

	private refuseWhenClosed(sessionId: string): void {
		if (this.isClosed || this.options.signal.aborted) throw closedError(sessionId);
	}

	private drop(): void {
		this.isClosed = true;
		for (const way of this.ways.values()) closeWay(way);
	}

	private mayHaveBeen(sessionId: string, cause: Error): StoreError {
		return new StoreError(
			'owner-lost',
			`The object of session ${quoted(sessionId)} was lost while a call was committed, which may have been. Its key tells.`,
			sessionId,
			{ cause },
		);
	}

	private nothingRemains(sessionId: string, cause: Error): StoreError {
		return new StoreError(
			'evicted',
			`The object of session ${quoted(sessionId)} lost its memory in the middle of the call, and another call went on. Nothing of it remains.`,
			sessionId,
			{ cause },
		);
	}
}

/** Whether a store of this version answers there, to this token. */
export async function greet({ url, token }: { readonly url: string; readonly token: string }): Promise<void> {
	const response = await fetchStore({ url, token }, '', AbortSignal.timeout(10_000));
	const greeting: unknown = await response.json().catch(() => undefined);
	const isStore =
		response.ok &&
		typeof greeting === 'object' &&
		greeting !== null &&
		'store' in greeting &&
		greeting.store === 'crosstalk' &&
		'protocol' in greeting &&
		greeting.protocol === objectProtocol;
	if (!isStore) throw notAStore(url, response.status);
}

async function fetchStore(
	{ url, token }: { readonly url: string; readonly token: string },
	path: string,
	signal: AbortSignal,
): Promise<Response> {
	let response: Response;
	try {
		response = await fetch(`${url}${storePath}${path}`, {
			headers: { authorization: `Bearer ${token}` },
			// The token is for nobody else.
			redirect: 'manual',
			signal,
		});
	} catch (error) {
		throw new StoreError(
			'owner-lost',
			`The session store at ${url} cannot be reached: ${reasonOf(error)}.`,
			undefined,
			{
				cause: error,
			},
		);
	}
	if (response.status === 401) {
		throw new StoreError('unauthorized', `The session store at ${url} refuses the token.`, undefined);
	}
	return response;
}

/** What `fetch` rejects with says little, and its cause the rest. */
function reasonOf(error: unknown): string {
	const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
	if (!(cause instanceof Error)) return String(cause);
	const code = 'code' in cause ? String(cause.code) : '';
	return cause.message === '' ? code : cause.message.replace(/\.$/u, '');
}

function closeWay(way: Way): void {
	clearTimeout(way.idle);
	// One that did not open has told whoever waited for it.
	way.socket.then(
		(socket) => socket.close(),
		() => undefined,
	);
}

async function unlessAborted<T>(
	promise: Promise<T>,
	signal: AbortSignal,
	{ error, after }: { readonly error: () => Error; readonly after: (value: T) => void },
): Promise<T> {
	if (signal.aborted) {
		promise.then(after, () => undefined);
		throw error();
	}
	return new Promise((resolve, reject) => {
		const aborted = () => {
			reject(error());
			promise.then(after, () => undefined);
		};
		signal.addEventListener('abort', aborted, { once: true });
		promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted));
	});
}

function notAStore(url: string, status: number): StoreError {
	return new StoreError(
		'not-a-store',
		`At ${url} there is a server, but no session store that speaks version ${objectProtocol} of the protocol: it answered with status ${status}.`,
		undefined,
	);
}

function storeErrorOf({ code, message, sessionId }: StoreErrorRecord): StoreError {
	return new StoreError(code, message, sessionId);
}

function closedError(sessionId: string | undefined): StoreError {
	const sentence = 'The session store is closed.';
	return new StoreError('closed', sessionId === undefined ? sentence : inSession(sentence, sessionId), sessionId);
}

function overloaded(sessionId: string, cause: Error): StoreError {
	return new StoreError(
		'overloaded',
		`The object of session ${quoted(sessionId)} has more to do than it can.`,
		sessionId,
		{ cause },
	);
}
