// What an agent's own hooks tell of its calls. They come before the transcript has a line of it, and in any order.

import type { AgentId, ToolUseId } from '../base/ids.ts';
import type { BodyRef, GivenArguments, HookEvent, Source } from '../events/sessionEvent.ts';
import type { HookCall, Place } from './model.ts';

/** One look at a call: the latest of its kind, or the earliest, whichever counts. */
interface Look {
	readonly at: number | undefined;
	readonly place: Place;
	readonly content: BodyRef | undefined;
	readonly given: GivenArguments | undefined;
}

type End = NonNullable<HookCall['ended']>;

export class HookCallState implements HookCall {
	readonly toolUseId: ToolUseId;
	agentId: AgentId | undefined;
	agentType: string | undefined;
	tool: string | undefined;
	server: string | undefined;
	began: HookCall['began'];
	private ownAsked: HookCall['asked'];
	private foundAsked: HookCall['asked'];
	/** Made for the few that are asked about. */
	private askings: Set<HookEvent> | undefined;
	ended: HookCall['ended'];

	constructor(id: ToolUseId) {
		this.toolUseId = id;
	}

	get asked(): HookCall['asked'] {
		return this.ownAsked ?? this.foundAsked;
	}

	get startedAt(): number | undefined {
		return this.began?.at ?? this.asked?.at ?? this.ended?.at;
	}

	take(event: HookEvent): void {
		if ('id' in event.agent) this.agentId = firstOf(this.agentId, event.agent.id);
		this.agentType = firstOf(this.agentType, event.agentType);
		this.tool = firstOf(this.tool, event.toolName);
		this.server = firstOf(this.server, event.mcpServer);
		const look = lookOf(event);
		switch (event.event) {
			case 'PreToolUse':
				if (isBetter(look, this.began, 'earliest')) this.began = look;
				return;
			case 'PermissionRequest':
				if (isBetter(look, this.ownAsked, 'latest')) this.ownAsked = look;
				return;
			case 'PostToolUse':
				return this.end('completed', look, event);
			case 'PostToolUseFailure':
				return this.end(event.isInterrupt === true ? 'interrupted' : 'failed', look, event);
			case 'PermissionDenied':
				return this.end('denied', look, event);
			default:
			// Of a kind that nobody has heard of: the call is known by it, and no more.
		}
	}

	/** A permission was asked for that can only be this call's. */
	ask(event: HookEvent): void {
		(this.askings ??= new Set()).add(event);
		this.findAsked();
	}

	unask(event: HookEvent): void {
		this.askings?.delete(event);
		this.findAsked();
	}

	private findAsked(): void {
		this.foundAsked = undefined;
		for (const event of this.askings ?? []) {
			const look = lookOf(event);
			if (isBetter(look, this.foundAsked, 'latest')) this.foundAsked = look;
		}
	}

	/** All calls of its message have ended, whatever has become of this one: it is broken off or denied without an event of its own. */
	takeBatch(event: HookEvent): void {
		const look: Look = { ...lookOf(event), content: undefined, given: undefined };
		if (this.ended !== undefined && this.ended.how !== 'over') return;
		if (isBetter(look, this.ended, 'earliest')) this.ended = { ...look, how: 'over', ...unmeasured };
	}

	private end(how: End['how'], look: Look, { durationMs, error, words, response }: HookEvent): void {
		const isKnown = this.ended !== undefined && this.ended.how !== 'over';
		if (isKnown && !isBetter(look, this.ended, 'latest', how)) return;
		this.ended = { ...look, how, durationMs, reason: error ?? (how === 'denied' ? words : undefined), response };
	}
}

function lookOf({ at, source, content, given }: HookEvent): Look {
	return { at, place: { source, range: undefined }, content, given };
}

/** They say the same; should they not, it does not matter which came first. */
function firstOf<Text extends string>(known: Text | undefined, told: Text | undefined): Text | undefined {
	if (known === undefined || told === undefined) return known ?? told;
	return told < known ? told : known;
}

const unmeasured = { durationMs: undefined, reason: undefined, response: undefined };

/** Of two events of one time, which are mostly the same one told twice, that counts which is written somewhere. */
function isBetter(
	look: Look,
	known: (Look & { readonly how?: string }) | undefined,
	which: 'earliest' | 'latest',
	how?: string,
): boolean {
	if (known === undefined) return true;
	if (look.at !== known.at) {
		const [one, other] = [look.at ?? -Infinity, known.at ?? -Infinity];
		return which === 'latest' ? one > other : one < other;
	}
	if (how !== undefined && known.how !== undefined && how !== known.how) return how < known.how;
	return isWrittenBefore(look.place.source, known.place.source);
}

/** Whether an event stands in a file, and the other one nowhere yet, or further down. */
export function isWrittenBefore(source: Source, known: Source): boolean {
	if (source.kind !== 'transcript') return false;
	return known.kind !== 'transcript' || source.offset < known.offset;
}
