// How rows, lenses and tooltips say things. Labels are short; what a screen reader says is a sentence.

import { counted, singleLine, truncated } from '../core/base/text.ts';
import { callState, serverOf } from '../core/conversation/index.ts';
import type { Agent, CallState, Conversation, OrphanCause, ToolCall } from '../core/conversation/index.ts';
import { folderOf } from './paths.ts';
import type { SessionEntry } from './sessions.ts';
import type { AgentState, AgentSummary } from './summary.ts';

/** "312 ms", "41 s", "2m 14s", "1h 3m". */
export function duration(milliseconds: number): string {
	const { hours, minutes, seconds } = parts(milliseconds);
	if (milliseconds < 1000) return `${Math.max(0, Math.round(milliseconds))} ms`;
	if (hours > 0) return `${hours}h ${minutes}m`;
	if (minutes > 0) return `${minutes}m ${seconds}s`;
	return `${seconds} s`;
}

/** "41 seconds", "2 minutes 14 seconds". */
export function spokenDuration(milliseconds: number): string {
	const { hours, minutes, seconds } = parts(milliseconds);
	if (milliseconds < 1000) return counted(Math.max(0, Math.round(milliseconds)), 'millisecond');
	if (hours > 0) return `${counted(hours, 'hour')} ${counted(minutes, 'minute')}`;
	if (minutes > 0) return `${counted(minutes, 'minute')} ${counted(seconds, 'second')}`;
	return counted(seconds, 'second');
}

function parts(milliseconds: number): { readonly hours: number; readonly minutes: number; readonly seconds: number } {
	const seconds = Math.floor(milliseconds / 1000);
	return { hours: Math.floor(seconds / 3600), minutes: Math.floor(seconds / 60) % 60, seconds: seconds % 60 };
}

/** "just now", "5 min ago", "1 h ago", "3 days ago". */
export function ago(at: number, now: number): string {
	const minutes = Math.floor((now - at) / 60_000);
	if (minutes < 1) return 'just now';
	if (minutes < 60) return `${minutes} min ago`;
	if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ago`;
	return `${Math.floor(minutes / (24 * 60))} days ago`;
}

/** "14:02:11" */
export function timeOfDay(at: number): string {
	return new Date(at).toLocaleTimeString('en-GB');
}

export function bytes(count: number): string {
	if (count < 1000) return `${count} B`;
	if (count < 1_000_000) return `${Math.round(count / 1000)} KB`;
	return `${Math.round(count / 1_000_000)} MB`;
}

/** `mcp server/tool`, or the tool alone. */
export function toolLabel(call: ToolCall): string {
	const server = serverOf(call);
	return server === undefined ? call.name : `${server}/${call.name}`;
}

export function shortened(text: string, limit: number): string {
	return truncated(singleLine(text), limit);
}

export const formatNames: Readonly<Record<string, string>> = {
	'claude-code': 'Claude Code',
	codex: 'Codex',
	host: 'MCP host',
};

/** How long a call has taken, or takes. */
export function callDuration(call: ToolCall, state: CallState, now: number): number | undefined {
	const { result, startedAt, hostCalls } = call;
	if (result?.durationMs !== undefined) return result.durationMs;
	const [passage, ...more] = hostCalls;
	if (passage?.ended !== undefined && more.length === 0) return passage.ended.durationMs;
	if (startedAt === undefined) return undefined;
	if (result?.at !== undefined) return Math.max(0, result.at - startedAt);
	return state.state === 'pending' && state.isCertain ? Math.max(0, now - startedAt) : undefined;
}

export const orphanWords: Readonly<Record<OrphanCause, string>> = {
	killed: 'killed in mid-call',
	'lost-to-compaction': 'its result was lost to compaction',
	interrupted: 'interrupted',
	'head-cut': 'its beginning was cut off',
	'outcome-unknown': 'the server went away while it ran',
	unknown: 'the agent went on without a result',
};

/** "in flight 41 s", "orphaned: killed in mid-call", "312 ms". */
export function callWords(conversation: Conversation, call: ToolCall, now: number): string {
	const state = callState(conversation, call);
	const took = callDuration(call, state, now);
	const time = took === undefined ? '' : duration(took);
	switch (state.state) {
		case 'completed':
			return call.isDetached ? 'started in the background' : time;
		case 'failed':
			return time === '' ? 'failed' : `failed · ${time}`;
		case 'pending':
			return state.isCertain ? `in flight ${time}`.trimEnd() : 'no result yet';
		case 'orphaned':
			return `orphaned: ${orphanWords[state.cause]}`;
		case 'abandoned':
			return 'abandoned';
	}
}

/** The same for a screen reader, as the end of a sentence about the call. */
export function spokenCall(conversation: Conversation, call: ToolCall, now: number): string {
	const state = callState(conversation, call);
	const took = callDuration(call, state, now);
	const time = took === undefined ? '' : spokenDuration(took);
	switch (state.state) {
		case 'completed':
			return call.isDetached
				? 'was started in the background'
				: time === ''
					? 'has its result'
					: `has its result, after ${time}`;
		case 'failed':
			return time === '' ? 'failed' : `failed after ${time}`;
		case 'pending':
			return state.isCertain
				? `is in flight${time === '' ? '' : ` for ${time}`}`
				: 'has no result yet, and nothing tells whether it still runs';
		case 'orphaned':
			return `has no result: ${orphanWords[state.cause]}`;
		case 'abandoned':
			return 'has no result, and nobody waits for one';
	}
}

const stateWords: Readonly<Record<AgentState, string>> = {
	running: 'running',
	waiting: 'waiting',
	done: 'done',
	failed: 'failed',
	killed: 'killed',
	unknown: 'no sign of its end',
};

/** "analytics_query 41 s · general-purpose", "killed · 1 orphaned · general-purpose". */
export function agentWords(summary: AgentSummary, now: number): string {
	const { agent, state, pending } = summary;
	const words: string[] = [];
	const own = ownPending(summary);
	if (state === 'running' && own !== undefined) {
		words.push(
			`${shortened(own.name, 40)}${own.startedAt === undefined ? '' : ` ${duration(now - own.startedAt)}`}`,
		);
		if (pending.length > 1) words.push(`${pending.length} in flight`);
	} else if (state === 'waiting' && pending.length > 0) {
		const [asked] = summary.asking;
		if (asked !== undefined) words.push(`${shortened(asked.name, 40)} waits for permission`);
		if (pending.length > summary.asking.length)
			words.push(`waiting for ${counted(pending.length - summary.asking.length, 'agent')}`);
	} else if (!isPlainMain(summary)) words.push(stateWords[state]);
	if (agent.report?.compactingSince !== undefined && state !== 'done') words.push('compacting');
	if (summary.orphaned > 0) words.push(`${summary.orphaned} orphaned`);
	else if (pending.length > 0 && state === 'unknown') words.push(`${pending.length} without a result`);
	if (summary.failed > 0) words.push(`${summary.failed} failed`);
	if (pending.length === 0 && summary.orphaned === 0) words.push(counted(summary.calls, 'call'));
	// In a narrow sidebar the end is cut off, so what changes comes first.
	if (agent.type !== undefined && agent.type !== summary.name) words.push(shortened(agent.type, 40));
	return words.join(' · ');
}

/** As a sentence: "Agent explore-api, general-purpose, is running: analytics_query is in flight for 41 seconds. 4 calls." */
export function spokenAgent(conversation: Conversation, summary: AgentSummary, now: number): string {
	const { agent, state } = summary;
	const own = ownPending(summary);
	const type = agent.type === undefined ? '' : `, ${agent.type},`;
	const work = own === undefined ? '' : `: ${own.name} ${spokenCall(conversation, own, now)}`;
	const counts = [
		counted(summary.calls, 'call'),
		...(summary.orphaned > 0 ? [`${summary.orphaned} orphaned`] : []),
		...(summary.failed > 0 ? [`${summary.failed} failed`] : []),
	];
	const findings = summary.findings > 0 ? ` ${counted(summary.findings, 'problem')}.` : '';
	return `Agent ${summary.name}${type} ${spokenStates[state]}${work}. ${counts.join(', ')}.${findings}`;
}

const spokenStates: Readonly<Record<AgentState, string>> = {
	running: 'is running',
	waiting: 'is waiting',
	done: 'is done',
	failed: 'has failed',
	killed: 'was killed',
	unknown: 'shows no sign of its end',
};

/** The call that has been out longest. */
function ownPending({ pending }: AgentSummary): ToolCall | undefined {
	return pending[0];
}

/** The main agent's end is its session's, which the row above tells. */
function isPlainMain({ agent, state }: { readonly agent: Agent; readonly state: AgentState }): boolean {
	return agent.parentId === null && (state === 'done' || state === 'unknown' || state === 'waiting');
}

export function titleOf(entry: SessionEntry | undefined): string {
	if (entry === undefined) return 'A session that is gone';
	const title = entry.details?.title;
	return title === undefined || title.trim() === '' ? entry.files.nativeId : shortened(title, 80);
}

/** The folder in which the agent worked, as far as it is known. */
export function projectOf(entry: SessionEntry): string {
	return (
		entry.details?.cwd ?? (entry.files.format === 'claude-code' ? folderOf(entry.key).replace(/^.*[/\\]/, '') : '')
	);
}
