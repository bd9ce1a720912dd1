import { agentName, callsOf } from '../conversation/index.ts';
import type { Conversation, HostCall, Place, ToolCall } from '../conversation/index.ts';
import { failureOf, failureOfPassage, mayHaveRun } from './callFailure.ts';
import { repeatabilityOf } from './repeatable.ts';
import { defineRule } from './rule.ts';
import type { Report, RuleContext } from './rule.ts';

export default defineRule({
	id: 'duplicate-execution',
	meta: {
		description: 'A call that does something new each time is carried out once.',
		family: 'concurrency',
		severity: 'error',
		messages: {
			repeated:
				'{{agent}} called {{tool}} on {{server}} again with the same arguments, though nobody knows whether the first call was carried out: what it does may have been done twice. {{evidence}}',
			twice: "{{agent}}'s call to {{tool}} on {{server}} reached its server {{times}} times: what it does was done more than once. {{evidence}}",
			resent: "{{agent}}'s call to {{tool}} on {{server}} was sent again after the connection had gone in the middle of it: what it does may have been done twice. {{evidence}}",
			first: 'The first call, of which nobody knows whether it was carried out.',
			delivery: 'It went to its server here.',
		},
	},
	create(context) {
		/** Calls that ended without an answer, and may have been carried out. */
		const unanswered = new Set<ToolCall>();
		return {
			serverCall(call) {
				if (mayHaveBeenRun(call)) unanswered.add(call);
				else if (unanswered.size > 0) unanswered.delete(call);
			},
			conversation(conversation) {
				for (const call of unanswered) lookForRepetition(context, call);
				const seen = new Set<ToolCall>();
				for (const { call } of conversation.troubledCalls) {
					if (call === undefined || seen.has(call)) continue;
					seen.add(call);
					lookAtPassages(context, conversation, call);
					if (call.isSeenByHostAlone && mayHaveBeenRun(call)) lookForRepetition(context, call);
				}
			},
		};
	},
});

function mayHaveBeenRun(call: ToolCall): boolean {
	const failure = failureOf(call);
	// Who cancels a call and then makes it again means it.
	return mayHaveRun(failure) && failure !== 'cancelled';
}

/** The same tool with the same arguments, called again by the same agent that has not looked what became of the first call. */
function lookForRepetition(context: RuleContext, first: ToolCall): void {
	const endedAt = first.result?.at ?? first.hostCalls.at(-1)?.ended?.at;
	const given = argumentsOf(first);
	if (endedAt === undefined || given === undefined) return;
	const calls = callsOf(first.agent);
	const from = calls.lastIndexOf(first);
	for (const call of calls.slice(from + 1, from + 1 + mostLookedAt)) {
		if (serverOfCall(call) !== serverOfCall(first) || (call.startedAt ?? 0) < endedAt) continue;
		if ((call.startedAt ?? endedAt) > endedAt + mostRetryMs) return;
		const { kind, evidence } = repeatabilityOf(context.conversation, call);
		if (call.name !== first.name || argumentsOf(call) !== given) {
			// It has looked: what it does now it does knowingly.
			if (kind === 'harmless' && isAnswered(call)) return;
			continue;
		}
		// The server has refused it, or it has not come to an end.
		if (!isAnswered(call) && !mayHaveBeenRun(call)) return;
		tell(context, call, kind, evidence, {
			at: call.place,
			messageId: 'repeated',
			data: {},
			related: [{ at: first.place, messageId: 'first' }],
		});
		return;
	}
}

/** A retry follows soon; later the same call is rather a new intention. */
const mostRetryMs = 10 * 60_000;
const mostLookedAt = 200;

function isAnswered({ result }: ToolCall): boolean {
	return result !== undefined && !result.isError && result.denial === undefined;
}

function serverOfCall({ server, hostCalls }: ToolCall): string | undefined {
	return server ?? hostCalls[0]?.server;
}

/** A key that says by itself which calls are one: the server can tell. */
const idempotencyKey = /(?:^|\.)(?:idempotency|dedup\w*|client_?token|request_?id|nonce|transaction_?id)/i;

/** The same text for the same arguments; `undefined` where they are not known as a whole, or say themselves that they are a repetition. */
function argumentsOf({ given, arguments: body }: ToolCall): string | undefined {
	if (given === undefined || given.isPartial || given.values.some(({ path }) => idempotencyKey.test(path)))
		return undefined;
	const values = given.values.map(({ path, value }) => `${path}=${value}`).sort();
	// Long values are cut off; then at least the lengths have to agree.
	return `${body.length} ${values.join('\n')}`;
}

/** What hosts have seen of one call: that its server got it more than once. */
function lookAtPassages(context: RuleContext, conversation: Conversation, call: ToolCall): void {
	const { kind, evidence } = repeatabilityOf(conversation, call);
	const twice = call.hostCalls.find(({ faults }) => faults.some((fault) => fault.kind === 'twice'));
	const carriedOut = call.hostCalls.filter(wasCarriedOut);
	if (twice !== undefined || carriedOut.length > 1) {
		const deliveries: Place[] =
			twice === undefined
				? carriedOut.flatMap(({ sends }) => sends.slice(0, 1).map(({ place }) => place))
				: twice.faults.filter((fault) => fault.kind === 'twice').map(({ place }) => place);
		tell(context, call, twice !== undefined && kind === 'unknown' ? 'harmful' : kind, evidence, {
			at: call.place,
			messageId: 'twice',
			data: { times: twice === undefined ? carriedOut.length : 2 },
			related: deliveries.map((place) => ({ at: place, messageId: 'delivery' })),
		});
		return;
	}
	const resent = call.hostCalls.find((passage) => wasLostBetween(conversation, passage));
	if (resent === undefined) return;
	tell(context, call, kind, evidence, {
		at: call.place,
		messageId: 'resent',
		data: {},
		related: resent.sends.map(({ place }) => ({ at: place, messageId: 'delivery' })),
	});
}

/** Its server has had it, and was not kept from carrying it out by anything that is known. */
function wasCarriedOut(passage: HostCall): boolean {
	if (passage.attempts === 0) return false;
	if (passage.ended === undefined) return true;
	return passage.ended.ending === 'completed' || mayHaveRun(failureOfPassage(passage));
}

/** Between two attempts its connection went by itself: what was sent again without that was certainly not carried out. */
function wasLostBetween({ serverChanges }: Conversation, { sends }: HostCall): boolean {
	return sends.some((again, index) => {
		const before = sends[index - 1];
		if (before?.at === undefined || again.at === undefined) return false;
		const [from, to] = [before.at, again.at];
		return serverChanges.some(
			({ change, upstreamId, at }) =>
				upstreamId === before.upstreamId &&
				at !== undefined &&
				at >= from &&
				at <= to &&
				((change.type === 'upstream-state' && (change.exitCode !== undefined || change.signal !== undefined)) ||
					(change.type === 'reconnect' && (change.cause === 'exited' || change.cause === 'timed-out'))),
		);
	});
}

function tell(
	context: RuleContext,
	call: ToolCall,
	kind: 'harmless' | 'harmful' | 'unknown',
	evidence: string,
	report: Report,
): void {
	if (kind === 'harmless') return;
	const server = serverOfCall(call) ?? '';
	if (kind === 'unknown') {
		const what = `${agentName(call.agent)}'s call to ${call.name} on ${server} may have been carried out twice.`;
		context.inconclusive(call.place, `${what} ${evidence}`);
		return;
	}
	context.report({
		...report,
		data: { ...report.data, agent: agentName(call.agent), tool: call.name, server, evidence },
		toolCall: call,
	});
}
