// Where the calls that the host knows are written, and what their agents are called there: the host sees what is on the wire, the transcripts are the agents' own.

import { ExpectedError } from '../core/base/errors.ts';
import { agentName } from '../core/conversation/index.ts';
import { createCore } from '../core/core.ts';
import type { Core, FollowedSession } from '../core/core.ts';
import type { CallStatus, HostStatus } from '../core/host/status.ts';
import { pathsOf } from '../core/transcripts/sessionFiles.ts';
import type { SessionFiles } from '../core/transcripts/sessionFiles.ts';
import { mainPlace, sourceOf } from './findings.ts';
import type { CommandIo } from './io.ts';
import { findInHomes } from './targets.ts';

interface CallPlace {
	readonly path: string;
	readonly line: number;
	readonly agentName: string;
}

/** A session of this size is not read for the lines of a few calls. */
const longestSession = 64 * 1024 * 1024;
/** What was not found is looked for again after so long, if anybody still asks. */
const searchEveryMs = 500;

/** Remembers what it has found, and reads of each session only what is new. */
export class CallPlaces {
	private readonly io: CommandIo;
	private readonly core: Core;
	private readonly followed = new Map<string, FollowedSession>();
	private readonly known = new Map<string, CallPlace>();
	private lookedAt = -Infinity;

	constructor(io: CommandIo) {
		this.io = io;
		this.core = createCore(io.platform);
	}

	/** Whether there are calls whose lines may still be found. */
	isMissing({ calls }: HostStatus): boolean {
		return calls.some((call) => isWritten(call) && !this.known.has(call.id));
	}

	/** The status with the lines of its calls, as far as they are written. */
	async added(status: HostStatus): Promise<HostStatus> {
		const now = performance.now();
		const missing = status.calls.filter((call) => isWritten(call) && !this.known.has(call.id));
		if (missing.length > 0 && now - this.lookedAt >= searchEveryMs) {
			this.lookedAt = now;
			try {
				await this.look(missing);
			} catch (error) {
				// Whatever keeps transcripts from being read, the rest of the status is as good without them.
				if (!(error instanceof ExpectedError)) throw error;
			}
		}
		const current = new Set(status.calls.map(({ id }) => id));
		for (const key of this.known.keys()) if (!current.has(key)) this.known.delete(key);
		return { ...status, calls: status.calls.map((call) => ({ ...call, ...this.known.get(call.id) })) };
	}

	private async look(calls: readonly CallStatus[]): Promise<void> {
		const wanted = new Set(calls.flatMap(({ sessionId }) => (sessionId === null ? [] : [sessionId])));
		for (const sessionId of this.followed.keys()) if (!wanted.has(sessionId)) this.followed.delete(sessionId);
		const { sessions } = await findInHomes(this.core, this.io);
		for (const session of sessions) {
			const id = `${session.format}:${session.nativeId}`;
			if (wanted.has(id)) await this.read(id, session, calls);
		}
	}

	private async read(id: string, files: SessionFiles, calls: readonly CallStatus[]): Promise<void> {
		const { io, core } = this;
		let session = this.followed.get(id);
		if (session === undefined) {
			const stats = await Promise.all(pathsOf(files).map(async (path) => io.platform.files.stat(path)));
			if (stats.reduce((bytes, stat) => bytes + (stat?.size ?? 0), 0) > longestSession) return;
			const options = { assume: 'live', rules: {}, withPreviews: false, signal: io.signal } as const;
			session = core.followSession(files, options);
			this.followed.set(id, session);
		}
		session.setFiles(files);
		await session.update();
		const main = mainPlace(files);
		for (const agent of session.conversation.agents.values()) {
			for (const toolCall of agent.toolCalls) {
				const call = calls.find(({ sessionId, toolUseId }) => sessionId === id && toolUseId === toolCall.id);
				if (call === undefined) continue;
				const { path, line } = sourceOf(toolCall.place, main);
				this.known.set(call.id, { path, line, agentName: agentName(agent) });
			}
		}
	}
}

function isWritten({ sessionId, toolUseId, path }: CallStatus): boolean {
	return sessionId !== null && toolUseId !== null && path === undefined;
}
