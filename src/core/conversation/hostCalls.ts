// What a host has seen of calls, joined with what transcripts say of them. A call that is seen on both sides is one call, told by its tool use
// id; one that no transcript tells of stands for itself. Which side is read first makes no difference.

import { agentId, toolUseId } from '../base/ids.ts';
import type { AgentId, ToolUseId } from '../base/ids.ts';
import type {
	BodyRef,
	CallEnded,
	CallQueued,
	CallSent,
	FaultInjected,
	MessageEvent,
	Reconnect,
	Source,
	ToolResult,
	ToolUse,
	UpstreamStateChanged,
	WireMessage,
} from '../events/sessionEvent.ts';
import type { HostCall, Sending, ServerChange } from './model.ts';
import { MessageState, ResultState, ToolCallState } from './state.ts';
import type { AgentState } from './state.ts';

type CallEvent = WireMessage | CallQueued | CallSent | CallEnded | FaultInjected;

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
	queued: readonly string[] = [];
	faults: HostCall['faults'] = [];
	ended: HostCall['ended'];
	request: { readonly source: Source; readonly at: number | undefined; readonly content: BodyRef } | undefined;
	response:
		| {
				readonly source: Source;
				readonly at: number | undefined;
				readonly content: BodyRef;
				readonly isError: boolean;
		  }
		| undefined;
	source: Source;
	startedAt: number | undefined;
	/** The call that it is joined to. */
	call: ToolCallState | undefined;

	constructor(event: CallEvent) {
		this.callId = event.callId ?? '';
		this.server = event.server;
		this.source = event.source;
	}

	/** Takes in an event of the call; they may come in any order. */
	take(event: CallEvent): void {
		if ('id' in event.agent) this.agentId = event.agent.id;
		if ('tool' in event && event.tool !== undefined) this.tool = event.tool;
		if ('toolUseId' in event && event.toolUseId !== undefined) this.toolUseId = event.toolUseId;
		if (event.at !== undefined && (this.startedAt === undefined || event.at < this.startedAt)) {
			this.startedAt = event.at;
			this.source = event.source;
		}
		switch (event.type) {
			case 'wire-message': {
				const { source, at, kind } = event;
				const content = event.content ?? nothing;
				if (kind === 'request') this.request = { source, at, content };
				else if (kind !== 'notification') this.response = { source, at, content, isError: kind === 'error' };
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
				return;
			case 'fault-injected': {
				const { kind, description, source } = event;
				this.faults = [...this.faults, { kind, description, place: { source, range: undefined } }];
				return;
			}
			case 'call-ended': {
				const { ending, durationMs, reason, at, source } = event;
				this.ended = { ending, durationMs, reason, at, place: { source, range: undefined } };
			}
		}
	}

	get place(): HostCall['place'] {
		return { source: this.request?.source ?? this.source, range: undefined };
	}

	/** Anything but one attempt that was answered with a result; a call that still runs is not troubled. */
	get isTroubled(): boolean {
		return this.sends.length > 1 || (this.ended !== undefined && this.ended.ending !== 'completed');
	}
}

function withSending(sends: readonly Sending[], { upstreamId, attempt, at, source }: CallSent): readonly Sending[] {
	const sending: Sending = { upstreamId, attempt, at, place: { source, range: undefined } };
	if (sends.length === 0) return [sending];
	const all = [...sends];
	insertByTime(all, sending, (one) => one.at);
	return all;
}

const nothing: BodyRef = { offset: 0, length: 0, preview: '' };

/** Stands for every agent that no source names. */
export const unnamedAgentId = agentId('(unnamed)');

/** What the host knows of the calls of one conversation. */
export class HostCalls {
	private readonly byId = new Map<string, HostCallState>();
	private readonly byToolUse = new Map<ToolUseId, HostCallState[]>();
	/** Calls that no transcript tells of, by tool use id or, without one, by the host's own. */
	private readonly alone = new Map<string, ToolCallState>();
	private readonly unsettled = new Set<HostCallState>();
	readonly changes: ServerChange[] = [];
	readonly troubled = new Set<HostCall>();

	take(event: CallEvent): void {
		const { callId } = event;
		if (callId === undefined) return;
		let call = this.byId.get(callId);
		if (call === undefined) this.byId.set(callId, (call = new HostCallState(event)));
		call.take(event);
		this.unsettled.add(call);
	}

	takeChange(event: UpstreamStateChanged | Reconnect): void {
		const change: ServerChange = {
			server: event.server,
			upstreamId: event.upstreamId,
			at: event.at,
			place: { source: event.source, range: undefined },
			change: event,
		};
		insertByTime(this.changes, change, ({ at }) => at);
	}

	/** A transcript tells of a call that the host may have seen. */
	told(id: ToolUseId): void {
		for (const call of this.byToolUse.get(id) ?? []) this.unsettled.add(call);
	}

	/** Finds for each of the calls of which something is new the one that it belongs to. */
	settle(find: Finding): void {
		for (const call of this.unsettled) {
			// A request that is no call of a tool.
			if (call.tool === undefined) continue;
			if (call.isTroubled) this.troubled.add(call);
			const id = call.toolUseId;
			if (id !== undefined) {
				const passages = this.byToolUse.get(id);
				if (passages === undefined) this.byToolUse.set(id, [call]);
				else if (!passages.includes(call)) insertByTime(passages, call, ({ startedAt }) => startedAt);
			}
			const written = id === undefined ? undefined : find.written(id, call.agentId);
			const passages = id === undefined ? [call] : (this.byToolUse.get(id) ?? [call]);
			const key = id ?? call.callId;
			const alone = this.alone.get(key);
			if (written !== undefined) {
				if (alone !== undefined) find.remove(alone);
				this.alone.delete(key);
				written.hostCalls = [...passages];
				for (const passage of passages) passage.call = written;
				find.changed(written);
				continue;
			}
			// Made anew: what it says of itself may be different, and it never changes otherwise.
			if (alone !== undefined) find.remove(alone);
			const agent = find.agent(passages.findLast((passage) => passage.agentId !== undefined)?.agentId);
			const stand = callAlone(agent, key, passages);
			for (const passage of passages) passage.call = stand;
			this.alone.set(key, stand);
			insertByTime(agent.hostCalls, stand, ({ startedAt }) => startedAt);
			find.touch(agent, stand.startedAt);
			find.touch(agent, passages.at(-1)?.ended?.at);
		}
		this.unsettled.clear();
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

/** A call that only hosts have seen, in the terms of a transcript. */
function callAlone(agent: AgentState, key: string, passages: readonly HostCallState[]): ToolCallState {
	const [first] = passages;
	const last = passages.at(-1);
	if (first === undefined || last === undefined) throw new Error('A call that nobody has seen.');
	const id = toolUseId(key);
	const envelope = {
		version: 1,
		seq: 0,
		sessionId: agent.sessionId,
		agent: { id: agent.id },
		source: first.request?.source ?? first.source,
		at: first.startedAt,
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
		name: first.tool ?? '',
		server: first.server,
		answeredBy: 'client',
		messageId,
		range: wholeLine,
		arguments: first.request?.content ?? nothing,
	};
	const message = new MessageState(agent, said);
	message.activeLines = 1;
	const call = new ToolCallState(message, use);
	call.isSeenByHostAlone = true;
	call.hostCalls = [...passages];
	message.addToolCall(call);
	const { response, ended } = last;
	if (response !== undefined) {
		const result: ToolResult = {
			...envelope,
			source: response.source,
			at: response.at,
			type: 'tool-result',
			toolUseId: id,
			isError: response.isError || (ended !== undefined && ended.ending !== 'completed'),
			messageId,
			range: wholeLine,
			body: response.content,
			durationMs: ended?.durationMs,
			isPrecededByOther: false,
			isInPlace: false,
			isInterruption: false,
		};
		call.result = new ResultState(agent, result);
	}
	return call;
}

const wholeLine = { column: 1, endColumn: 1 };

/** What has no time comes last. Mostly what comes is the latest. */
function insertByTime<Item>(items: Item[], item: Item, timeOf: (item: Item) => number | undefined): void {
	const at = timeOf(item) ?? Infinity;
	let index = items.length;
	while (index > 0 && (timeOf(items[index - 1] ?? item) ?? Infinity) > at) index--;
	items.splice(index, 0, item);
}
