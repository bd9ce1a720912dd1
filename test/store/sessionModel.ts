// What a session is, if nothing ever failed and nobody ever met anyone: a register, a counter, and the replies that are kept.

import type { Observed } from './linearizability.ts';

export interface ModelState {
	/** Of so many of the latest calls the reply is kept. */
	readonly keptCalls: number;
	readonly seq: number;
	readonly register: number;
	readonly count: number;
	/** By key. */
	readonly kept: Readonly<Record<string, { readonly call: string; readonly reply: ModelReply }>>;
}

export const emptyModel: ModelState = { keptCalls: 128, seq: 0, register: 0, count: 0, kept: {} };

/** What every call of the simulation replies: the state that it left, and the number of the checkpoint that it started from. */
export interface ModelReply {
	readonly seq: number;
	readonly register: number;
	readonly count: number;
}

export interface ModelCall {
	readonly key: string | undefined;
	readonly tool: 'set' | 'add' | 'look';
	readonly number: number;
}

export type Outcome =
	| { readonly kind: 'replied'; readonly reply: ModelReply }
	/** Its caller was told that the key is taken. */
	| { readonly kind: 'reused' }
	/** What is in the latest checkpoint was read; `seq` is that checkpoint's. */
	| { readonly kind: 'read'; readonly found: ModelReply }
	| { readonly kind: 'unknown' };

/** Changes a state as the tool does. */
export function perform(call: ModelCall, state: { register: number; count: number }): void {
	switch (call.tool) {
		case 'set':
			state.register = call.number;
			break;
		case 'add':
			state.count += call.number;
			break;
		case 'look':
	}
}

export class ObservedCall implements Observed<ModelState> {
	readonly begunAt: number;
	readonly answeredAt: number | undefined;
	private readonly call: ModelCall;
	private readonly outcome: Outcome;

	constructor(call: ModelCall, outcome: Outcome, begunAt: number, answeredAt: number) {
		this.call = call;
		this.outcome = outcome;
		this.begunAt = begunAt;
		this.answeredAt = outcome.kind === 'unknown' ? undefined : answeredAt;
	}

	apply(state: ModelState): ModelState | undefined {
		const { call, outcome } = this;
		if (outcome.kind === 'read') return same(outcome.found, state) ? state : undefined;
		const { key } = call;
		const name = JSON.stringify([call.tool, call.number]);
		const kept = keptCall(state, key);
		if (kept !== undefined && kept.call !== name) return outcome.kind === 'replied' ? undefined : state;
		if (outcome.kind === 'reused') return undefined;
		if (kept !== undefined)
			return outcome.kind === 'unknown' || same(kept.reply, outcome.reply) ? state : undefined;
		const next = { register: state.register, count: state.count };
		perform(call, next);
		const reply = { ...next, seq: state.seq };
		if (outcome.kind === 'replied' && !same(reply, outcome.reply)) return undefined;
		return {
			...next,
			keptCalls: state.keptCalls,
			seq: state.seq + 1,
			kept: key === undefined ? state.kept : { ...state.kept, [key]: { call: name, reply } },
		};
	}

	toString(): string {
		const { key, tool, number } = this.call;
		const call = this.outcome.kind === 'read' ? 'read' : `${tool}(${number}) ${key ?? ''}`;
		return `${this.begunAt}–${this.answeredAt ?? '?'} ${call} ${JSON.stringify(this.outcome)}`;
	}
}

function keptCall(
	{ kept, keptCalls, seq }: ModelState,
	key: string | undefined,
): ModelState['kept'][string] | undefined {
	const call = key === undefined ? undefined : kept[key];
	return call !== undefined && call.reply.seq >= seq - keptCalls ? call : undefined;
}

function same(left: ModelReply, right: ModelReply): boolean {
	return left.seq === right.seq && left.register === right.register && left.count === right.count;
}
