import { DurableObject } from 'cloudflare:workers';
import { createTurns } from '../core/store/createTurns.ts';
import type { StoreEvent, StoreTurns } from '../core/store/createTurns.ts';
import {
	closeCodes,
	decodeObjectMessage,
	encodeObjectMessage,
	longestMessage,
	ping,
	pong,
} from '../core/store/objectMessages.ts';
import type { ObjectFailure, ObjectRequestName, ObjectRequests } from '../core/store/objectMessages.ts';
import type { SessionSummary } from '../core/store/sessionStore.ts';
import { StoreError } from '../core/store/storeError.ts';
import type { TurnEnd, TurnRequest, TurnStart } from '../core/store/turns.ts';
import { utf8Length } from '../core/store/utf8.ts';
import { durablePlatform } from '../platform/workerd/durablePlatform.ts';
import { DurableSql } from '../platform/workerd/durableSql.ts';
import type { Environment } from './environment.ts';
import { limitsOf } from './limits.ts';
import { SessionIndex, nameOfSession } from './sessionIndex.ts';

/** Kept in the object's own storage once the index knows the session. */
const isListedKey = 'isListed';

/**
 * The half of one session's calls that is beside its database: the same `core/store` as on a file, over the object's own storage. Its callers come by
 * WebSocket, and stay connected while the object sleeps; it may lose its memory after each event, and what must not be lost with it is stored by then.
 */
export class SessionObject extends DurableObject<Environment> {
	private opened: Promise<StoreTurns> | undefined;
	/** Turns that run, and who has them. One that is not here was lost with the memory in which it was, or has ended. */
	private readonly running = new Map<string, WebSocket>();
	private listing: Promise<void> | undefined;

	constructor(context: DurableObjectState, environment: Environment) {
		super(context, environment);
		context.setWebSocketAutoResponse(new WebSocketRequestResponsePair(ping, pong));
	}

	/** The router lets nobody in but those who want a WebSocket. */
	override async fetch(): Promise<Response> {
		const { 0: theirs, 1: ours } = new WebSocketPair();
		this.ctx.acceptWebSocket(ours);
		return new Response(null, { status: 101, webSocket: theirs });
	}

	/** For the list of sessions. */
	async summary(): Promise<SessionSummary | undefined> {
		if (!this.hasStore()) return undefined;
		const turns = await this.turns();
		return (await turns.sessions())[0];
	}

	override async webSocketMessage(socket: WebSocket, text: string | ArrayBuffer): Promise<void> {
		const message = typeof text === 'string' ? decodeObjectMessage(text) : undefined;
		if (message?.kind !== 'request') {
			socket.close(closeCodes.notUnderstood, 'not understood');
			return;
		}
		const { id, name, body } = message;
		try {
			const answer = encodeObjectMessage({ kind: 'answer', id, body: await this.answer(socket, name, body) });
			if (utf8Length(answer) > longestMessage) throw tooLong();
			send(socket, answer);
		} catch (error) {
			send(socket, encodeObjectMessage({ kind: 'failure', id, body: this.failureOf(error) }));
		}
	}

	override async webSocketClose(socket: WebSocket): Promise<void> {
		// Whoever closes it waits for this.
		socket.close();
		await this.lose(socket);
	}

	override async webSocketError(socket: WebSocket): Promise<void> {
		await this.lose(socket);
	}

	private async answer(socket: WebSocket, name: ObjectRequestName, body: unknown): Promise<unknown> {
		// Whoever has the token is trusted to send what `ObjectTurns` does; what decides between sessions is looked at all the same.
		switch (name) {
			case 'begin':
				return this.begin(socket, body as ObjectRequests['begin']['params']);
			case 'commit':
				return this.commit(body as ObjectRequests['commit']['params']);
			case 'abort':
				return this.abort((body as ObjectRequests['abort']['params']).turnId);
			case 'read': {
				const { sessionId } = this.own(body as ObjectRequests['read']['params']);
				return this.hasStore() ? ((await (await this.turns()).read(sessionId)) ?? null) : null;
			}
			case 'checkpoints': {
				const { sessionId } = this.own(body as ObjectRequests['checkpoints']['params']);
				return this.hasStore() ? (await this.turns()).checkpoints(sessionId) : [];
			}
			case 'stateAt': {
				const { sessionId, seq } = this.own(body as ObjectRequests['stateAt']['params']);
				return (await this.turns()).stateAt(sessionId, seq);
			}
			case 'evict': {
				const { sessionId, isForced } = this.own(body as ObjectRequests['evict']['params']);
				if (this.hasStore()) await (await this.turns()).evict(sessionId, isForced);
				return null;
			}
			default:
				throw new Error(`A request ${String(name satisfies never)} is none.`);
		}
	}

	private async begin(socket: WebSocket, request: TurnRequest): Promise<TurnStart> {
		const { sessionId } = this.own(request);
		const turns = await this.turns();
		const start = await turns.begin(request);
		if (start.kind === 'turn') {
			// Its caller may have gone while it waited.
			if (socket.readyState === WebSocket.OPEN) this.running.set(start.turnId, socket);
			else await turns.abort(start.turnId);
		}
		// Beside the call, so that a new session's first checkpoint need not wait for it.
		this.listing ??= this.list(sessionId);
		return start;
	}

	private async commit(end: TurnEnd): Promise<ObjectRequests['commit']['result']> {
		if (!this.running.delete(end.turnId)) throw new TurnUnknownError();
		const turns = await this.turns();
		const committed = await turns.commit(end);
		if (committed.seq === 1) await this.listing;
		return committed;
	}

	private async abort(turnId: string): Promise<null> {
		if (this.running.delete(turnId)) await (await this.turns()).abort(turnId);
		return null;
	}

	/** Whoever is gone makes no checkpoint: what it was doing ends here. */
	private async lose(socket: WebSocket): Promise<void> {
		const lost = [...this.running].filter(([, owner]) => owner === socket);
		await Promise.all(lost.map(async ([turnId]) => this.abort(turnId)));
	}

	/** Refuses what is for another object. */
	private own<Params extends { readonly sessionId: string }>(params: Params): Params {
		const { sessionId } = params;
		if (typeof sessionId !== 'string' || !this.ctx.id.equals(this.idOf(sessionId))) {
			throw new Error('The session of a request is not the one of its WebSocket.');
		}
		return params;
	}

	private idOf(sessionId: string): DurableObjectId {
		return this.env.SESSIONS.idFromName(nameOfSession(sessionId));
	}

	/** Whether there has ever been a call. Who only looks leaves nothing behind. */
	private hasStore(): boolean {
		if (this.opened !== undefined) return true;
		return this.ctx.storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'meta'").toArray().length > 0;
	}

	private async turns(): Promise<StoreTurns> {
		this.opened ??= this.open();
		return this.opened;
	}

	private async open(): Promise<StoreTurns> {
		try {
			const database = new DurableSql(this.ctx.storage, (error) => this.beginAnew(error));
			const turns = await createTurns(durablePlatform(database, logError), limitsOf(this.env.LIMITS));
			turns.onDidHappen((event) => this.tell(event));
			return turns;
		} catch (error) {
			// The next request tries again.
			this.opened = undefined;
			throw error;
		}
	}

	private tell(event: StoreEvent): void {
		const message = encodeObjectMessage({ kind: 'event', id: 0, body: event });
		if (event.kind !== 'turn-ended') {
			for (const socket of this.ctx.getWebSockets()) send(socket, message);
			return;
		}
		const owner = this.running.get(event.turnId);
		if (owner !== undefined) send(owner, message);
	}

	/** Puts the session into the index, once in its life. */
	private async list(sessionId: string): Promise<void> {
		const { kv } = this.ctx.storage;
		if (kv.get(isListedKey) === true) return;
		try {
			await new SessionIndex(this.env.INDEX).add(sessionId);
			kv.put(isListedKey, true);
		} catch (error) {
			// A list that lacks a session is no reason to refuse its calls. The next one tries again.
			logError(error);
			this.listing = undefined;
		}
	}

	private failureOf(error: unknown): ObjectFailure {
		if (error instanceof TurnUnknownError) return { kind: 'turn-unknown' };
		if (error instanceof StoreError) {
			// Another object has claimed the storage: this one is a leftover.
			if (error.code === 'fenced' || error.code === 'closed') this.beginAnew(error);
			return { kind: 'refused', code: error.code, message: error.message, sessionId: error.sessionId };
		}
		logError(error);
		return { kind: 'bug', message: error instanceof Error ? error.message : String(error) };
	}

	/** Drops the memory and every WebSocket. Callers come back, and find what is stored. */
	private beginAnew(error: unknown): void {
		logError(error);
		// What is being answered leaves first.
		setTimeout(() => this.ctx.abort('The object begins anew.'), 0);
	}
}

class TurnUnknownError extends Error {}

function tooLong(): StoreError {
	return new StoreError('too-large', `An answer is longer than ${longestMessage} bytes.`, undefined);
}

/** Whom it does not reach is gone, and what that means is seen where its WebSocket closes. */
function send(socket: WebSocket, message: string): void {
	try {
		socket.send(message);
	} catch {
		socket.close();
	}
}

function logError(error: unknown): void {
	// The runtime's own log, which "wrangler tail" shows.
	// oxlint-disable-next-line no-console
	console.error(error);
}
