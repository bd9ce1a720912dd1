// What a host has seen of calls and what hooks tell of them, joined with what transcripts say. A call that several have seen is one call, told
// by its tool use id; one that no transcript tells of stands for itself. Who is read first makes no difference.

import { agentId, toolUseId } from '../base/ids.ts';
import type { AgentId, ToolUseId } from '../base/ids.ts';
import type {
	BodyRef,
	CallEnded,
	CallHeld,
	CallQueued,
	CallReleased,
	CallSent,
	FaultInjected,
	GivenArguments,
	HookEvent,
	MessageEvent,
	Reconnect,
	ScopeDecision,
	Source,
	ToolResult,
	ToolUse,
	UpstreamStateChanged,
	WireMessage,
} from '../events/sessionEvent.ts';
import { Askings } from './askings.ts';
import { HookCallState, isWrittenBefore } from './hookCalls.ts';
import { withHold } from './holds.ts';
import type { CallHold, HostCall, Place, Sending, ServerChange } from './model.ts';
import { MessageState, ResultState, ToolCallState } from './state.ts';
import type { AgentState } from './state.ts';

type CallEvent =
	| WireMessage
	| CallQueued
	| CallSent
	| CallEnded
	| ScopeDecision
	| FaultInjected
	| CallHeld
	| CallReleased;

/** One passage of a call through a host. */
export class HostCallState implements HostCall {
	readonly callId: string;
	server: string;
	tool: string | undefined;
	toolUseId: ToolUseId | undefined;
	agentId: AgentId | undefined;
	upstreamIds: readonly string[] = [];
	attempts = 0;
	sends: readonly Sending[] = [];
	isRepeatable: boolean | undefined;
	heardAt: number | undefined;
	hasAskedBack = false;
	queued: readonly string[] = [];
	faults: readonly (HostCall['faults'][number] & { readonly at: number | undefined })[] = [];
	scopeDecisions: readonly ScopeDecision[] = [];
	given: GivenArguments | undefined;
	holds: readonly CallHold[] = [];
	ended: HostCall['ended'];
	request: { readonly source: Source; readonly at: number | undefined; readonly content: BodyRef } | undefined;
	response:
		| {
				readonly source: Source;
				readonly at: number | undefined;
				readonly content: BodyRef;
				readonly isError: boolean;
				readonly answer: WireMessage['answer'];
		  }
		| undefined;
	source: Source;
	startedAt: number | undefined;
	/** By which it is found among the calls that are seen. */
	key: string | undefined;
	/** The call that it is joined to. */
	call: ToolCallState | undefined;

	constructor(event: CallEvent) {
		this.callId = event.callId ?? '';
		this.server = event.server ?? '';
		this.source = event.source;
	}

	/** Takes in an event of the call. They may come in any order, and twice: once while it happens, and once where it is written. */
	take(event: CallEvent): void {
		const { source, at } = event;
		if ('id' in event.agent) this.agentId = event.agent.id;
		if (this.server === '') this.server = event.server ?? '';
		if ('tool' in event && event.tool !== undefined) this.tool = event.tool;
		if ('toolUseId' in event && event.toolUseId !== undefined) this.toolUseId = event.toolUseId;
		if (at !== undefined) {
			const known = this.startedAt ?? Infinity;
			if (at < known || (at === known && isWrittenBefore(source, this.source))) {
				this.startedAt = at;
				this.source = source;
			}
		}
		switch (event.type) {
			case 'wire-message': {
				const content = event.content ?? nothing;
				if (event.kind === 'notification') this.heardAt = Math.max(this.heardAt ?? 0, at ?? 0);
				if (event.kind === 'request' && event.method !== undefined && event.method !== 'tools/call') {
					this.hasAskedBack = true;
					return;
				}
				if (event.kind === 'request') {
					if (!isKnown(this.request, source)) this.request = { source, at, content };
					this.given ??= event.given;
				} else if (event.kind !== 'notification' && !isKnown(this.response, source)) {
					const { kind, answer } = event;
					this.response = { source, at, content, isError: kind === 'error', answer };
				}
				return;
			}
			case 'call-queued':
				if (!this.queued.includes(event.reason)) this.queued = [...this.queued, event.reason];
				return;
			case 'call-sent':
				this.attempts = Math.max(this.attempts, event.attempt);
				if (!this.upstreamIds.includes(event.upstreamId)) {
					this.upstreamIds = [...this.upstreamIds, event.upstreamId];
				}
				this.sends = withSending(this.sends, event);
				this.isRepeatable = event.isRepeatable ?? this.isRepeatable;
				return;
			case 'fault-injected': {
				const { kind, description } = event;
				const fault = { kind, description, at, place: { source, range: undefined } };
				this.faults = placed(this.faults, fault, (one) => `${one.at} ${one.kind} ${one.description}`);
				return;
			}
			case 'call-ended': {
				const { ending, durationMs, reason } = event;
				if (isKnown(this.ended?.place, source)) return;
				this.ended = { ending, durationMs, reason, at, place: { source, range: undefined } };
				return;
			}
			case 'call-held':
			case 'call-released':
				this.holds = withHold(this.holds, event);
				return;
			case 'scope-decision': {
				const others = this.scopeDecisions.filter((known) => known.at !== at || known.reason !== event.reason);
				this.scopeDecisions = [...others, event].sort((one, other) => (one.at ?? 0) - (other.at ?? 0));
			}
		}
	}

	get place(): HostCall['place'] {
		return { source: this.request?.source ?? this.source, range: undefined };
	}

	/** Anything but one attempt that was answered with a result; a call that still runs is not troubled. */
	get isTroubled(): boolean {
		if (this.sends.length > 1 || this.faults.length > 0) return true;
		return this.ended !== undefined && this.ended.ending !== 'completed';
	}
}

function withSending(sends: readonly Sending[], { upstreamId, attempt, at, source }: CallSent): readonly Sending[] {
	const sending: Sending = { upstreamId, attempt, at, place: { source, range: undefined } };
	return placed(sends, sending, (one) => `${one.at} ${one.upstreamId} ${one.attempt}`);
}

/** With one more, in the order of time, unless it is there already. */
function placed<Item extends { readonly at: number | undefined; readonly place: Place }>(
	items: readonly Item[],
	item: Item,
	keyOf: (item: Item) => string,
): readonly Item[] {
	const key = keyOf(item);
	const known = items.findIndex((each) => keyOf(each) === key);
	const all = [...items];
	if (known === -1) insertByTime(all, item, (one) => ({ at: one.at, key: keyOf(one) }));
	else if (isWrittenBefore(item.place.source, items[known]?.place.source ?? item.place.source)) all[known] = item;
	return all;
}

/** Whether what is known is written somewhere, and what is told now is not. */
function isKnown(known: { readonly source: Source } | undefined, source: Source): boolean {
	return known?.source.kind === 'transcript' && source.kind !== 'transcript';
}

const nothing: BodyRef = { offset: 0, length: 0, preview: '' };

/** Stands for every agent that no source names. */
export const unnamedAgentId = agentId('(unnamed)');

/** What is known of one call beside the transcript. */
interface Seen {
	/** In the order of time. */
	readonly passages: HostCallState[];
	hook: HookCallState | undefined;
	/** At its agent's hook. */
	holds: readonly CallHold[];
	/** Where no transcript tells of it. */
	alone: ToolCallState | undefined;
}

/** What a host and hooks know of the calls of one conversation. */
export class HostCalls {
	private readonly byId = new Map<string, HostCallState>();
	/** By tool use id or, without one, by the host's own. */
	private readonly seen = new Map<string, Seen>();
	private readonly unsettled = new Set<string>();
	/** By tool. */
	private readonly askings = new Map<string, Askings>();
	readonly changes: ServerChange[] = [];
	readonly troubled = new Set<HostCall>();
	readonly running = new Set<HostCall>();

	take(event: CallEvent): void {
		const { callId } = event;
		if (callId === undefined) {
			// At an agent's hook, before it reaches the host, if it ever does.
			if (event.type === 'call-held' || event.type === 'call-released') this.takeHold(event);
			return;
		}
		let call = this.byId.get(callId);
		if (call === undefined) this.byId.set(callId, (call = new HostCallState(event)));
		call.take(event);
		// A request that is no call of a tool.
		if (call.tool === undefined) return;
		const key = call.toolUseId ?? callId;
		if (call.key !== undefined && call.key !== key) this.moved(call);
		const seen = this.seenOf(key);
		if (call.key !== key) seen.passages.push(call);
		call.key = key;
		this.unsettled.add(key);
	}

	private takeHold(event: CallHeld | CallReleased): void {
		const { toolUseId: id } = event;
		if (id === undefined) return;
		const seen = this.seenOf(id);
		seen.holds = withHold(seen.holds, event);
		this.unsettled.add(id);
	}

	takeHook(event: HookEvent): void {
		const { toolUseId: id, toolName, batch } = event;
		const hook = id === undefined ? undefined : this.hookOf(id);
		hook?.take(event);
		for (const each of batch ?? []) {
			const call = this.hookOf(each);
			call.takeBatch(event);
			if (call.tool !== undefined) this.askings.get(call.tool)?.update(call);
		}
		if (toolName === undefined) return;
		let askings = this.askings.get(toolName);
		if (askings === undefined) {
			askings = new Askings((call) => this.unsettled.add(call.toolUseId));
			this.askings.set(toolName, askings);
		}
		if (hook !== undefined) askings.update(hook);
		else if (event.event === 'PermissionRequest') askings.ask(event);
	}

	takeChange(event: UpstreamStateChanged | Reconnect): void {
		const { server, upstreamId, at, source } = event;
		const change: ServerChange = { server, upstreamId, at, place: { source, range: undefined }, change: event };
		const index = this.changes.findLastIndex(
			(known) =>
				known.at === at &&
				known.upstreamId === upstreamId &&
				known.change.type === event.type &&
				(event.type === 'reconnect' ||
					(known.change.type !== 'reconnect' && known.change.state === event.state)),
		);
		const known = this.changes[index];
		if (known === undefined) insertByTime(this.changes, change, (each) => each);
		else if (isWrittenBefore(source, known.place.source)) this.changes[index] = change;
	}

	/** A transcript tells of a call that the host may have seen. */
	told(id: ToolUseId): void {
		if (this.seen.has(id)) this.unsettled.add(id);
	}

	/** Finds for each of the calls of which something is new the one that it belongs to. */
	settle(find: Finding): void {
		for (const key of this.unsettled) {
			const seen = this.seen.get(key);
			if (seen === undefined) continue;
			const { passages, hook } = seen;
			passages.sort(byTime);
			for (const passage of passages) this.note(passage, passages.length > 1);
			// Told of in a batch, or before it has a name.
			const isNamed = passages.length > 0 || hook?.tool !== undefined;
			const agent = passages.findLast((passage) => passage.agentId !== undefined)?.agentId ?? hook?.agentId;
			const written =
				passages[0]?.toolUseId ?? hook?.toolUseId ?? (seen.holds.length > 0 ? toolUseId(key) : undefined);
			const holds = [...seen.holds, ...passages.flatMap((passage) => passage.holds)];
			const call = written === undefined ? undefined : find.written(written, agent);
			if (seen.alone !== undefined) {
				find.remove(seen.alone);
				seen.alone = undefined;
			}
			if (call !== undefined) {
				call.hostCalls = [...passages];
				call.hookCall = hook;
				call.holds = holds;
				for (const passage of passages) passage.call = call;
				find.changed(call);
				continue;
			}
			if (!isNamed) continue;
			// Made anew: what it says of itself may be different, and it never changes otherwise.
			const stands = find.agent(agent);
			seen.alone = callAlone(stands, key, passages, hook);
			seen.alone.holds = holds;
			for (const passage of passages) passage.call = seen.alone;
			insertByTime(stands.hostCalls, seen.alone, ({ startedAt, id }) => ({ at: startedAt, key: id }));
			for (const at of [seen.alone.startedAt, passages.at(-1)?.ended?.at, hook?.ended?.at])
				find.touch(stands, at);
		}
		this.unsettled.clear();
	}

	private note(passage: HostCallState, isOneOfSeveral: boolean): void {
		if (passage.isTroubled || isOneOfSeveral) this.troubled.add(passage);
		if (passage.ended !== undefined) this.running.delete(passage);
		else if (passage.attempts > 0) this.running.add(passage);
	}

	private seenOf(key: string): Seen {
		let seen = this.seen.get(key);
		if (seen === undefined)
			this.seen.set(key, (seen = { passages: [], hook: undefined, holds: [], alone: undefined }));
		return seen;
	}

	private hookOf(id: ToolUseId): HookCallState {
		this.unsettled.add(id);
		const seen = this.seenOf(id);
		return (seen.hook ??= new HookCallState(id));
	}

	/** It has turned out which tool use it is. */
	private moved(call: HostCallState): void {
		const before = this.seen.get(call.key ?? '');
		if (before === undefined) return;
		before.passages.splice(before.passages.indexOf(call), 1);
		this.unsettled.add(call.key ?? '');
	}
}

/** What settling needs of the conversation. */
export interface Finding {
	/** The call that a transcript tells of. Ids are unique in all that is known; should two agents have one, the call's own agent has it. */
	written(id: ToolUseId, agent: AgentId | undefined): ToolCallState | undefined;
	/** `undefined`: nobody knows who made the call. */
	agent(id: AgentId | undefined): AgentState;
	remove(call: ToolCallState): void;
	/** The agent has done something at this time. */
	touch(agent: AgentState, at: number | undefined): void;
	changed(call: ToolCallState): void;
}

/** A call that no transcript tells of, in the terms of one. */
function callAlone(
	agent: AgentState,
	key: string,
	passages: readonly HostCallState[],
	hook: HookCallState | undefined,
): ToolCallState {
	const [first] = passages;
	const last = passages.at(-1);
	const look = hook?.began ?? hook?.asked ?? hook?.ended;
	const source = first?.request?.source ?? first?.source ?? look?.place.source;
	if (source === undefined) throw new Error('A call that nobody has seen.');
	const isByHook = first === undefined;
	const id = toolUseId(key);
	const envelope = {
		version: 1,
		seq: 0,
		sessionId: agent.sessionId,
		agent: { id: agent.id },
		source,
		at: earliest(first?.startedAt, hook?.startedAt),
	} as const;
	const messageId = `host ${key}`;
	const said: MessageEvent = {
		...envelope,
		type: 'message',
		messageId,
		role: 'assistant',
		kind: 'local',
		parts: ['tool-use'],
	};
	const use: ToolUse = {
		...envelope,
		type: 'tool-use',
		toolUseId: id,
		name: first?.tool ?? hook?.tool ?? '',
		server: isByHook ? hook?.server : first.server,
		answeredBy: 'client',
		messageId,
		range: wholeLine,
		arguments: (isByHook ? look?.content : first.request?.content) ?? nothing,
		given: first?.given ?? look?.given,
	};
	const message = new MessageState(agent, said);
	message.activeLines = 1;
	const call = new ToolCallState(message, use);
	call.isSeenByHostAlone = true;
	call.hostCalls = [...passages];
	call.hookCall = hook;
	message.addToolCall(call);
	const answer = answerOf(last, hook);
	if (answer !== undefined) {
		const result: ToolResult = {
			...envelope,
			...answer,
			type: 'tool-result',
			toolUseId: id,
			messageId,
			range: wholeLine,
			isPrecededByOther: false,
			isInPlace: false,
			isInterruption: false,
		};
		call.result = new ResultState(agent, result);
	}
	return call;
}

/** What came of a call: as the host has passed it on, else as the agent's hook has it. */
function answerOf(
	passage: HostCallState | undefined,
	hook: HookCallState | undefined,
): Pick<ToolResult, 'source' | 'at' | 'isError' | 'body' | 'durationMs' | 'content' | 'errorText'> | undefined {
	if (passage?.response !== undefined) {
		const { response, ended } = passage;
		const isError = response.isError || (ended !== undefined && ended.ending !== 'completed');
		return {
			source: response.source,
			at: response.at,
			isError,
			body: response.content,
			durationMs: ended?.durationMs,
			...response.answer,
		};
	}
	const ended = hook?.ended;
	if (ended === undefined || ended.how === 'over') return undefined;
	const body = ended.response ?? { ...nothing, preview: ended.reason ?? '' };
	const { place, at, durationMs } = ended;
	return { source: place.source, at, isError: ended.how !== 'completed', body, durationMs };
}

function earliest(one: number | undefined, other: number | undefined): number | undefined {
	return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}

const wholeLine = { column: 1, endColumn: 1 };

interface Timed {
	readonly at: number | undefined;
	readonly key?: string | undefined;
}

/** What has no time comes last; what has the same time, by its key. Mostly what comes is the latest. */
function insertByTime<Item>(items: Item[], item: Item, timeOf: (item: Item) => Timed): void {
	const { at = Infinity, key = '' } = timeOf(item);
	let index = items.length;
	for (; index > 0; index--) {
		const { at: before = Infinity, key: other = '' } = timeOf(items[index - 1] ?? item);
		if (before < at || (before === at && other <= key)) break;
	}
	items.splice(index, 0, item);
}

function byTime(one: HostCallState, other: HostCallState): number {
	const [first, second] = [one.startedAt ?? Infinity, other.startedAt ?? Infinity];
	return first === second ? (one.callId < other.callId ? -1 : 1) : first - second;
}
