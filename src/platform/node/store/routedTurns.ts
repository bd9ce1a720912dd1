// The turns of a store whose owner may change: another process, this one, another again. A call that has not been committed when its owner
// is lost has left nothing, and is refused with `fenced`; one that was being committed may have been, and is refused with `owner-lost`.

import { Emitter } from '../../../core/base/emitter.ts';
import type { Event } from '../../../core/base/emitter.ts';
import { ExpectedError } from '../../../core/base/errors.ts';
import { SmallMap } from '../../../core/base/smallMap.ts';
import type { HostAddress } from '../../../core/host/control.ts';
import type { KeptState, StoreEvent, StoreTurns } from '../../../core/store/createTurns.ts';
import type { CheckpointSummary, SessionSummary } from '../../../core/store/sessionStore.ts';
import { StoreError } from '../../../core/store/storeError.ts';
import type { Turn, TurnCommitted, TurnEnd, TurnRequest, TurnStart } from '../../../core/store/turns.ts';
import { KeptTurnLostError } from './keptTurns.ts';
import { ChannelClosedError } from './storeChannel.ts';
import { findRoute, yieldedMs } from './storeRoute.ts';
import type { RouteOptions, StoreRoute } from './storeRoute.ts';

/** How long an owner that says it has ended may take to be gone. */
const endingMs = 3_000;

/** By how much later than the owner a client ends its call, should the owner be too far away to say that it has ended. */
const lateMs = 500;

interface Link {
	readonly route: StoreRoute;
	/** Stands before every id that this owner has given, since another's may be the same. */
	readonly prefix: string;
	isLost: boolean;
}

export class RoutedTurns implements StoreTurns {
	readonly onDidHappen: Event<StoreEvent>;
	private readonly options: RouteOptions;
	private readonly stop: AbortController;
	private readonly happened: Emitter<StoreEvent>;
	/** The one that is looked for, or the current one. `undefined`: the search has failed. */
	private link: Promise<Link> | undefined;
	private current: Link | undefined;
	private readonly turnLinks = new SmallMap<string, Link>();
	private links = 0;
	private latestGeneration = 0;
	private isWatched = false;
	private isClosing = false;
	private closed: Promise<void> | undefined;
	/** Of what waits for an answer. */
	private readonly waiting = new SmallMap<number, (error: unknown) => void>();
	private lastWaiting = 0;
	/** Keeps the process while something is asked: an owner that waits for a turn which another process has waits for nothing else. */
	private readonly presence = setInterval(() => undefined, 2 ** 31 - 1).unref();
	private onTurnEnd: () => void = () => undefined;

	private constructor(options: Omit<RouteOptions, 'signal'>) {
		this.stop = new AbortController();
		this.options = { ...options, signal: this.stop.signal };
		this.happened = new Emitter(options.onError);
		this.onDidHappen = this.happened.event;
	}

	static async open(options: Omit<RouteOptions, 'signal'>): Promise<RoutedTurns> {
		const turns = new RoutedTurns(options);
		try {
			await turns.found();
		} catch (error) {
			clearInterval(turns.presence);
			throw error;
		}
		return turns;
	}

	get generation(): number {
		return this.latestGeneration;
	}

	async begin(request: TurnRequest): Promise<TurnStart> {
		const { current } = this;
		const kept =
			current === undefined || this.isClosing
				? undefined
				: current.route.beginKept?.(requestTo(current, request));
		if (current !== undefined && kept !== undefined) return this.began(current, kept, 0);
		return this.retried(async (link) => {
			const { route } = link;
			const start = await route.turns.begin(requestTo(link, request));
			if (start.kind === 'replay') return start;
			if (this.isClosing) {
				void route.turns.abort(start.turnId).catch(() => undefined);
				throw this.closedError();
			}
			if (link.isLost) throw new ChannelClosedError('Its owner was lost meanwhile.');
			return this.began(link, start, route.isOurs ? 0 : lateMs);
		});
	}

	/** @param late After its deadline, until this side ends it. For a turn that was kept there is only this side's clock. */
	private began(link: Link, { kind, turnId, seq, stateId, state, deadlineMs }: Turn, late: number): Turn {
		const { prefix } = link;
		const id = prefix + turnId;
		this.turnLinks.set(id, link);
		return { kind, turnId: id, seq, stateId: prefix + stateId, state, deadlineMs: deadlineMs + late };
	}

	async commit(end: TurnEnd): Promise<TurnCommitted> {
		const link = this.endTurn(end.turnId);
		if (link === undefined) throw fenced();
		const { route, prefix } = link;
		try {
			const { turnId, state, reply } = end;
			const { seq, stateId } = await route.turns.commit({ turnId: turnId.slice(prefix.length), state, reply });
			return { seq, stateId: prefix + stateId };
		} catch (error) {
			if (error instanceof ChannelClosedError) {
				this.lose(link);
				throw new StoreError(
					'owner-lost',
					'The owner of the session store ended while it was making the checkpoint of this call, which may be kept or not.',
					undefined,
					{ cause: error },
				);
			}
			// Too long to be said at all, perhaps: then nobody else has ended the turn, and the next call would wait for its deadline.
			if (error instanceof StoreError && error.code === 'too-large')
				void route.turns.abort(end.turnId.slice(prefix.length)).catch(() => undefined);
			if (!hasLeft(error) || this.isClosing) throw error;
			void this.leaving(link);
			throw isInDoubt(error) ? error : fenced(error);
		} finally {
			this.onTurnEnd();
		}
	}

	async abort(turnId: string): Promise<void> {
		const link = this.endTurn(turnId);
		if (link === undefined) return;
		try {
			await link.route.turns.abort(turnId.slice(link.prefix.length));
		} catch (error) {
			// With its owner the turn has ended too.
			if (!(error instanceof ChannelClosedError) && !hasLeft(error)) throw error;
		} finally {
			this.onTurnEnd();
		}
	}

	async sessions(): Promise<readonly SessionSummary[]> {
		return this.retried(async ({ route }) => route.turns.sessions());
	}

	async read(sessionId: string): Promise<KeptState | undefined> {
		return this.retried(async ({ route }) => route.turns.read(sessionId));
	}

	async checkpoints(sessionId: string): Promise<readonly CheckpointSummary[]> {
		return this.retried(async ({ route }) => route.turns.checkpoints(sessionId));
	}

	async stateAt(sessionId: string, seq: number): Promise<KeptState> {
		return this.retried(async ({ route }) => route.turns.stateAt(sessionId, seq));
	}

	async evict(sessionId: string, isForced: boolean): Promise<void> {
		return this.retried(async ({ route }) => route.turns.evict(sessionId, isForced));
	}

	/** Whether `onDidHappen` tells all, or only what concerns one's own turns. */
	watch(isOn: boolean): void {
		this.isWatched = isOn;
		// If it is lost now, the next owner is told.
		this.current?.route.watch(isOn).catch(() => undefined);
	}

	async close(): Promise<void> {
		return (this.closed ??= this.shut());
	}

	private async shut(): Promise<void> {
		this.isClosing = true;
		// Those that wait for their turn.
		for (const [, refuse] of this.waiting.entries()) refuse(this.closedError());
		while (this.turnLinks.size > 0) {
			const ended = Promise.withResolvers<void>();
			this.onTurnEnd = ended.resolve;
			await ended.promise;
		}
		this.stop.abort();
		const link = await this.link?.catch(() => undefined);
		await link?.route.close();
		await link?.route.closed;
		clearInterval(this.presence);
		this.happened.dispose();
	}

	/** What leaves nothing behind is asked of the next owner when the one that was asked is lost. */
	private async retried<T>(ask: (link: Link) => Promise<T>): Promise<T> {
		if (this.isClosing) throw this.closedError();
		return new Promise((resolve, reject) => {
			if (this.waiting.size === 0) this.presence.ref();
			const id = ++this.lastWaiting;
			this.waiting.set(id, reject);
			this.ask(ask)
				.then(resolve, reject)
				.finally(() => {
					this.waiting.delete(id);
					if (this.waiting.size === 0) this.presence.unref();
				});
		});
	}

	private async ask<T>(ask: (link: Link) => Promise<T>): Promise<T> {
		for (;;) {
			const link = this.current ?? (await this.found());
			try {
				return await ask(link);
			} catch (error) {
				if (this.isClosing) throw error;
				if (error instanceof ChannelClosedError) this.lose(link);
				else if (hasLeft(error)) await this.leaving(link);
				else throw error;
			}
		}
	}

	private async found(): Promise<Link> {
		return (this.link ??= this.find(undefined, 0));
	}

	private async find(suspect: HostAddress | undefined, lockFrom: number): Promise<Link> {
		try {
			return this.adopt(await findRoute(this.options, suspect, lockFrom));
		} catch (error) {
			// Whoever waits is told, and whoever asks next has it tried again.
			this.link = undefined;
			throw typed(error, this.options.directory);
		}
	}

	private adopt(route: StoreRoute): Link {
		const link: Link = { route, prefix: `${++this.links}.`, isLost: false };
		const { generation } = route.turns;
		const isTakenOver = this.latestGeneration !== 0 && generation !== this.latestGeneration;
		this.latestGeneration = generation;
		this.current = link;
		route.turns.onDidHappen((event) => {
			if (event.kind === 'turn-ended') this.turnEnded(link, { ...event, turnId: link.prefix + event.turnId });
			// Told below, once the new owner is found.
			else if (event.kind !== 'taken-over') this.happened.fire(event);
		});
		void route.closed.then(() => this.lose(link));
		if (this.isWatched) this.watch(true);
		if (isTakenOver) this.happened.fire({ kind: 'taken-over', generation, isOurs: route.isOurs });
		return link;
	}

	private turnEnded(link: Link, event: Extract<StoreEvent, { kind: 'turn-ended' }>): void {
		// It may be that of another process.
		if (this.turnLinks.get(event.turnId) !== link) return;
		this.endTurn(event.turnId);
		this.happened.fire(event);
		this.onTurnEnd();
	}

	/** It says itself that it is the owner no more. */
	private async leaving(link: Link): Promise<void> {
		if (link.isLost) return;
		if (this.current === link) this.current = undefined;
		const tooLong = setTimeout(() => link.route.drop(), endingMs);
		await link.route.closed;
		clearTimeout(tooLong);
		this.lose(link);
	}

	private lose(link: Link): void {
		if (link.isLost) return;
		link.isLost = true;
		link.route.drop();
		if (this.current === link) this.current = undefined;
		const { code, message, sessionId } = fenced();
		for (const [turnId, own] of this.turnLinks.entries()) {
			if (own !== link) continue;
			// Where it is this process that has given up the directory, its own calls must not keep the rest from ending.
			if (link.route.isOurs) void link.route.turns.abort(turnId.slice(link.prefix.length)).catch(() => undefined);
			this.turnEnded(link, { kind: 'turn-ended', turnId, error: { code, message, sessionId } });
		}
		if (this.isClosing) return;
		const { route } = link;
		const ending = route.ending();
		this.link = this.find(
			ending === 'silent' ? route.address : undefined,
			ending === 'yielded' ? performance.now() + yieldedMs : 0,
		);
		// Whoever asks next is told.
		this.link.catch(() => undefined);
	}

	private endTurn(turnId: string): Link | undefined {
		const link = this.turnLinks.get(turnId);
		this.turnLinks.delete(turnId);
		return link;
	}

	private closedError(): StoreError {
		return new StoreError('closed', 'The session store is closed.', undefined);
	}
}

/** What is in the way of a directory, as callers are to have it. */
function typed(error: unknown, directory: string): unknown {
	if (error instanceof StoreError) return error;
	if (error instanceof ExpectedError)
		return new StoreError('unusable-directory', error.message, undefined, { cause: error });
	if (!(error instanceof Error) || !('code' in error)) return error;
	const sentence = `The session store in ${directory} cannot be reached: ${error.message}.`;
	return new StoreError('owner-lost', sentence, undefined, { cause: error });
}

/** What another owner has named says nothing to this one. */
function requestTo({ prefix }: Link, request: TurnRequest): TurnRequest {
	const { sessionId, key, tool, argumentsHash, heldState, deadlineMs } = request;
	const isOfThisOwner = heldState?.startsWith(prefix) === true;
	const ownState = isOfThisOwner ? heldState.slice(prefix.length) : undefined;
	return { sessionId, key, tool, argumentsHash, heldState: ownState, deadlineMs };
}

/** The owner says that it is the owner no more. */
function hasLeft(error: unknown): boolean {
	if (error instanceof KeptTurnLostError) return false;
	return error instanceof StoreError && (error.code === 'fenced' || error.code === 'closed' || isInDoubt(error));
}

/** Its database has closed itself, which it does when it cannot know what has been written. */
function isInDoubt(error: unknown): boolean {
	return error instanceof StoreError && error.code === 'owner-lost';
}

function fenced(cause?: unknown): StoreError {
	return new StoreError('fenced', 'The session store has a new owner. Nothing of this call remains.', undefined, {
		cause,
	});
}
