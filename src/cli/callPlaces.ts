// Where the calls that the host knows are written, and what their agents are called there: the host sees what is on the wire, the transcripts are the agents' own.

import { ExpectedError } from '../core/base/errors.ts';
import { agentName } from '../core/conversation/index.ts';
import { createCore } from '../core/core.ts';
import type { Core, FollowedSession } from '../core/core.ts';
import type { CallStatus, HookedCallStatus, HostStatus } from '../core/host/status.ts';
import { pathsOf } from '../core/transcripts/sessionFiles.ts';
import type { SessionFiles } from '../core/transcripts/sessionFiles.ts';
import { mainPlace, sourceOf } from './findings.ts';
import type { CommandIo } from './io.ts';
import { findInHomes } from './targets.ts';

/** One that passes the host, or one that only the hooks of its agent tell of. */
type SeenCall = CallStatus | HookedCallStatus;

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
	isMissing(status: HostStatus): boolean {
		return callsIn(status).some((call) => isWritten(call) && !this.known.has(keyOf(call)));
	}

	/** The status with the lines of its calls, as far as they are written. */
	async added(status: HostStatus): Promise<HostStatus> {
		const now = performance.now();
		const calls = callsIn(status);
		const missing = calls.filter((call) => isWritten(call) && !this.known.has(keyOf(call)));
		if (missing.length > 0 && now - this.lookedAt >= searchEveryMs) {
			this.lookedAt = now;
			try {
				await this.look(missing);
			} catch (error) {
				// Whatever keeps transcripts from being read, the rest of the status is as good without them.
				if (!(error instanceof ExpectedError)) throw error;
			}
		}
		const current = new Set(calls.map(keyOf));
		for (const key of this.known.keys()) if (!current.has(key)) this.known.delete(key);
		const placed = <T extends SeenCall>(call: T): T => ({ ...call, ...this.known.get(keyOf(call)) });
		const { hooked } = status;
		return {
			...status,
			calls: status.calls.map(placed),
			...(hooked === undefined ? {} : { hooked: hooked.map(placed) }),
		};
	}

	private async look(calls: readonly SeenCall[]): Promise<void> {
		const wanted = new Set(calls.flatMap(({ sessionId }) => (sessionId === null ? [] : [sessionId])));
		for (const sessionId of this.followed.keys()) if (!wanted.has(sessionId)) this.followed.delete(sessionId);
		const { sessions } = await findInHomes(this.core, this.io);
		for (const session of sessions) {
			const id = `${session.format}:${session.nativeId}`;
			if (wanted.has(id)) await this.read(id, session, calls);
		}
	}

	private async read(id: string, files: SessionFiles, calls: readonly SeenCall[]): Promise<void> {
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
				const made = calls.filter(({ sessionId, toolUseId }) => sessionId === id && toolUseId === toolCall.id);
				const { path, line } = sourceOf(toolCall.place, main);
				for (const call of made) this.known.set(keyOf(call), { path, line, agentName: agentName(agent) });
			}
		}
	}
}

function callsIn({ calls, hooked = [] }: HostStatus): readonly SeenCall[] {
	return [...calls, ...hooked];
}

function keyOf(call: SeenCall): string {
	return 'id' in call ? call.id : `${call.sessionId} ${call.toolUseId}`;
}

function isWritten({ sessionId, toolUseId, path }: SeenCall): boolean {
	return sessionId !== null && toolUseId !== null && path === undefined;
}
