// Permissions that were asked for by events that do not say for which call. Each belongs to the one call of its agent and tool that was out at
// that time; of two it may be either's, and then it is nobody's.

import type { HookEvent } from '../events/sessionEvent.ts';
import { isWrittenBefore } from './hookCalls.ts';
import type { HookCallState } from './hookCalls.ts';

interface Asking {
	event: HookEvent;
	/** Those that were out then. */
	readonly out: Set<HookCallState>;
	call: HookCallState | undefined;
}

/** Those of one tool. */
export class Askings {
	/** By agent and time. */
	private readonly askings = new Map<string, Asking>();
	private readonly calls = new Set<HookCallState>();
	private readonly changed: (call: HookCallState) => void;

	/** @param changed Called with a call of which it is known now, or known no more, that a person was asked. */
	constructor(changed: (call: HookCallState) => void) {
		this.changed = changed;
	}

	/** Something new is known of a call. */
	update(call: HookCallState): void {
		this.calls.add(call);
		for (const asking of this.askings.values()) {
			const was = asking.out.has(call);
			if (isOut(call, asking.event)) asking.out.add(call);
			else if (!asking.out.delete(call)) continue;
			if (was || asking.out.has(call)) this.settle(asking);
		}
	}

	ask(event: HookEvent): void {
		const key = `${'id' in event.agent ? event.agent.id : ''} ${event.at}`;
		const known = this.askings.get(key);
		if (known !== undefined) {
			// Told twice: while it happened, and where it is written.
			if (!isWrittenBefore(event.source, known.event.source)) return;
			known.call?.unask(known.event);
			known.event = event;
			known.call?.ask(event);
			if (known.call !== undefined) this.changed(known.call);
			return;
		}
		const asking: Asking = { event, out: new Set(), call: undefined };
		for (const call of this.calls) if (isOut(call, event)) asking.out.add(call);
		this.askings.set(key, asking);
		this.settle(asking);
	}

	private settle(asking: Asking): void {
		const { event, out } = asking;
		const all = [...out];
		const same = all.filter(({ began }) => began?.content?.preview === event.content?.preview);
		const [one, ...others] = same.length > 0 ? same : all;
		const call = others.length > 0 ? undefined : one;
		if (call === asking.call) return;
		for (const [before, isNow] of [
			[asking.call, false],
			[call, true],
		] as const) {
			if (before === undefined) continue;
			if (isNow) before.ask(event);
			else before.unask(event);
			this.changed(before);
		}
		asking.call = call;
	}
}

function isOut({ agentId, began, ended }: HookCallState, { agent, at = Number.NaN }: HookEvent): boolean {
	const asker = 'id' in agent ? agent.id : undefined;
	return agentId === asker && (began?.at ?? Infinity) <= at && at <= (ended?.at ?? Infinity);
}
