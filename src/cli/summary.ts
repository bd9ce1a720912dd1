import { callsOf } from '../core/conversation/index.ts';
import type { Conversation } from '../core/conversation/index.ts';
import { pathsOf } from '../core/transcripts/sessionFiles.ts';
import type { SessionFiles } from '../core/transcripts/sessionFiles.ts';
import { countsOf } from './callCounts.ts';

/** A session in one row. Scripts read it as JSON: fields may be added, none changes or goes. */
export interface SessionSummary {
	readonly id: string;
	readonly format: string;
	readonly path: string;
	readonly project: string | null;
	readonly title: string | null;
	readonly startedAt: string | null;
	readonly lastEventAt: string | null;
	readonly live: boolean;
	readonly state: 'live' | 'ended' | 'unknown';
	readonly agents: number;
	readonly toolCalls: number;
	/** Unanswered for ever. */
	readonly orphaned: number;
	/** Of those: nobody misses the answer. */
	readonly abandoned: number;
}

export function summaryOf(session: SessionFiles, conversation: Conversation): SessionSummary {
	const calls = [...conversation.agents.values()].flatMap((agent) => callsOf(agent));
	const { orphaned, abandoned } = countsOf(conversation, calls);
	return {
		id: session.nativeId,
		format: session.format,
		path: pathsOf(session)[0] ?? '',
		project: conversation.cwd ?? null,
		title: conversation.title ?? null,
		startedAt: isoTime(conversation.startedAt),
		lastEventAt: isoTime(conversation.lastEventAt),
		live: conversation.liveness.state === 'live',
		state: conversation.liveness.state,
		agents: conversation.agents.size,
		toolCalls: calls.length,
		orphaned,
		abandoned,
	};
}

/** A time that a transcript gives may be any number. */
export function isoTime(at: number | undefined): string | null {
	return at === undefined || Math.abs(at) > 8.64e15 || Number.isNaN(at) ? null : new Date(at).toISOString();
}
