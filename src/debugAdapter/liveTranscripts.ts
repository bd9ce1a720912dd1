// Transcripts of sessions that are being debugged: who their agents are, and where their calls are written.

import type { AgentId, SessionId, ToolUseId } from '../core/base/ids.ts';
import type { Agent, Conversation, ToolCall } from '../core/conversation/index.ts';
import type { FollowedSession } from '../core/core.ts';
import { joinPath } from '../core/transcripts/files.ts';
import { agentHomes } from '../core/transcripts/homes.ts';
import type { SessionFiles } from '../core/transcripts/sessionFiles.ts';
import type { LiveAccess } from './hostLink.ts';

/** `2026/11/21` below `sessions`: one that began yesterday may still run. */
const newestDays = 3;

export class LiveTranscripts {
	private readonly access: Pick<LiveAccess, 'core' | 'platform' | 'homeFolder' | 'environment'>;
	private readonly sessions = new Map<SessionId, Promise<FollowedSession | undefined>>();

	/** @param access Its environment is the agent's, where that is known: it says where transcripts lie. */
	constructor(access: Pick<LiveAccess, 'core' | 'platform' | 'homeFolder' | 'environment'>) {
		this.access = access;
	}

	/** The session as its transcript has it now; `undefined`: none was found (yet). */
	async read(sessionId: SessionId): Promise<Conversation | undefined> {
		let opening = this.sessions.get(sessionId);
		if (opening === undefined) {
			opening = this.open(sessionId);
			this.sessions.set(sessionId, opening);
		}
		const session = await opening;
		if (session === undefined) {
			// It is looked for again: an agent writes its first line when it has something to say.
			if (this.sessions.get(sessionId) === opening) this.sessions.delete(sessionId);
			return undefined;
		}
		const files = await this.find(session.sessionFiles.mainPath ?? '');
		if (files !== undefined) session.setFiles(files);
		await session.update({ paths: undefined, isProbing: false });
		return session.conversation;
	}

	private async open(sessionId: SessionId): Promise<FollowedSession | undefined> {
		const path = await this.mainPathOf(sessionId);
		const files = path === undefined ? undefined : await this.find(path);
		if (files === undefined) return undefined;
		return this.access.core.followSession(files, { assume: 'live', rules: {}, withPreviews: true });
	}

	private async find(path: string): Promise<SessionFiles | undefined> {
		const { sessions } = await this.access.core.findSessions(path);
		return sessions[0];
	}

	/** Agents name the files of their sessions by the sessions' ids, so that no file need be opened to find one. */
	private async mainPathOf(id: SessionId): Promise<string | undefined> {
		const { platform, homeFolder, environment } = this.access;
		const { files } = platform;
		const at = id.indexOf(':');
		const [format, nativeId] = [id.slice(0, at), id.slice(at + 1)];
		for (const home of agentHomes(files, homeFolder, environment)) {
			if (home.format !== format) continue;
			if (format === 'claude-code') {
				for (const { name, isDirectory } of await this.list(home.path)) {
					if (!isDirectory) continue;
					const path = joinPath(files, home.path, name, `${nativeId}.jsonl`);
					if ((await files.stat(path)) !== undefined) return path;
				}
			} else {
				for (const day of await this.newestFolders(home.path, 3)) {
					// A thread that was reverted goes on in a rollout of a later name: `…-<thread>_<rollout>.jsonl`.
					const found = (await this.list(day))
						.map(({ name }) => name)
						.filter((name) => name.endsWith(`-${nativeId}.jsonl`) || name.includes(`-${nativeId}_`))
						.sort()
						.at(-1);
					if (found !== undefined) return joinPath(files, day, found);
				}
			}
		}
		return undefined;
	}

	private async newestFolders(path: string, depth: number): Promise<readonly string[]> {
		if (depth === 0) return [path];
		const { files } = this.access.platform;
		const names = (await this.list(path))
			.filter(({ name, isDirectory }) => isDirectory && /^\d{2,4}$/.test(name))
			.map(({ name }) => name)
			.sort()
			.toReversed();
		const found: string[] = [];
		for (const name of names) {
			if (found.length >= newestDays) break;
			found.push(...(await this.newestFolders(joinPath(files, path, name), depth - 1)));
		}
		return found.slice(0, newestDays);
	}

	private async list(path: string): Promise<readonly { readonly name: string; readonly isDirectory: boolean }[]> {
		const { files } = this.access.platform;
		return (await files.stat(path)) === undefined ? [] : files.list(path);
	}
}

export function agentIn(conversation: Conversation | undefined, id: AgentId | null): Agent | undefined {
	return id === null ? undefined : conversation?.agents.get(id);
}

export function callIn(conversation: Conversation | undefined, id: ToolUseId | null): ToolCall | undefined {
	if (conversation === undefined || id === null) return undefined;
	for (const agent of conversation.agents.values()) {
		const call = agent.toolCalls.find((candidate) => candidate.id === id);
		if (call !== undefined) return call;
	}
	return undefined;
}
