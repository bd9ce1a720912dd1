// Where the calls that the host knows are written: their lines in transcripts, and what people call their agents.

import { Range } from 'vscode';
import type { Disposable } from 'vscode';
import type { Conversation, ToolCall } from '../core/conversation/index.ts';
import { agentName, callsOf } from '../core/conversation/index.ts';
import type { CallStatus } from '../core/host/status.ts';
import { sessionIdOf } from '../core/transcripts/sessionFiles.ts';
import { filePlace } from './convert.ts';
import type { FilePlace } from './convert.ts';
import type { CallerStatus } from './hostWords.ts';
import type { SessionInView } from './sessionInView.ts';
import type { SessionEntry, SessionHold, Sessions } from './sessions.ts';
import { delay } from './throttle.ts';

/** A session of this size is read when somebody opens it, not for the names of its agents. */
const namedSessionBytes = 64 * 1024 * 1024;
/** So many sessions are followed for the names of their agents. */
const followedSessions = 16;
/** So many sessions are looked through for a call whose session nobody knows. */
const searchedSessions = 20;
/** An agent writes the line of a call about when it makes it. */
const patience = { rounds: 10, everyMs: 150 } as const;

export class RecordedCalls implements Disposable {
	private readonly sessions: Sessions;
	private readonly holds = new Map<string, SessionHold>();

	constructor(sessions: Sessions) {
		this.sessions = sessions;
	}

	/** What a person calls the agent, when its session is followed and has been read so far. */
	readonly nameOf = ({ agentId, sessionId }: CallerStatus): string | undefined => {
		if (agentId === null || sessionId === null) return undefined;
		for (const agent of this.holds.get(sessionId)?.session.conversation.agents.values() ?? []) {
			if (agent.id === agentId) return agentName(agent);
		}
		return undefined;
	};

	/** Follows the sessions of these calls, those that the list has, until they are followed no more. */
	follow(calls: readonly CallerStatus[]): void {
		const wanted = new Set(calls.flatMap(({ sessionId }) => (sessionId === null ? [] : [sessionId])));
		for (const [sessionId, hold] of this.holds) {
			if (wanted.has(sessionId)) continue;
			this.holds.delete(sessionId);
			hold.dispose();
		}
		const missing = [...wanted].filter((sessionId) => !this.holds.has(sessionId));
		if (missing.length === 0) return;
		const entries = new Map<string, SessionEntry>(
			this.sessions.list.map((entry) => [sessionIdOf(entry.files), entry]),
		);
		for (const sessionId of missing) {
			if (this.holds.size >= followedSessions) return;
			const entry = entries.get(sessionId);
			const hold =
				entry === undefined || entry.bytes > namedSessionBytes ? undefined : this.sessions.hold(entry.key);
			if (hold !== undefined) this.holds.set(sessionId, hold);
		}
	}

	/** The call as its session has it, when that is followed and has been read so far. */
	callOf(
		sessionId: string,
		id: string,
	): { readonly call: ToolCall; readonly conversation: Conversation } | undefined {
		const conversation = this.holds.get(sessionId)?.session.conversation;
		for (const agent of conversation?.agents.values() ?? []) {
			const call = callsOf(agent).find((candidate) => candidate.id === id);
			if (call !== undefined && conversation !== undefined) return { call, conversation };
		}
		return undefined;
	}

	/** `undefined`: it is written nowhere that is known. */
	async placeOf(call: Pick<CallStatus, 'path' | 'line' | 'toolUseId' | 'sessionId'>): Promise<FilePlace | undefined> {
		const { path, line, toolUseId, sessionId } = call;
		if (toolUseId !== null) {
			const place = await this.placeOfToolUse(toolUseId, sessionId);
			if (place !== undefined) return place;
		}
		// The host has seen the line, without its columns.
		return path === undefined || line === undefined
			? undefined
			: { path, range: new Range(line - 1, 0, line - 1, 0) };
	}

	dispose(): void {
		this.follow([]);
	}

	private async placeOfToolUse(toolUseId: string, sessionId: string | null): Promise<FilePlace | undefined> {
		await this.sessions.search();
		if (sessionId !== null && this.entryOf(sessionId) === undefined) await this.sessions.searchAgain();
		const entries = sessionId === null ? this.sessions.list.slice(0, searchedSessions) : [this.entryOf(sessionId)];
		for (const entry of entries) {
			const hold = entry && this.sessions.hold(entry.key);
			if (hold === undefined) continue;
			try {
				await hold.session.whenRead;
				const call = await toolCallOf(hold.session, toolUseId, sessionId === null ? 1 : patience.rounds);
				const place = call && filePlace(call.place);
				if (place !== undefined) return place;
			} finally {
				hold.dispose();
			}
		}
		return undefined;
	}

	private entryOf(sessionId: string): SessionEntry | undefined {
		return this.sessions.list.find(({ files }) => sessionIdOf(files) === sessionId);
	}
}

async function toolCallOf(session: SessionInView, toolUseId: string, rounds: number): Promise<ToolCall | undefined> {
	for (let round = 0; round < rounds; round++) {
		if (round > 0) await delay(patience.everyMs);
		await session.update();
		for (const agent of session.conversation.agents.values()) {
			const call = agent.toolCalls.find(({ id }) => id === toolUseId);
			if (call !== undefined) return call;
		}
	}
	return undefined;
}
