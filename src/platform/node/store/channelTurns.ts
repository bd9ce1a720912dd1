// The turns of a store over a way between two processes: the owner serves them, a client has them from afar.

import { Emitter } from '../../../core/base/emitter.ts';
import { ExpectedError } from '../../../core/base/errors.ts';
import { SmallMap } from '../../../core/base/smallMap.ts';
import { StoreError } from '../../../core/store/storeError.ts';
import type { OwnerTurns, StoreEvent, StoreTurns } from '../../../core/store/createTurns.ts';
import type { TurnRequest } from '../../../core/store/turns.ts';

/** What is asked, and what is answered. */
interface Requests {
	'store/begin': Request<'begin', TurnRequest>;
	'store/commit': Request<'commit', Parameters<StoreTurns['commit']>[0]>;
	'store/abort': Request<'abort', { readonly turnId: string }>;
	/** A turn that was kept is in use. */
	'store/use': { readonly params: { readonly turnId: string; readonly request: TurnRequest }; readonly result: void };
	'store/sessions': Request<'sessions', null>;
	'store/read': Request<'read', { readonly sessionId: string }>;
	'store/checkpoints': Request<'checkpoints', { readonly sessionId: string }>;
	'store/stateAt': Request<'stateAt', { readonly sessionId: string; readonly seq: number }>;
	'store/evict': Request<'evict', { readonly sessionId: string; readonly isForced: boolean }>;
	/** From now on all events are told, or only those that concern the client's own turns. */
	'store/watch': { readonly params: { readonly isOn: boolean }; readonly result: void };
}

interface Request<
	Name extends 'begin' | 'commit' | 'abort' | 'sessions' | 'read' | 'checkpoints' | 'stateAt' | 'evict',
	Params,
> {
	readonly params: Params;
	readonly result: Awaited<ReturnType<StoreTurns[Name]>>;
}

/** A `StoreEvent`. */
const eventNotice = 'store/happened';

export interface ServedTurns {
	readonly answer: (name: string, params: unknown) => Promise<unknown>;
	/** The client is gone: its turns end. */
	dispose(): void;
}

/** The owner's side, for one client. */
export function serveTurns(turns: OwnerTurns, notify: (name: string, event: StoreEvent) => void): ServedTurns {
	const running = new SmallMap<string, true>();
	let isWatched = false;
	let isDisposed = false;
	const listening = turns.onDidHappen((event) => {
		if (isTold(event)) notify(eventNotice, event);
	});
	function isTold(event: StoreEvent): boolean {
		switch (event.kind) {
			case 'turn-ended':
				return running.delete(event.turnId);
			case 'turn-wanted':
				return running.has(event.turnId);
			default:
				return isWatched;
		}
	}
	const answers: {
		readonly [Name in keyof Requests]: (params: Requests[Name]['params']) => Promise<Requests[Name]['result']>;
	} = {
		async 'store/begin'(request) {
			const start = await turns.begin(request);
			if (start.kind === 'replay') return start;
			if (isDisposed) await turns.abort(start.turnId);
			else running.set(start.turnId, true);
			return start;
		},
		async 'store/commit'(end) {
			const isRunning = running.delete(end.turnId);
			// It was ended below, which its caller has not heard of yet.
			if (!isRunning && isDisposed)
				throw new StoreError('fenced', 'The owner ends. Nothing of this call remains.', undefined);
			const committed = await turns.commit(end);
			const { next } = committed;
			if (next === undefined) return committed;
			if (isDisposed) await turns.abort(next.turnId);
			else running.set(next.turnId, true);
			return committed;
		},
		async 'store/use'({ turnId, request }) {
			// Others' turns are none of its business.
			if (running.has(turnId)) turns.use(turnId, request);
		},
		async 'store/abort'({ turnId }) {
			running.delete(turnId);
			await turns.abort(turnId);
		},
		'store/sessions': async () => turns.sessions(),
		'store/read': async ({ sessionId }) => turns.read(sessionId),
		'store/checkpoints': async ({ sessionId }) => turns.checkpoints(sessionId),
		'store/stateAt': async ({ sessionId, seq }) => turns.stateAt(sessionId, seq),
		'store/evict': async ({ sessionId, isForced }) => turns.evict(sessionId, isForced),
		async 'store/watch'({ isOn }) {
			isWatched = isOn;
		},
	};
	return {
		answer(name, params) {
			if (!Object.hasOwn(answers, name))
				return Promise.reject(new ExpectedError(`The session store answers no request ${name}.`));
			// Both sides have said that they speak this version of the protocol, and what they send is made by `remoteTurns`.
			return answers[name as keyof Requests](params as never);
		},
		dispose() {
			isDisposed = true;
			listening.dispose();
			for (const [turnId] of running.entries()) void turns.abort(turnId);
			running.clear();
		},
	};
}

/** A store of another process. */
export interface RemoteTurns extends StoreTurns {
	use(turnId: string, request: TurnRequest): Promise<void>;
	/** Told by the owner. */
	readonly onNotice: (name: string, params: unknown) => void;
	/** Whether `onDidHappen` tells more than of one's own turns. */
	watch(isOn: boolean): Promise<void>;
}

export interface Way {
	readonly request: (name: string, params: unknown) => Promise<unknown>;
	/** Nothing more is asked. */
	readonly end: () => void;
	readonly generation: number;
	readonly onError: (error: unknown) => void;
}

/** A client's side. It rejects with whatever the way rejects with, too. */
export function remoteTurns({ request, end, generation, onError }: Way): RemoteTurns {
	const happened = new Emitter<StoreEvent>(onError);
	const ask = <Name extends keyof Requests>(name: Name, params: Requests[Name]['params']) =>
		// The other side is `serveTurns`.
		request(name, params) as Promise<Requests[Name]['result']>;
	return {
		generation,
		onDidHappen: happened.event,
		onNotice: (name, event) => {
			if (name === eventNotice) happened.fire(event as StoreEvent); // sent by `serveTurns`
		},
		begin: (turn) => ask('store/begin', turn),
		commit: (turn) => ask('store/commit', turn),
		abort: async (turnId) => ask('store/abort', { turnId }),
		use: async (turnId, request) => ask('store/use', { turnId, request }),
		sessions: async () => ask('store/sessions', null),
		read: async (sessionId) => ask('store/read', { sessionId }),
		checkpoints: async (sessionId) => ask('store/checkpoints', { sessionId }),
		stateAt: async (sessionId, seq) => ask('store/stateAt', { sessionId, seq }),
		evict: async (sessionId, isForced) => ask('store/evict', { sessionId, isForced }),
		watch: async (isOn) => ask('store/watch', { isOn }),
		async close() {
			end();
		},
	};
}
