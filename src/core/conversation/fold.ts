import { mainAgentId } from '../base/ids.ts';
import type { AgentId, SessionId, ToolUseId } from '../base/ids.ts';
import { assertNever } from '../base/errors.ts';
import type {
	AgentEnded,
	AgentRef,
	AgentSpawned,
	Branch,
	CompactionEvent,
	DamagedLine,
	HookEvent,
	MessageEvent,
	ResultsCleared,
	SessionEvent,
	SessionLiveness,
	SessionTitled,
	SpawnEvidence,
	ToolDescribed,
	ToolDetached,
	ToolOutcome,
	ToolProgress,
	ToolResult,
	ToolUse,
	UnknownRecord,
} from '../events/sessionEvent.ts';
import type {
	Agent,
	Compaction,
	Conversation,
	Damage,
	Message,
	Place,
	Result,
	ToolCall,
	ToolDescription,
} from './model.ts';
import { AgentReportState, SessionReportState } from './hookReports.ts';
import { HostCalls, unnamedAgentId } from './hostCalls.ts';
import type { Finding } from './hostCalls.ts';
import { AgentState, ConversationState, MessageState, ResultState, ToolCallState } from './state.ts';
import type { RefusalState } from './state.ts';

/** What a fold may have changed: a superset, small in proportion to the events. Whoever keeps something computed from the model looks at these again. */
export interface Changes {
	readonly agents: ReadonlySet<Agent>;
	readonly messages: ReadonlySet<Message>;
	readonly toolCalls: ReadonlySet<ToolCall>;
	readonly strayResults: ReadonlySet<Result>;
	readonly compactions: ReadonlySet<Compaction>;
	readonly damage: ReadonlySet<Damage>;
}

class ChangesState implements Changes {
	readonly agents = new Set<AgentState>();
	readonly messages: Set<MessageState>;
	readonly toolCalls: Set<ToolCallState>;
	readonly strayResults = new Set<ResultState>();
	readonly compactions = new Set<Compaction>();
	readonly damage = new Set<Damage>();
	/** Whether what there is most of is noted, too. */
	readonly isComplete: boolean;
	/** The agent that was added last: most events are of the same one as the event before. */
	lastAgent: AgentState | undefined;

	constructor(isComplete: boolean) {
		this.isComplete = isComplete;
		this.messages = isComplete ? new Set() : new NoSet();
		this.toolCalls = isComplete ? new Set() : new NoSet();
	}
}

class NoSet<Item> extends Set<Item> {
	override add(): this {
		return this;
	}
}

/** A conversation of which nothing is known yet. */
export function createConversation(sessionId: SessionId): Conversation {
	return new ConversationState(sessionId);
}

/**
 * Folds events of this session into the conversation. Events of one log come in their order; logs may be interleaved in any way and
 * give the same conversation. The cost is in proportion to what the events name.
 */
export function fold(conversation: Conversation, events: Iterable<SessionEvent>): Changes {
	return foldInto(conversation, events, new ChangesState(true));
}

/** The same for who looks at all of the conversation afterwards: what has changed is not told. */
export function foldWhole(conversation: Conversation, events: Iterable<SessionEvent>): void {
	foldInto(conversation, events, new ChangesState(false));
}

function foldInto(conversation: Conversation, events: Iterable<SessionEvent>, changes: ChangesState): Changes {
	// Conversations are made by `createConversation` alone; the interface only hides what others must not touch.
	const state = conversation as ConversationState;
	for (const event of events) foldEvent(state, event, changes);
	state.host?.settle(findingIn(state, changes));
	linkAgents(state, changes);
	for (const agent of changes.agents) {
		agent.chain.refresh(changes.isComplete ? (message) => noteMessage(message, changes) : ignore);
		for (const call of agent.repeatedCalls) changes.toolCalls.add(call);
		if (changes.isComplete) for (const call of agent.openCalls) changes.toolCalls.add(call);
		for (const result of agent.strayResults) changes.strayResults.add(result);
	}
	state.revision++;
	return changes;
}

function noteMessage(message: MessageState, changes: ChangesState): void {
	changes.messages.add(message);
	for (const call of message.toolCalls) changes.toolCalls.add(call);
	for (const call of message.answered) changes.toolCalls.add(call);
}

function ignore(): void {
	// Nobody asks what has changed.
}

// Each kind has a function of its own, the rare ones too: this one runs for every event, and what stands in it is compiled with it.
function foldEvent(state: ConversationState, event: SessionEvent, changes: ChangesState): void {
	if (event.source.kind === 'transcript' && event.source.path !== state.lastPath) {
		state.lastPath = event.source.path;
		state.paths.add(event.source.path);
	}
	if (event.at !== undefined) {
		if (state.startedAt === undefined || event.at < state.startedAt) state.startedAt = event.at;
		if (state.lastEventAt === undefined || event.at > state.lastEventAt) state.lastEventAt = event.at;
	}
	switch (event.type) {
		case 'session-started':
			state.format = event.format;
			state.nativeId = event.nativeId;
			state.ownCwd = event.cwd ?? state.ownCwd;
			state.agentVersion = event.agentVersion ?? state.agentVersion;
			if (event.entrypoint !== 'unknown') state.entrypoint = event.entrypoint;
			return;
		case 'session-titled':
			foldTitle(state, event);
			return;
		case 'session-liveness':
			foldLiveness(state, event, changes);
			return;
		case 'agent-spawned':
			foldSpawn(state, event, changes);
			return;
		case 'agent-ended':
			foldEnd(state, event, changes);
			return;
		case 'message':
			foldMessage(state, event, changes);
			return;
		case 'turn-ended':
			return;
		case 'branch':
			foldBranch(state, event, changes);
			return;
		case 'compaction':
			foldCompaction(state, event, changes);
			return;
		case 'results-cleared':
			foldCleared(state, event, changes);
			return;
		case 'tool-use':
			foldToolUse(state, event, changes);
			return;
		case 'tool-result':
			foldToolResult(state, event, changes);
			return;
		case 'tool-progress':
			foldProgress(state, event, changes);
			return;
		case 'tool-detached':
			foldDetached(state, event, changes);
			return;
		case 'tool-outcome':
			foldOutcome(state, event, changes);
			return;
		case 'tool-described':
			foldTool(state, event, changes);
			return;
		case 'wire-message':
		case 'call-queued':
		case 'call-sent':
		case 'call-ended':
		case 'fault-injected':
		case 'scope-decision':
		case 'call-held':
		case 'call-released':
			(state.host ??= new HostCalls()).take(event);
			return;
		case 'upstream-state':
		case 'reconnect':
			(state.host ??= new HostCalls()).takeChange(event);
			return;
		case 'hook':
			foldHook(state, event, changes);
			return;
		case 'unknown':
			foldUnknown(state, event, changes);
			return;
		case 'damaged-line':
			foldDamage(state, event, changes);
			return;
		default:
			assertNever(event);
	}
}

function foldLiveness(state: ConversationState, event: SessionLiveness, changes: ChangesState): void {
	state.processLiveness = { state: event.state, evidence: event.evidence, since: event.since };
	// Whether an unanswered call is pending depends on it.
	for (const agent of state.agents.values()) {
		if (agent.openCalls.size > 0) changes.agents.add(agent);
	}
}

function foldBranch(state: ConversationState, event: Branch, changes: ChangesState): void {
	const agent = agentOf(state, event.agent, changes);
	agent.chain.rewind(event.turns, (message) => message.kind === 'prompt');
}

function foldCleared(state: ConversationState, event: ResultsCleared, changes: ChangesState): void {
	const agent = agentOf(state, event.agent, changes);
	for (const id of event.toolUseIds) {
		const call = agent.callsById.get(id);
		if (call === undefined) continue;
		call.isResultCleared = true;
		changes.toolCalls.add(call);
	}
}

function foldProgress(state: ConversationState, event: ToolProgress, changes: ChangesState): void {
	const call = changedCall(state, event.agent, event.toolUseId, changes);
	if (call !== undefined) call.lastProgress = { phase: event.phase, at: event.at };
}

function foldDetached(state: ConversationState, event: ToolDetached, changes: ChangesState): void {
	const call = changedCall(state, event.agent, event.toolUseId, changes);
	if (call !== undefined) call.isDetached = true;
}

function foldUnknown(state: ConversationState, event: UnknownRecord, changes: ChangesState): void {
	state.unknownRecords.set(event.nativeType, (state.unknownRecords.get(event.nativeType) ?? 0) + 1);
	if (event.chain !== undefined) agentOf(state, event.agent, changes).chain.pass(event.chain);
}

function foldHook(state: ConversationState, event: HookEvent, changes: ChangesState): void {
	(state.host ??= new HostCalls()).takeHook(event);
	const wasEnded = state.report?.isEnded;
	(state.report ??= new SessionReportState()).take(event);
	// Whether unanswered calls are pending depends on it.
	if (wasEnded !== state.report.isEnded) for (const agent of state.agents.values()) changes.agents.add(agent);
	const { spawnedAgentId, toolUseId, at, agentType } = event;
	if (!('id' in event.agent)) return;
	const { id } = event.agent;
	const agent = agentWithId(state, id, changes);
	touchTimes(agent, at);
	(agent.report ??= new AgentReportState()).take(event);
	const { version, seq, sessionId, source } = event;
	const spawned = {
		version,
		seq,
		at,
		sessionId,
		source,
		agent: event.agent,
		type: 'agent-spawned',
		evidence: 'hook',
	} as const;
	if (id !== mainAgentId && agentType !== undefined)
		foldSpawn(state, { ...spawned, agentId: id, agentType }, changes);
	if (spawnedAgentId === undefined || spawnedAgentId === id) return;
	foldSpawn(state, { ...spawned, agentId: spawnedAgentId, parentId: id, toolUseId }, changes);
}

function findingIn(state: ConversationState, changes: ChangesState): Finding {
	return {
		written(id, agent) {
			const own = agent === undefined ? undefined : state.agents.get(agent)?.callsById.get(id);
			return own ?? findCall(state, undefined, id);
		},
		agent: (id) => agentWithId(state, id ?? unnamedAgentId, changes, true),
		remove(call) {
			const { agent } = call;
			const index = agent.hostCalls.lastIndexOf(call);
			if (index !== -1) agent.hostCalls.splice(index, 1);
			changes.agents.add(agent);
			// Nobody would be there who has done nothing, and of whom nobody else speaks.
			if (!agent.isKnown && isEmpty(agent)) {
				state.agents.delete(agent.id);
				state.unlinked.delete(agent);
			}
		},
		touch: touchTimes,
		changed: (call) => changes.toolCalls.add(call),
	};
}

function isEmpty({ hostCalls, messages, strayResults, compactions }: AgentState): boolean {
	return hostCalls.length === 0 && messages.length === 0 && strayResults.size === 0 && compactions.length === 0;
}

function foldTool(state: ConversationState, event: ToolDescribed, changes: ChangesState): void {
	const { server, tool, description, inputSchema } = event;
	let tools = state.tools.get(server);
	if (tools === undefined) state.tools.set(server, (tools = new Map<string, ToolDescription>()));
	const known = tools.get(tool);
	if (event.isRemoved === true) {
		if (!tools.delete(tool)) return;
	} else if (known !== undefined && known.description === description && known.inputSchema === inputSchema) {
		// Each agent's transcript may say the same of it.
		return;
	} else tools.set(tool, { server, name: tool, description, inputSchema });
	// What a call left out is read off its tool. Servers speak of their tools when they start: seldom, and early.
	for (const agent of state.agents.values()) {
		for (const call of agent.toolCalls) {
			if (call.server === server && call.name === tool) changes.toolCalls.add(call);
		}
	}
}

function agentOf(state: ConversationState, ref: AgentRef, changes: ChangesState): AgentState {
	// An agent that its source does not name gets a place of its own rather than somebody else's.
	return agentWithId(state, 'id' in ref ? ref.id : unnamedAgentId, changes);
}

/** @param isByCall Only a call of the agent was seen, and it may turn out to be somebody else's. */
function agentWithId(state: ConversationState, id: AgentId, changes: ChangesState, isByCall = false): AgentState {
	const last = changes.lastAgent;
	if (last !== undefined && last.id === id) return last;
	let agent = state.agents.get(id);
	if (agent === undefined) {
		agent = new AgentState(id, state.sessionId);
		if (id === mainAgentId) agent.parentId = null;
		else state.unlinked.add(agent);
		agent.ended = state.outcomes.get(id);
		state.agents.set(id, agent);
	}
	changes.agents.add(agent);
	if (isByCall) return agent;
	agent.isKnown = true;
	changes.lastAgent = agent;
	return agent;
}

const titleRanks = { prompt: 1, model: 2, person: 3 } as const;

function foldTitle(state: ConversationState, event: SessionTitled): void {
	const rank = titleRanks[event.by];
	if (rank < state.titleRank) return;
	state.titleRank = rank;
	state.ownTitle = event.title;
}

function foldMessage(state: ConversationState, event: MessageEvent, changes: ChangesState): void {
	const agent = agentOf(state, event.agent, changes);
	touchTimes(agent, event.at);
	if (event.source.kind === 'transcript') {
		agent.hasTranscript = true;
		agent.path ??= event.source.path;
	}
	// A resume writes lines again; a line with the same id is the same line.
	if (event.chain !== undefined && agent.chain.has(event.chain.id)) return;
	const known = event.role === 'assistant' ? agent.message(event.messageId) : undefined;
	if (known !== undefined) {
		known.extend(event.parts, event.text);
		known.stopReason = event.stopReason ?? known.stopReason;
		// The counts grow from line to line of one message.
		if (event.tokens !== undefined && (known.tokens === undefined || event.tokens.output >= known.tokens.output)) {
			known.tokens = event.tokens;
		}
		known.lastNode = agent.chain.append(event.chain, known, event.isReverted);
		agent.lastMessage = known;
		changes.messages.add(known);
		return;
	}
	if (event.kind === 'prompt' || event.kind === 'notification') agent.turn++;
	const message = new MessageState(agent, event);
	if (
		event.kind === 'prompt' &&
		agent.id === mainAgentId &&
		state.titleRank === 0 &&
		event.text !== undefined &&
		event.text.preview !== ''
	) {
		state.titleRank = titleRanks.prompt;
		state.ownTitle = event.text.preview;
	}
	agent.addMessage(message, event.chain);
	message.lastNode = agent.chain.append(event.chain, message, event.isReverted);
	// Where the file begins in the middle of a response, calls of its first lines may be missing while their results are there.
	const isCutThrough = agent.isHeadCut && agent.messages.length === 1;
	if (event.kind === 'response' && !isCutThrough) agent.isAtHead = false;
	if (event.chain !== undefined) agent.follow(message);
	changes.messages.add(message);
	if (event.refusal !== undefined) foldRefusal(agent, { message, words: event.refusal }, changes);
	if (event.unmissed !== undefined) agent.unmissed.set(message, event.unmissed);
}

/** A client that is stuck is refused again with every prompt; that tells nothing new. */
const mostRefusals = 100;

function foldRefusal(agent: AgentState, refusal: RefusalState, changes: ChangesState): void {
	if (agent.refusals.length >= mostRefusals) return;
	agent.refusals = [...agent.refusals, refusal];
	// What is said of any block before it may be different now.
	if (changes.isComplete) for (const call of agent.toolCalls) changes.toolCalls.add(call);
}

function foldToolUse(state: ConversationState, event: ToolUse, changes: ChangesState): void {
	const agent = agentOf(state, event.agent, changes);
	const message = agent.message(event.messageId);
	// A producer reports the message before its blocks; without it the call has no place in the conversation.
	if (message === undefined) return;
	const known = agent.callsById.get(event.toolUseId);
	if (known !== undefined) {
		const isCopy = event.chainId !== undefined && event.chainId === known.chainId;
		if (known.duplicates.length >= mostRepetitions) return;
		const place: Place = { source: event.source, range: event.range };
		const node = agent.nodeOf(event);
		known.duplicates = [...known.duplicates, { place, message, isDistinct: !isCopy, node }];
		agent.repeatedCalls.add(known);
		changes.toolCalls.add(known);
		return;
	}
	const call = new ToolCallState(message, event);
	agent.toolCalls.push(call);
	agent.callsById.set(call.id, call);
	state.host?.told(call.id);
	message.addToolCall(call);
	agent.openCalls.add(call);
	if (event.unmissed !== undefined) agent.unmissed.set(call, event.unmissed);
	for (const mark of spawnMarks(event.spawn)) {
		const spawns = state.spawnsByMark.get(mark);
		if (spawns === undefined) state.spawnsByMark.set(mark, [call]);
		else spawns.push(call);
	}
	changes.toolCalls.add(call);
	const strays = agent.strayById.get(call.id);
	if (strays === undefined) return;
	agent.strayById.delete(call.id);
	for (const stray of strays) {
		agent.strayResults.delete(stray);
		changes.strayResults.add(stray);
		answer(call, stray);
	}
}

function foldToolResult(state: ConversationState, event: ToolResult, changes: ChangesState): void {
	const agent = agentOf(state, event.agent, changes);
	touchTimes(agent, event.at);
	const result = new ResultState(agent, event);
	const call = agent.call(event.toolUseId);
	if (call === undefined) {
		const strays = agent.strayById.get(event.toolUseId);
		if (strays?.some((stray) => isCopy(stray, result))) return;
		if (strays === undefined) agent.strayById.set(event.toolUseId, [result]);
		else strays.push(result);
		agent.strayResults.add(result);
		changes.strayResults.add(result);
		return;
	}
	answer(call, result);
	changes.toolCalls.add(call);
}

/** A file may repeat one line without end; more than this of it tells nothing new. */
const mostRepetitions = 100;

function answer(call: ToolCallState, result: ResultState): void {
	call.agent.openCalls.delete(call);
	result.message?.addAnswered(call);
	if (call.result === undefined) {
		if (call.answeredBy === 'client') call.message.answeredCalls++;
		call.result = result;
		return;
	}
	if ([call.result, ...call.furtherResults].some((other) => isCopy(other, result))) return;
	if (call.furtherResults.length >= mostRepetitions) return;
	call.furtherResults = [...call.furtherResults, result];
	call.agent.repeatedCalls.add(call);
}

/** Whether the result stands on a line that was written again, rather than beside the other one on the same line. */
function isCopy(other: ResultState, result: ResultState): boolean {
	if (other.chainId === undefined || other.chainId !== result.chainId) return false;
	const [one, two] = [other.source, result.source];
	return one.kind !== 'transcript' || two.kind !== 'transcript' || one.line !== two.line;
}

function changedCall(
	state: ConversationState,
	ref: AgentRef,
	id: ToolUseId,
	changes: ChangesState,
): ToolCallState | undefined {
	const call = agentOf(state, ref, changes).callsById.get(id);
	if (call !== undefined) changes.toolCalls.add(call);
	return call;
}

function foldCompaction(state: ConversationState, event: CompactionEvent, changes: ChangesState): void {
	const agent = agentOf(state, event.agent, changes);
	touchTimes(agent, event.at);
	if (event.chain !== undefined && agent.chain.has(event.chain.id)) return;
	const compaction: Compaction = {
		agent,
		place: { source: event.source, range: undefined },
		at: event.at,
		trigger: event.trigger,
		tokensBefore: event.tokensBefore,
		tokensAfter: event.tokensAfter,
		turn: agent.turn,
	};
	agent.compactions.push(compaction);
	changes.compactions.add(compaction);
	// The chain as it stood decides which calls were part of the conversation when it was compacted.
	agent.chain.refresh((message) => changes.messages.add(message));
	for (const call of agent.openCalls) {
		if (
			call.compactedBy === undefined &&
			call.answeredBy === 'client' &&
			call.message.isActive &&
			laterTurn(call) === undefined
		) {
			call.compactedBy = compaction;
		}
	}
	agent.chain.compact(event.chain, event.preserved);
}

/** The first turn on the active chain behind the message of the call: a prompt, a notification, or another response. */
export function laterTurn(call: ToolCall): Message | undefined {
	// Same as in `fold`: these objects come from nowhere else.
	const { agent, message, node } = call as ToolCallState;
	if (node === undefined) return undefined;
	const { chain } = agent;
	// The calls of one message share the answer; a message may have very many.
	if (message.later?.version === chain.version) return message.later.turn;
	const { lastNode } = message;
	const from = lastNode !== undefined && lastNode.activeIndex !== -1 ? lastNode : chain.placeOf(node);
	let turn: MessageState | undefined;
	for (let next = from; next !== undefined && turn === undefined; next = chain.next(next)) {
		if (next.member !== undefined && next.member !== message && isTurn(next.member) && next.order > node.order)
			turn = next.member;
	}
	message.later = { version: chain.version, turn };
	return turn;
}

function isTurn(message: MessageState): boolean {
	return (
		message.kind === 'prompt' ||
		message.kind === 'notification' ||
		message.kind === 'response' ||
		message.kind === 'interrupt'
	);
}

const evidenceRanks: Readonly<Record<SpawnEvidence, number>> = {
	guess: 0,
	prompt: 1,
	progress: 2,
	hook: 3,
	result: 4,
	header: 5,
	sidecar: 6,
};

function foldSpawn(state: ConversationState, event: AgentSpawned, changes: ChangesState): void {
	const agent = agentWithId(state, event.agentId, changes);
	touchTimes(agent, event.at);
	agent.promptDigest ??= event.promptDigest;
	const isBetter =
		agent.spawnEvidence === undefined || evidenceRanks[event.evidence] >= evidenceRanks[agent.spawnEvidence];
	const parentId =
		event.parentId !== undefined && canHaveParent(state, agent, event.parentId) ? event.parentId : undefined;
	const speaksOfParent = parentId !== undefined || event.toolUseId !== undefined;
	agent.name = isBetter ? (event.name ?? agent.name) : (agent.name ?? event.name);
	agent.type = isBetter ? (event.agentType ?? agent.type) : (agent.type ?? event.agentType);
	agent.description = isBetter ? (event.description ?? agent.description) : (agent.description ?? event.description);
	if (event.relation !== undefined) agent.relation = event.relation;
	if (!speaksOfParent) return;
	if (isBetter) {
		// Agents of several parents may have one prompt: a parent that was only found by it gives way to the call that is named.
		const wasFoundByMark = agent.spawnEvidence === 'prompt' || agent.spawnEvidence === 'guess';
		agent.parentId = parentId ?? (wasFoundByMark && event.toolUseId !== undefined ? undefined : agent.parentId);
		agent.spawnToolUseId = event.toolUseId ?? agent.spawnToolUseId;
		agent.spawnEvidence = event.evidence;
	} else {
		agent.parentId ??= parentId;
		agent.spawnToolUseId ??= event.toolUseId;
	}
	state.unlinked.add(agent);
}

/** Nobody descends from themselves, and nobody spawned the main agent; a damaged file may say so. */
function canHaveParent(state: ConversationState, agent: AgentState, parentId: AgentId): boolean {
	if (agent.id === mainAgentId || agent.id === parentId) return false;
	const parent = state.agents.get(parentId);
	return parent === undefined || !isDescendant(state, parent, agent);
}

function foldEnd(state: ConversationState, event: AgentEnded, changes: ChangesState): void {
	const agent = agentWithId(state, event.agentId, changes);
	agent.ended = laterEnd(agent.ended, { outcome: event.outcome, evidence: event.evidence, at: event.at });
}

function foldOutcome(state: ConversationState, event: ToolOutcome, changes: ChangesState): void {
	if (event.toolUseId !== undefined) {
		const call = changedCall(state, event.agent, event.toolUseId, changes);
		if (call !== undefined) call.outcome = event.outcome;
	}
	if (event.agentId === undefined) return;
	// A task need not be an agent: commands in the background are tasks too.
	const ended = laterEnd(state.outcomes.get(event.agentId), {
		outcome: event.outcome,
		evidence: `A notification says that it is over: ${event.outcome}.`,
		at: event.at,
	});
	state.outcomes.set(event.agentId, ended);
	const agent = state.agents.get(event.agentId);
	if (agent === undefined) return;
	agent.ended = laterEnd(agent.ended, ended);
	changes.agents.add(agent);
}

function laterEnd(known: Agent['ended'], next: NonNullable<Agent['ended']>): NonNullable<Agent['ended']> {
	if (known === undefined) return next;
	// What has a time beats what has none, and the later beats the earlier: an agent can be woken again.
	if (next.at === undefined) return known;
	return known.at === undefined || next.at >= known.at ? next : known;
}

function foldDamage(state: ConversationState, event: DamagedLine, changes: ChangesState): void {
	const damage: Damage = {
		place: { source: event.source, range: undefined },
		agent: 'id' in event.agent ? state.agents.get(event.agent.id) : undefined,
		kind: event.kind,
		message: event.message,
		isAtEnd: event.isAtEnd,
	};
	state.damage.push(damage);
	changes.damage.add(damage);
}

/** Ties agents to the calls that started them, with what every source has said so far. */
function linkAgents(state: ConversationState, changes: ChangesState): void {
	for (const agent of state.unlinked) {
		if (agent.spawnToolUseId === undefined) continue;
		// The call may be read later; the agent waits until then.
		const call = findCall(state, agent.parentId, agent.spawnToolUseId);
		if (call === undefined) continue;
		link(state, agent, call, changes);
		state.unlinked.delete(agent);
	}
	linkByMark(state, changes);
}

function findCall(
	state: ConversationState,
	parentId: AgentId | null | undefined,
	id: ToolUseId,
): ToolCallState | undefined {
	if (parentId !== undefined && parentId !== null) return state.agents.get(parentId)?.callsById.get(id);
	for (const agent of state.agents.values()) {
		const call = agent.callsById.get(id);
		if (call !== undefined) return call;
	}
	return undefined;
}

function link(state: ConversationState, agent: AgentState, call: ToolCallState, changes: ChangesState): void {
	if (agent.spawnCall === call) {
		agent.parentId = call.agent.id;
		return;
	}
	unlink(agent, changes);
	if (!canHaveParent(state, agent, call.agent.id)) return;
	agent.spawnCall = call;
	agent.parentId = call.agent.id;
	agent.type ??= call.spawn?.agentType;
	agent.description ??= call.spawn?.description;
	agent.name ??= call.spawn?.name;
	call.spawnedAgentId = agent.id;
	changes.toolCalls.add(call);
	changes.agents.add(agent);
	changes.agents.add(call.agent);
}

function unlink(agent: AgentState, changes: ChangesState): void {
	const call = agent.spawnCall;
	if (call === undefined) return;
	agent.spawnCall = undefined;
	if (call.spawnedAgentId === agent.id) call.spawnedAgentId = undefined;
	changes.toolCalls.add(call);
}

function isDescendant(state: ConversationState, agent: AgentState, ancestor: AgentState): boolean {
	const seen = new Set<AgentState>();
	let current: AgentState | undefined = agent;
	while (current !== undefined && !seen.has(current)) {
		if (current === ancestor) return true;
		seen.add(current);
		const { parentId }: AgentState = current;
		current = parentId === undefined || parentId === null ? undefined : state.agents.get(parentId);
	}
	return false;
}

/**
 * Agents whose origin no source names are matched to the calls with the very same prompt, team mates to the calls that gave them their
 * name, both in order of time. Done anew each time, so that the order in which files were read leaves no trace.
 */
function linkByMark(state: ConversationState, changes: ChangesState): void {
	const agentsByMark = new Map<string, AgentState[]>();
	for (const agent of state.unlinked) {
		if (agent.spawnToolUseId !== undefined) continue;
		const mark =
			agent.relation === 'teammate' && agent.name !== undefined ? nameMark(agent.name) : agent.promptDigest;
		if (mark === undefined || !state.spawnsByMark.has(mark)) continue;
		const agents = agentsByMark.get(mark);
		if (agents === undefined) agentsByMark.set(mark, [agent]);
		else agents.push(agent);
	}
	for (const [mark, agents] of agentsByMark) {
		const calls = (state.spawnsByMark.get(mark) ?? []).filter(
			(call) => call.spawnedAgentId === undefined || agents.some((agent) => agent.spawnCall === call),
		);
		agents.sort((one, other) => (one.firstAt ?? 0) - (other.firstAt ?? 0) || (one.id < other.id ? -1 : 1));
		calls.sort((one, other) => (one.startedAt ?? 0) - (other.startedAt ?? 0) || (one.id < other.id ? -1 : 1));
		if (agents.every((agent, index) => agent.spawnCall === calls[index])) continue;
		for (const agent of agents) unlink(agent, changes);
		for (const [index, agent] of agents.entries()) {
			const call = calls[index];
			if (call === undefined) break;
			agent.spawnEvidence = agent.relation === 'teammate' ? 'guess' : 'prompt';
			link(state, agent, call, changes);
		}
	}
}

/** What a spawning call is recognised by when nothing names it: its prompt, and the name that it gives. */
function spawnMarks(spawn: ToolUse['spawn']): readonly string[] {
	const marks: string[] = [];
	if (spawn?.promptDigest !== undefined) marks.push(spawn.promptDigest);
	if (spawn?.name !== undefined && spawn.name !== '') marks.push(nameMark(spawn.name));
	return marks;
}

function nameMark(name: string): string {
	return `name ${name}`;
}

function touchTimes(agent: AgentState, at: number | undefined): void {
	if (at === undefined) return;
	if (agent.firstAt === undefined || at < agent.firstAt) agent.firstAt = at;
	if (agent.lastAt === undefined || at > agent.lastAt) agent.lastAt = at;
}
