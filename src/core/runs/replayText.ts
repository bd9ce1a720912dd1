import { durationText } from '../base/duration.ts';
import { counted, singleLine, truncated } from '../base/text.ts';
import type { OrderedCall } from './callOrder.ts';
import { differenceText } from './comparisonText.ts';
import type { RecordedCall } from './recordedCalls.ts';
import type { ReplayedCall } from './replayCalls.ts';

/** Whether a replay shows that something is not as it was. */
export function isDifferent({ verdict: { kind } }: ReplayedCall): boolean {
	return kind === 'differs' || kind === 'failed' || kind === 'recovered';
}

/** One line for a call; a second one where there is more to say. */
export function replayedLines({ call, verdict, durationMs }: ReplayedCall): readonly string[] {
	const times = `${timeText(call.durationMs)} → ${timeText(durationMs)}`;
	const head = (words: string) => `${callText(call)}  ${words}  ${times}`;
	switch (verdict.kind) {
		case 'equal':
			return [`  ${head('equal')}`];
		case 'differs':
			return [`~ ${head('differs')}`, `      ${differenceText(verdict.difference)}`];
		case 'failed':
			return [`! ${head('fails now')}`, `      ${shortened(verdict.message)}`];
		case 'recovered':
			return [`~ ${head('failed then, and is answered now')}`, `      ${differenceText(verdict.difference)}`];
		case 'unrecorded':
			return [`? ${head('made')}`, `      ${verdict.reason}`];
		case 'skipped':
			return [`- ${callText(call)}  not made`, `      ${verdict.reason}`];
	}
}

/** A tool that its server does not offer, and the calls to it that did not come to what they had come to. */
export interface MissingTool {
	readonly server: string;
	readonly tool: string;
	readonly calls: number;
}

/**
 * What the session has called and the servers do not have. A call that was refused in the same words when it was recorded is no news.
 * @param isOffered By the recorded names.
 */
export function missingTools(
	replayed: readonly ReplayedCall[],
	isOffered: (server: string, tool: string) => boolean,
): readonly MissingTool[] {
	const missing = new Map<string, MissingTool>();
	for (const { call, verdict } of replayed) {
		const { server, tool } = call;
		if (verdict.kind === 'equal' || isOffered(server, tool)) continue;
		const key = JSON.stringify([server, tool]);
		missing.set(key, { server, tool, calls: (missing.get(key)?.calls ?? 0) + 1 });
	}
	return [...missing.values()];
}

/** One sentence for one tool. */
export function missingToolText({ server, tool, calls }: MissingTool): string {
	return `Server ${server} has no tool "${tool}": ${counted(calls, 'call')} of the session ${calls === 1 ? 'is' : 'are'} to it.`;
}

/** What came of all of them. */
export function replaySummary(replayed: readonly ReplayedCall[], missing: readonly MissingTool[]): string {
	const count = (kind: ReplayedCall['verdict']['kind']) =>
		replayed.filter(({ verdict }) => verdict.kind === kind).length;
	const parts = [
		[count('equal'), 'equal'],
		[count('differs'), 'different'],
		[count('failed'), 'failed'],
		[count('recovered'), 'recovered'],
		[count('unrecorded'), 'without a recorded result'],
		[count('skipped'), 'not made'],
	] as const;
	const gone = missing.length === 0 ? '' : ` ${counted(missing.length, 'tool')} missing.`;
	const told = parts.filter(([number]) => number > 0).map(([number, words]) => `${number} ${words}`);
	return `${counted(replayed.length, 'call')}: ${told.join(', ')}.${gone}`;
}

/** What would be done. */
export function plannedLines(calls: readonly OrderedCall[]): readonly string[] {
	return calls.map(({ call, afterMs, after, beside }) => {
		const waits = after.length === 0 ? '' : `, after ${numbers(after)}`;
		const overlaps = beside.length === 0 ? '' : `, beside ${numbers(beside)}`;
		return `${callText(call)}  at ${durationText(afterMs)}${waits}${overlaps}`;
	});
}

function numbers(indexes: readonly number[]): string {
	return indexes.map((index) => `#${index + 1}`).join(', ');
}

function callText({ index, agentName, server, tool }: RecordedCall): string {
	return `#${index + 1} ${agentName}: ${server}/${tool}`;
}

function timeText(milliseconds: number | undefined): string {
	return milliseconds === undefined ? '–' : durationText(milliseconds);
}

function shortened(text: string): string {
	return truncated(singleLine(text), 200);
}
