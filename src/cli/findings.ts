import { ExpectedError } from '../core/base/errors.ts';
import { mainAgentId } from '../core/base/ids.ts';
import { agentName, agentsInOrder, callsOf } from '../core/conversation/index.ts';
import type { Agent, Conversation, Damage, Place } from '../core/conversation/index.ts';
import type { ReadSession } from '../core/core.ts';
import type { TranscriptSource } from '../core/events/sessionEvent.ts';
import type {
	FileProblem,
	LintedFile,
	LintedSession,
	ReportedDiagnostic,
	SessionFindings,
} from '../core/report/index.ts';
import type { TranscriptFiles } from '../core/transcripts/files.ts';
import { countsOf } from './callCounts.ts';
import { pathsOf } from '../core/transcripts/sessionFiles.ts';
import type { SessionFiles } from '../core/transcripts/sessionFiles.ts';
import { grouped } from './grouped.ts';

type LintedAgent = LintedSession['agents'][number];

/**
 * What a session adds to the result of `lint`, as plain data that can leave the thread.
 * @param only The files that were asked for; `undefined`: all of the session.
 */
export async function findingsOf(
	read: ReadSession,
	files: TranscriptFiles,
	only: readonly string[] | undefined,
): Promise<SessionFindings> {
	const { conversation } = read;
	const isAskedFor = (path: string) => only === undefined || only.includes(path);
	const main = mainPlace(read.files);
	const diagnostics = read.diagnostics.filter(({ place }) => isAskedFor(sourceOf(place, main).path));
	const widths = new LineWidths(files);
	const reported: ReportedDiagnostic[] = [];
	try {
		for (const { ruleId, severity, message, place, agentId, toolUseId, toolName, cause, related } of diagnostics) {
			const source = sourceOf(place, main);
			reported.push({
				ruleId,
				severity,
				message,
				path: source.path,
				line: source.line,
				column: place.range?.column ?? 1,
				endLine: source.line,
				endColumn: place.range?.endColumn ?? 1 + (await widths.of(source)),
				sessionId: read.files.nativeId,
				agentId,
				toolUseId,
				toolName,
				cause,
				related: related.map((other) => {
					const { path, line } = sourceOf(other.place, main);
					return { path, line, column: other.place.range?.column ?? 1, message: other.message };
				}),
			});
		}
	} finally {
		await widths.close();
	}
	const agents = agentsInOrder(conversation).filter(
		(agent) => only === undefined || (agent.path !== undefined && isAskedFor(agent.path)),
	);
	return {
		files: lintedFiles(read).filter(({ path }) => isAskedFor(path)),
		session: {
			id: read.files.nativeId,
			format: read.files.format,
			live: conversation.liveness.state === 'live',
			agents: agents.map((agent) => lintedAgent(conversation, agent)),
		},
		diagnostics: reported,
		inconclusive: read.inconclusive
			.map(({ ruleId, place, message }) => ({
				ruleId,
				path: sourceOf(place, main).path,
				line: sourceOf(place, main).line,
				message,
			}))
			.filter(({ path }) => isAskedFor(path)),
		strayResults: agents.reduce((total, agent) => total + agent.strayResults.size, 0),
	};
}

/** An agent with the states of its calls counted. */
export function lintedAgent(conversation: Conversation, agent: Agent): LintedAgent {
	return {
		id: agent.id,
		parentId: agent.parentId ?? null,
		name: agentName(agent),
		path: agent.path ?? null,
		spawnToolUseId: agent.id === mainAgentId ? null : (agent.spawnCall?.id ?? agent.spawnToolUseId ?? null),
		toolCalls: callsOf(agent).length,
		...countsOf(conversation, callsOf(agent)),
	};
}

/** Where an item is written. What no transcript tells is put at the beginning of the session's first file. */
export function sourceOf(place: Place, otherwise: TranscriptSource): TranscriptSource {
	return place.source.kind === 'transcript' ? place.source : otherwise;
}

export function mainPlace(session: SessionFiles): TranscriptSource {
	// A session has at least one file, or it would not have been found.
	return { kind: 'transcript', path: pathsOf(session)[0] ?? '', line: 1, offset: 0, length: 0 };
}

function lintedFiles({ files, conversation, readings }: ReadSession): LintedFile[] {
	const damageOf = grouped(conversation.damage, ({ place }) =>
		place.source.kind === 'transcript' ? place.source.path : undefined,
	);
	return readings.map(({ path, lines, bytes, problem }) => {
		const problems = (damageOf.get(path) ?? [])
			.filter((damage) => !isBeingWritten(conversation, damage))
			.map(problemOf);
		if (problem !== undefined) problems.push({ line: Math.max(lines, 1), kind: 'unreadable', message: problem });
		return { path, format: files.format, lines, bytes, problems };
	});
}

/** The last line of a live session may be half written. */
function isBeingWritten(conversation: Conversation, damage: Damage): boolean {
	return damage.isAtEnd && damage.kind === 'truncated-line' && conversation.liveness.state === 'live';
}

function problemOf({ place, kind, message }: Damage): FileProblem {
	return { line: place.source.kind === 'transcript' ? place.source.line : 1, kind, message };
}

/** How long lines are in UTF-16 units. Only lines that are reported as a whole are looked at, one file at a time. */
class LineWidths {
	private readonly files: TranscriptFiles;
	private path: string | undefined;
	private file: Awaited<ReturnType<TranscriptFiles['open']>> | undefined;
	private readonly buffer = new Uint8Array(64 * 1024);

	constructor(files: TranscriptFiles) {
		this.files = files;
	}

	async of({ path, offset, length }: TranscriptSource): Promise<number> {
		if (length === 0) return 0;
		try {
			if (this.path !== path) {
				await this.close();
				this.file = await this.files.open(path);
				this.path = path;
			}
			let units = 0;
			for (let at = 0; at < length;) {
				const chunk = this.buffer.subarray(0, Math.min(this.buffer.length, length - at));
				const count = (await this.file?.read(chunk, offset + at)) ?? 0;
				if (count === 0) break;
				for (let index = 0; index < count; index++) units += unitsOf(chunk[index] ?? 0);
				at += count;
			}
			return units;
		} catch (error) {
			// The file went away meanwhile: the finding stands, only its end is not known.
			if (error instanceof ExpectedError) return 0;
			throw error;
		}
	}

	async close(): Promise<void> {
		await this.file?.close();
		this.file = undefined;
		this.path = undefined;
	}
}

/** UTF-16 units that a byte of UTF-8 stands for: those that continue a character count nothing, four bytes make a pair. */
function unitsOf(byte: number): number {
	if ((byte & 0xc0) === 0x80) return 0;
	return byte >= 0xf0 ? 2 : 1;
}
