// What a host has seen, in the words of rows: lower case, without a full stop.

import type { CallEnding } from '../events/sessionEvent.ts';
import { singleLine, truncated } from '../base/text.ts';
import { holdOutcome } from './holds.ts';
import type { CallState, HostCall, ServerChange, ToolCall } from './model.ts';

const endingWords: Readonly<Record<CallEnding, string>> = {
	completed: 'completed',
	failed: 'failed',
	cancelled: 'cancelled',
	'timed-out': 'timed out',
	refused: 'refused by the host',
	'outcome-unknown': 'outcome unknown',
};

/** What the host says of a call that its state does not say already, conflicts with the transcript among it. */
export function hostCallWords(call: ToolCall, { state }: CallState): readonly string[] {
	const { hostCalls } = call;
	const words: string[] = [];
	if (hostCalls.length > 1) words.push(`passed the host ${hostCalls.length} times`);
	for (const passage of hostCalls) words.push(...passageWords(passage, state));
	const last = hostCalls.at(-1);
	if (last?.agentId !== undefined && last.agentId !== call.agent.id) {
		words.push(`made by ${last.agentId}, says the host`);
	}
	words.push(...hookWords(call, state));
	for (const hold of call.holds) {
		const outcome = holdOutcome(hold);
		// One that its host did not live to let go is no longer held.
		if (outcome !== undefined && (hold.released !== undefined || state === 'pending')) words.push(outcome);
	}
	return words;
}

/** What hooks say of a call that neither its state nor the host says already. */
function hookWords({ agent, hookCall, hostCalls }: ToolCall, state: CallState['state']): readonly string[] {
	if (hookCall === undefined) return [];
	const words: string[] = [];
	const { ended, agentId } = hookCall;
	const isAsked = hookCall.asked !== undefined && ended === undefined && hostCalls.length === 0;
	if (state === 'pending' && isAsked) words.push('waits for permission');
	if (ended?.how === 'denied') words.push('denied');
	else if (ended?.how === 'interrupted' && state !== 'orphaned') words.push('interrupted');
	else if (
		ended !== undefined &&
		ended.how !== 'over' &&
		ended.how !== state &&
		hostCalls.at(-1)?.ended === undefined
	)
		words.push(`${ended.how}, says a hook`);
	if (agentId !== undefined && agentId !== agent.id) words.push(`made by ${agentId}, says a hook`);
	return words;
}

function passageWords(
	{ ended, attempts, queued, faults, scopeDecisions }: HostCall,
	state: CallState['state'],
): readonly string[] {
	const words: string[] = [];
	for (const { kind } of faults) words.push(`a fault on purpose: ${kind}`);
	if (queued.length > 0) words.push('queued');
	if (scopeDecisions.some(({ outcome }) => outcome === 'filled')) words.push('scope put in by the host');
	if (attempts > 1) words.push(`sent ${attempts} times`);
	if (ended !== undefined && ended.ending !== state) {
		// An answer that reached the host and not the transcript is what somebody looks for.
		words.push(state === 'failed' ? endingWords[ended.ending] : `${endingWords[ended.ending]}, says the host`);
	}
	return words;
}

/** As in "analytics: reconnected after 312 ms, 3 calls waited (its process ended)". */
export function serverChangeWords({ server, change }: ServerChange): string {
	const reason = change.reason === undefined ? '' : ` (${truncated(singleLine(change.reason), 160)})`;
	if (change.type === 'reconnect') {
		const waited = change.callersWaiting === 0 ? '' : `, ${change.callersWaiting} waiting`;
		const how = change.isSuccessful ? 'reconnected' : 'could not be reconnected';
		return `${server}: ${how} after ${Math.round(change.durationMs)} ms${waited}${reason}`;
	}
	const exit =
		change.signal !== undefined
			? `, ${change.signal}`
			: change.exitCode !== undefined
				? `, exit code ${change.exitCode}`
				: '';
	return `${server}: ${change.state}${exit}${reason}`;
}
