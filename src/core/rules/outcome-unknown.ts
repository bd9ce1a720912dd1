import { agentName } from '../conversation/index.ts';
import type { Conversation, HostCall, Place, ToolCall } from '../conversation/index.ts';
import { failureInWords, failureOfPassage } from './callFailure.ts';
import { repeatabilityOf } from './repeatable.ts';
import { defineRule } from './rule.ts';
import type { RuleContext } from './rule.ts';

export default defineRule({
	id: 'outcome-unknown',
	meta: {
		description: 'Of every call that changes something it is known whether it was carried out.',
		family: 'concurrency',
		severity: 'warning',
		messages: {
			unknown:
				"Whether {{agent}}'s call to {{tool}} on {{server}} was carried out nobody knows: {{why}}. {{repeatable}}",
			ending: 'The host lost the call here: {{reason}}',
			answer: 'This is all that the agent was told.',
		},
	},
	create(context) {
		return {
			serverCall(call) {
				if (call.hostCalls.length > 0) return;
				const why = writtenFailure(call);
				if (why === undefined || call.result === undefined) return;
				report(context, call, why, { at: call.result.place, messageId: 'answer' });
			},
			conversation(conversation) {
				for (const passage of conversation.troubledCalls) look(context, conversation, passage);
				for (const passage of conversation.runningCalls) look(context, conversation, passage);
			},
		};
	},
});

/** What a client has written of a call whose answer it never got. */
function writtenFailure({ result }: ToolCall): string | undefined {
	if (result === undefined) return undefined;
	// A resume writes this for a call that was out when the process was killed.
	if (result.denial === 'interrupted') return 'the process of its agent ended while it ran';
	if (!result.isError || result.errorText === undefined) return undefined;
	switch (failureInWords(result.errorText)) {
		case 'timed-out':
			return 'the agent stopped waiting for it';
		case 'connection-lost':
			return 'the connection closed while it ran';
		case 'unknown':
			return 'its answer went nowhere';
		case 'cancelled':
		case 'not-run':
		case undefined:
			return undefined;
	}
}

function look(context: RuleContext, conversation: Conversation, passage: HostCall): void {
	const { call, ended } = passage;
	// A later passage, or the agent itself, may have got the answer.
	if (call === undefined || call.hostCalls.at(-1) !== passage) return;
	if (!call.isSeenByHostAlone && call.result !== undefined && !call.result.isError) return;
	const why = recordedFailure(conversation, passage);
	if (why === undefined) return;
	const related =
		ended === undefined
			? undefined
			: { at: ended.place, messageId: 'ending', data: { reason: ended.reason ?? 'it does not say why.' } };
	report(context, call, why, related);
}

function recordedFailure({ liveness }: Conversation, passage: HostCall): string | undefined {
	if (passage.ended === undefined) {
		const { startedAt } = passage;
		const { state, since } = liveness;
		const isOver =
			state === 'ended' ||
			(state === 'live' && since !== undefined && startedAt !== undefined && startedAt < since);
		// Where there is a transcript, it says what its agent was told.
		return isOver && passage.call?.isSeenByHostAlone === true
			? 'the host that passed it on ended before an answer came'
			: undefined;
	}
	switch (failureOfPassage(passage)) {
		case 'timed-out':
			return 'it passed its limit, and nobody waited any longer';
		case 'unknown':
		case 'connection-lost':
			return 'the connection to its server was gone while it ran';
		// Whoever cancels a call does not want its answer.
		case 'cancelled':
		case 'not-run':
		case undefined:
			return undefined;
	}
}

function report(
	context: RuleContext,
	call: ToolCall,
	why: string,
	related:
		| { readonly at: Place; readonly messageId: string; readonly data?: { readonly reason: string } }
		| undefined,
): void {
	const { kind, evidence } = repeatabilityOf(context.conversation, call);
	const server = call.server ?? call.hostCalls[0]?.server ?? '';
	if (kind === 'harmless') return;
	if (kind === 'unknown') {
		context.inconclusive(
			call.place,
			`Whether ${agentName(call.agent)}'s call to ${call.name} on ${server} was carried out nobody knows: ${why}. ${evidence}`,
		);
		return;
	}
	context.report({
		at: call.place,
		messageId: 'unknown',
		data: { agent: agentName(call.agent), tool: call.name, server, why, repeatable: evidence },
		toolCall: call,
		related: related === undefined ? undefined : [related],
	});
}
