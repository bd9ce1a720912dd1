import { holdWords } from './holds.ts';
import type { CallState, Conversation, Message, OrphanCause, Refusal, Result, ToolCall } from './model.ts';
import { deferredPhase } from '../events/sessionEvent.ts';
import { laterTurn } from './fold.ts';
import type { AgentState, MessageState, ResultState, ToolCallState } from './state.ts';

/**
 * What has become of a call, by the best evidence there is, in this order: its result, a compaction that came in between, what the
 * conversation did next, how its agent ended, whether the session's process still runs. Without any, it is pending and uncertain:
 * a pending call is never taken for an orphan. Nor is one whose answer nobody misses: rules and whoever counts orphans go by this alone.
 */
export function callState(conversation: Conversation, call: ToolCall): CallState {
	const state = call.isSeenByHostAlone ? stateAlone(conversation, call) : writtenState(conversation, call);
	if (call.agent.isWarmUp && (state.state === 'pending' || state.state === 'orphaned'))
		return abandoned(
			state,
			'The client began its agent for itself, to warm a cache, and waits for none of its calls.',
		);
	if (state.state === 'orphaned' && call.answeredBy === 'provider' && !isMissedByProvider(call))
		return abandoned(
			state,
			'The provider runs it, and nothing went on from it that the provider would refuse without an answer.',
		);
	const isSeenByOthers = call.hostCalls.length > 0 || call.hookCall !== undefined || call.holds.length > 0;
	return state.state === 'pending' && isSeenByOthers ? { ...state, ...pendingEvidence(call, state) } : state;
}

/** By the transcripts, which decide wherever they say anything. */
function writtenState(conversation: Conversation, call: ToolCall): CallState {
	if (call.result !== undefined) return { state: call.result.isError ? 'failed' : 'completed' };
	const { agent } = call;
	if (agent.relation === 'fork') {
		const inherited = inheritedCall(conversation, call);
		if (inherited !== undefined) {
			const state = callState(conversation, inherited);
			if (state.state !== 'pending' && state.state !== 'orphaned') return state;
			return abandoned(
				state,
				'It is a copy of a call of the agent that this one was forked from, which alone waits for the answer.',
			);
		}
		if (
			agent.parentId !== undefined &&
			agent.parentId !== null &&
			conversation.agents.get(agent.parentId)?.hasTranscript !== true
		) {
			return {
				state: 'pending',
				isCertain: false,
				evidence:
					'It may be a copy of a call of the agent that this one was forked from, whose transcript is not there.',
			};
		}
	}
	if (call.compactedBy !== undefined) {
		return {
			state: 'orphaned',
			cause: 'lost-to-compaction',
			evidence: 'The conversation was compacted before a result came, and none came after.',
		};
	}
	if (!call.message.isActive) {
		// What is in no request any more lacks nothing.
		return isBehindCompaction(call)
			? abandoned(
					{ state: 'orphaned', cause: 'unknown' },
					'It had no result when the conversation was compacted, which left it behind.',
				)
			: abandoned(
					{ state: 'orphaned', cause: 'killed' },
					'The conversation went on from an earlier message, without this call.',
				);
	}
	const later = laterTurn(call);
	if (later !== undefined) {
		const unmissed = agent.unmissed.get(later);
		return unmissed === undefined
			? orphanedBy(later)
			: abandoned({ state: 'orphaned', cause: 'interrupted' }, unmissed);
	}
	const state = lastState(conversation, call);
	const isUnanswered = state.state === 'orphaned' || (state.state === 'pending' && !state.isCertain);
	if (isUnanswered && call.lastProgress?.phase === deferredPhase)
		return abandoned(state, 'A hook has deferred it: it is made when somebody resumes the session.');
	const unmissed = agent.unmissed.get(call);
	return unmissed !== undefined && state.state === 'orphaned' ? abandoned(state, unmissed) : state;
}

/** @param but What it would be if its answer were missed. */
function abandoned(
	but: { readonly state: 'pending' } | { readonly state: 'orphaned'; readonly cause: OrphanCause },
	evidence: string,
): CallState {
	return {
		state: 'abandoned',
		as: but.state,
		cause: but.state === 'orphaned' ? but.cause : undefined,
		evidence,
	};
}

/** Of a call behind which nothing came. */
function lastState(conversation: Conversation, call: ToolCall): CallState {
	const { ended } = call.agent;
	// An agent that was woken again has calls that are younger than its end.
	if (ended !== undefined && !(ended.at !== undefined && call.startedAt !== undefined && call.startedAt > ended.at)) {
		// Others may tell of its end before its own last lines are there.
		if (ended.outcome === 'completed' && conversation.liveness.state === 'live')
			return { state: 'pending', isCertain: false, evidence: `${ended.evidence} Its last lines may still come.` };
		return {
			state: 'orphaned',
			cause: ended.outcome === 'killed' ? 'killed' : 'unknown',
			evidence: ended.evidence,
		};
	}
	const { liveness } = conversation;
	if (liveness.state === 'ended') return { state: 'orphaned', cause: 'killed', evidence: liveness.evidence };
	if (liveness.state === 'live') {
		if (liveness.since !== undefined && call.startedAt !== undefined && call.startedAt < liveness.since) {
			return {
				state: 'orphaned',
				cause: 'killed',
				evidence: 'The process that made the call has ended; another one has resumed the session.',
			};
		}
		return { state: 'pending', isCertain: true, evidence: liveness.evidence };
	}
	return { state: 'pending', isCertain: false, evidence: liveness.evidence };
}

/** What has become of a call that no transcript tells of: by what the host says of its last passage, else by its agent's hooks. */
function stateAlone({ liveness }: Conversation, { agent, hookCall, hostCalls, startedAt }: ToolCall): CallState {
	const ended = hostCalls.at(-1)?.ended;
	if (ended !== undefined) {
		if (ended.ending === 'completed') return { state: 'completed' };
		if (ended.ending !== 'outcome-unknown') return { state: 'failed' };
		const evidence =
			ended.reason ?? 'The server went away while the call ran: it may or may not have been carried out.';
		return { state: 'orphaned', cause: 'outcome-unknown', evidence };
	}
	const how = hookCall?.ended?.how;
	if (how === 'over') {
		const evidence = 'All calls of its message have ended, says a hook, and nothing tells how this one did.';
		return { state: 'orphaned', cause: 'unknown', evidence };
	}
	if (how !== undefined) return { state: how === 'completed' ? 'completed' : 'failed' };
	if (hostCalls.length === 0) {
		if (liveness.state === 'ended') return { state: 'orphaned', cause: 'killed', evidence: liveness.evidence };
		const stoppedAt = agent.report?.stopped?.at;
		if (stoppedAt !== undefined && startedAt !== undefined && startedAt < stoppedAt) {
			const evidence = 'Its agent has stopped since, says a hook, and nothing tells how the call ended.';
			return { state: 'orphaned', cause: 'unknown', evidence };
		}
		return { state: 'pending', isCertain: liveness.state === 'live', evidence: liveness.evidence };
	}
	const isOfAnEarlier = liveness.since !== undefined && startedAt !== undefined && startedAt < liveness.since;
	if (liveness.state === 'ended' || (liveness.state === 'live' && isOfAnEarlier)) {
		const evidence =
			'The host that passed it on has ended before an answer came: it may or may not have been carried out.';
		return { state: 'orphaned', cause: 'outcome-unknown', evidence };
	}
	return { state: 'pending', isCertain: liveness.state === 'live', evidence: liveness.evidence };
}

type Pending = Extract<CallState, { readonly state: 'pending' }>;

/** What host and hooks say of a call whose result is not there: they know of its end before the transcript does. */
function pendingEvidence(
	{ hostCalls, hookCall, holds, isSeenByHostAlone }: ToolCall,
	{ evidence, isCertain }: Pending,
): Omit<Pending, 'state'> {
	const passage = hostCalls.at(-1);
	const ends: string[] = [];
	if (passage?.ended !== undefined) ends.push('the host');
	if (hookCall?.ended !== undefined) ends.push("its agent's hook");
	if (ends.length > 0 && !isSeenByHostAlone) {
		const who = ends.join(' and ');
		const says = `${who.charAt(0).toUpperCase()}${who.slice(1)} ${ends.length === 1 ? 'says' : 'say'} that it has ended.`;
		return { isCertain: false, hasEnded: true, evidence: `${says} The transcript has no result of it yet.` };
	}
	const begun: string[] = [];
	const isAsked = hookCall?.asked !== undefined && passage === undefined;
	const held = holds.findLast(({ released }) => released === undefined);
	if (held !== undefined) begun.push(holdWords(held));
	else if (isAsked) begun.push('It waits for a person to allow it.');
	else if (passage !== undefined) {
		const { queued, attempts, server } = passage;
		begun.push(
			attempts > 0
				? `The host has handed it to ${server} and has no answer yet.`
				: queued.length > 0
					? `It waits in the host. ${queued.at(-1)}`
					: 'It has reached the host.',
		);
	} else if (hookCall !== undefined)
		begun.push("Its agent's hook says that it has begun, and nothing says that it has ended.");
	return {
		isCertain,
		evidence: [...begun, evidence].join(' '),
		...(isAsked ? { waitsForPersonSince: hookCall.asked?.at } : {}),
	};
}

/** A fork begins with a copy of its parent's history: the parent's own call that this one is a copy of. */
export function inheritedCall(conversation: Conversation, call: ToolCall): ToolCall | undefined {
	const { agent } = call;
	if (agent.relation !== 'fork' || agent.parentId === undefined || agent.parentId === null) return undefined;
	// Same as in `fold`: agents come from nowhere else. They form no ring, so that following parents ends.
	const parent = conversation.agents.get(agent.parentId) as AgentState | undefined;
	return parent?.callsById.get(call.id);
}

function orphanedBy(later: Message): CallState {
	switch (later.kind) {
		case 'interrupt':
			return { state: 'orphaned', cause: 'interrupted', evidence: 'The turn was interrupted.' };
		case 'prompt':
		case 'notification':
			// An interrupt writes a result; only a process that died leaves none.
			return {
				state: 'orphaned',
				cause: 'killed',
				evidence: 'A new turn began without a result: the process had ended and the session was resumed.',
			};
		default:
			return { state: 'orphaned', cause: 'unknown', evidence: 'The agent went on without a result.' };
	}
}

/** Whether something was sent to the provider that holds its own call and no answer to it. A paused turn is sent back as it is. */
function isMissedByProvider(call: ToolCall): boolean {
	if (!call.message.isActive || call.message.stopReason === 'pause_turn') return false;
	const later = laterTurn(call);
	return later !== undefined && later.kind !== 'response';
}

function isBehindCompaction(call: ToolCall): boolean {
	const use = call.place.source;
	return call.agent.compactions.some(
		(compaction) =>
			use.kind === 'transcript' &&
			compaction.place.source.kind === 'transcript' &&
			compaction.place.source.line > use.line,
	);
}

/**
 * Whether the result is part of the conversation as it stands. Results of parallel calls are siblings in the tree of lines and the
 * path passes through one of them only; the client collects the others around it.
 */
export function isActiveResult(call: ToolCall, result: Result): boolean {
	const { node } = result as ResultState;
	if (node === undefined) return result.message?.isActive ?? false;
	if (node.activeIndex !== -1) return true;
	return call.message.isActive && node.parent !== undefined && node.parent === (call as ToolCallState).node;
}

/**
 * What the provider has refused behind the message, first to last. `isNext`: it was the request that came next, for no response stands
 * between the two on the conversation as it stands.
 */
export function refusalsAfter(message: Message): readonly (Refusal & { readonly isNext: boolean })[] {
	// These objects come from nowhere else.
	const { agent, lastNode } = message as MessageState;
	if (lastNode === undefined) return [];
	return agent.refusals
		.filter((refusal) => (refusal.message.lastNode?.order ?? -1) > lastNode.order)
		.map((refusal) => ({ ...refusal, isNext: isNextAfter(refusal.message, message) }));
}

function isNextAfter(refused: MessageState, message: Message): boolean {
	if (!refused.isActive || !message.isActive) return false;
	let node = refused.lastNode?.parent;
	for (let steps = 0; node !== undefined && steps < mostSteps; steps++) {
		if (node.member === message) return true;
		if (node.member?.kind === 'response') return false;
		node = node.parent;
	}
	return false;
}

/** A client goes on after a refusal, or does not; nobody is refused a thousand lines long without an answer. */
const mostSteps = 1_000;

/** The turns on the active chain between a call and its result, oldest first: what makes the result come too late. */
export function turnsBetween(call: ToolCall, result: Result): readonly Message[] {
	const from = (call as ToolCallState).node;
	let node = (result as ResultState).node;
	const between: Message[] = [];
	if (from === undefined || node === undefined) return between;
	for (node = node.parent; node !== undefined && node !== from; node = node.parent) {
		// Beyond the call's own place the walk has missed it: the result hangs on another branch.
		if (node.order < from.order) return [];
		const message = node.member;
		if (
			message !== undefined &&
			message !== call.message &&
			(message.kind === 'response' || message.kind === 'prompt')
		) {
			between.push(message);
		}
	}
	return node === from ? between.reverse() : [];
}
