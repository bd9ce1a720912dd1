// What the session store keeps of the calls of a replay. It is asked for when somebody looks, once.

import { serverOf } from '../../core/conversation/index.ts';
import type { ToolCall } from '../../core/conversation/index.ts';
import type { Replay } from '../../core/conversation/replay.ts';
import type { StoredCall, StoredCallReader } from '../../core/store/storedCalls.ts';
import { valueAt } from '../assignments.ts';
import type { Section, WatchedValue } from '../debugTarget.ts';
import { accessTo, shown } from '../valueTree.ts';
import type { Keys } from '../valueTree.ts';

/** A state before and after a call; `undefined`: it is not kept. */
interface CallStates {
	readonly sessionId: string;
	readonly before: unknown;
	readonly after: unknown;
}

const notKept = 'The store keeps the states of the latest calls only, and this one is not among them.';

const noState = 'The session store knows of no state that this call has worked on: its server keeps none there.';

export class ReplayStates {
	private readonly replay: Replay;
	private readonly source: StoredCallReader | undefined;
	private asked: Promise<ReadonlyMap<string, CallStates>> | undefined;
	private found: ReadonlyMap<string, CallStates> | undefined;

	constructor(replay: Replay, source: StoredCallReader | undefined) {
		this.replay = replay;
		this.source = source;
	}

	/** @param hasResult Whether the call is over at the step that is looked at. `undefined`: no server has a state for this call. */
	sectionOf(call: ToolCall, hasResult: boolean): Section | undefined {
		if (this.source === undefined || serverOf(call) === undefined) return undefined;
		return {
			name: 'Session state',
			expression: 'state',
			isExpensive: true,
			read: async () => {
				const states = await this.of(call);
				if (states === undefined) return noState;
				return (hasResult ? states.after : states.before) ?? notKept;
			},
			watched: (keys) => this.watched(call, keys),
		};
	}

	/** @returns `undefined`: the text is no data breakpoint on a state. */
	watch(dataId: string): StateWatch | undefined {
		if (!dataId.startsWith(prefix)) return undefined;
		try {
			// What another version has written may be anything.
			const value = JSON.parse(dataId.slice(prefix.length)) as Partial<WatchedState> | null;
			if (value === null || typeof value.session !== 'string' || !Array.isArray(value.keys)) return undefined;
			return new StateWatch({ session: value.session, keys: value.keys }, this.replay, this);
		} catch {
			return undefined;
		}
	}

	async of(call: ToolCall): Promise<CallStates | undefined> {
		this.asked ??= this.ask();
		this.found = await this.asked;
		return this.found.get(call.id);
	}

	private watched(call: ToolCall, keys: Keys): WatchedValue | string {
		const session = this.found?.get(call.id)?.sessionId;
		if (session === undefined) return 'No state is known that could change.';
		const watched: WatchedState = { session, keys };
		return { dataId: prefix + JSON.stringify(watched), description: descriptionOf(watched) };
	}

	private async ask(): Promise<ReadonlyMap<string, CallStates>> {
		const ids = new Set<string>();
		for (const step of this.replay.steps) {
			if (step.kind === 'call' && serverOf(step.call) !== undefined) ids.add(step.call.id);
		}
		const states = new Map<string, CallStates>();
		const last = new Map<string, StoredCall>();
		for (const stored of (await this.source?.(ids)) ?? []) {
			const { sessionId, seq, key, state: after } = stored;
			const before = last.get(sessionId);
			last.set(sessionId, stored);
			if (key === undefined || !ids.has(key)) continue;
			// A session begins with nothing; between two that are kept there may be others that are not.
			const was = seq === 1 ? {} : before?.seq === seq - 1 ? before.state : undefined;
			states.set(key, { sessionId, before: was, after });
		}
		return states;
	}
}

interface WatchedState {
	readonly session: string;
	readonly keys: Keys;
}

const prefix = 'state ';

/** `state.cursor of session review`. */
function descriptionOf({ session, keys }: WatchedState): string {
	return `state${keys.map(accessTo).join('')} of session ${session}`;
}

/** Finds where a key of a session's state changes: at the result of the call that has changed it. */
export class StateWatch {
	readonly description: string;
	private readonly watched: WatchedState;
	private readonly replay: Replay;
	private readonly states: ReplayStates;

	constructor(watched: WatchedState, replay: Replay, states: ReplayStates) {
		this.watched = watched;
		this.replay = replay;
		this.states = states;
		this.description = descriptionOf(watched);
	}

	mayChangeAt(index: number): boolean {
		const step = this.replay.steps[index];
		return step?.kind === 'result' && step.call !== undefined && serverOf(step.call) !== undefined;
	}

	/** `2 → 3`; `undefined`: it is as it was, or nobody knows. */
	async changeAt(index: number): Promise<string | undefined> {
		const step = this.replay.steps[index];
		if (step?.kind !== 'result' || step.call === undefined) return undefined;
		const states = await this.states.of(step.call);
		if (states?.sessionId !== this.watched.session) return undefined;
		if (states.before === undefined || states.after === undefined) return undefined;
		const [was, is] = [valueAt(states.before, this.watched.keys), valueAt(states.after, this.watched.keys)];
		return JSON.stringify(was) === JSON.stringify(is) ? undefined : `${shown(was)} → ${shown(is)}`;
	}
}
