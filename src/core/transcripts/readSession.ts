import { agentId, mainAgentId, sessionId, toolUseId } from '../base/ids.ts';
import { ExpectedError } from '../base/errors.ts';
import { FORMAT_VERSION } from '../events/sessionEvent.ts';
import type { SessionEvent } from '../events/sessionEvent.ts';
import { hasNulByte } from './damage.ts';
import type { OpenFile, TranscriptFiles } from './files.ts';
import { LineSplitter } from '../base/lineSplitter.ts';
import { transcriptFormats } from './sessionFiles.ts';
import type { AgentFile, SessionFiles } from './sessionFiles.ts';
import type { EventSink, LineReader, TranscriptFile } from './transcriptFormat.ts';

/** What was read of one file. */
export interface FileReading {
	readonly path: string;
	readonly lines: number;
	readonly bytes: number;
	/** Why the file, or the rest of it, could not be read. */
	readonly problem: string | undefined;
}

export interface ReadOptions {
	/** Whether bodies get previews and messages their token counts: for a person to see, at twice the cost. */
	readonly withPreviews: boolean;
	readonly onProgress?: ((bytes: number) => void) | undefined;
	readonly signal?: AbortSignal | undefined;
}

/** Receives events in batches, so that nobody keeps all of them. */
export type EventBatchSink = (events: readonly SessionEvent[]) => void;

/**
 * Reads a session from the beginning to its present end, file after file, and hands on the events. No file is held in memory.
 * A file that vanishes or cannot be read costs that file.
 */
export async function readSession(
	files: TranscriptFiles,
	session: SessionFiles,
	sink: EventBatchSink,
	options: ReadOptions,
): Promise<readonly FileReading[]> {
	const readings: FileReading[] = [];
	if (session.mainPath !== undefined) {
		readings.push(await readWhole(TranscriptFollower.ofAgent(files, session, undefined, options), sink, options));
	}
	for (const agent of session.agents) {
		options.signal?.throwIfAborted();
		// The sidecar says that the agent has ended; it is read before the lines that were written before that.
		const events = await readSidecar(files, session, agent);
		readings.push(await readWhole(TranscriptFollower.ofAgent(files, session, agent, options), sink, options));
		if (events.length > 0) sink(events);
	}
	if (session.recordingPath !== undefined) {
		const { recordingPath } = session;
		const follower = await TranscriptFollower.ofRecording(files, session, recordingPath, options);
		readings.push(await readWhole(follower, sink, options));
	}
	return readings;
}

async function readWhole(
	follower: TranscriptFollower,
	sink: EventBatchSink,
	options: ReadOptions,
): Promise<FileReading> {
	const result = await follower.readOn(sink, options.signal);
	follower.finish(sink);
	return {
		path: follower.path,
		lines: follower.lines,
		bytes: follower.bytes,
		problem: typeof result === 'string' ? undefined : result.problem,
	};
}

/** What a look at a followed file has found. */
export type FollowResult = 'read' | 'replaced' | { readonly problem: string };

/** Reads one transcript as it grows: each look costs in proportion to what was appended since the last. */
export class TranscriptFollower {
	readonly path: string;
	private readonly files: TranscriptFiles;
	private readonly options: ReadOptions;
	private readonly splitter: LineSplitter;
	private readonly reader: LineReader;
	private batch: SessionEvent[] = [];
	private identity = '';
	/**
	 * When the file was written as it was read. Not known of what was appended until it has rested for a look: systems tell the time of a write
	 * a moment before or after its bytes.
	 */
	private modifiedAt: number | undefined;
	/** When it was written since, though nothing has come to it. */
	private rewrittenAt: number | undefined;
	private readonly isEditable: boolean;
	/** The last bytes that were read. */
	private tail = new Uint8Array(0);
	private reported = 0;
	private isFinished = false;

	private constructor(
		files: TranscriptFiles,
		path: string,
		options: ReadOptions,
		createReader: (sink: EventSink) => LineReader,
		isEditable: boolean,
	) {
		this.files = files;
		this.isEditable = isEditable;
		this.options = options;
		this.path = path;
		this.reader = createReader((event) => void this.batch.push(event));
		this.splitter = new LineSplitter(
			(bytes, start, end, position, isTerminated) => {
				// A byte order mark is no part of the first line.
				const from =
					position.offset === 0 &&
					bytes[start] === 0xef &&
					bytes[start + 1] === 0xbb &&
					bytes[start + 2] === 0xbf
						? start + 3
						: start;
				this.reader.readLine(bytes, from, end, position, !isTerminated);
			},
			chunkLength,
			(length) => files.allocate(length),
		);
	}

	/** @param agent The agent whose transcript it is; `undefined`: the main one's. */
	static ofAgent(
		files: TranscriptFiles,
		session: SessionFiles,
		agent: AgentFile | undefined,
		options: ReadOptions,
	): TranscriptFollower {
		const format = transcriptFormats.find((candidate) => candidate.id === session.format);
		if (format === undefined) throw new Error(`No reader for ${session.format}.`);
		const file: TranscriptFile = {
			// A session without files has nobody to follow; callers have at least one.
			path: agent?.path ?? session.mainPath ?? '',
			nativeSessionId: session.nativeId,
			agentId: agent?.agentId ?? null,
			revertedFrom: agent === undefined ? session.revertedFrom : undefined,
			withPreviews: options.withPreviews,
		};
		return new TranscriptFollower(files, file.path, options, (sink) => format.createReader(file, sink), true);
	}

	/** What a host has recorded of the session. */
	static async ofRecording(
		files: TranscriptFiles,
		{ format, nativeId }: SessionFiles,
		path: string,
		options: ReadOptions,
	): Promise<TranscriptFollower> {
		const { createRecordingReader } = await import('./recording.ts');
		const file = { path, format, nativeSessionId: nativeId };
		return new TranscriptFollower(files, path, options, (sink) => createRecordingReader(file, sink), false);
	}

	get lines(): number {
		return this.splitter.linesRead + (this.splitter.hasUnfinishedLine ? 1 : 0);
	}

	get bytes(): number {
		return this.splitter.bytesRead;
	}

	/** Whether only another look tells if it was changed in its middle. */
	get isUnsettled(): boolean {
		return this.rewrittenAt !== undefined;
	}

	/** Reads what has been appended since the last look. */
	async readOn(sink: EventBatchSink, signal?: AbortSignal): Promise<FollowResult> {
		let file: OpenFile;
		let size = 0;
		try {
			const stat = await this.files.stat(this.path);
			if (stat === undefined) return { problem: 'The file is no longer there.' };
			if ((this.identity !== '' && stat.identity !== this.identity) || stat.size < this.splitter.bytesRead) {
				return 'replaced';
			}
			const isFirst = this.identity === '';
			this.identity = stat.identity;
			if (stat.size === this.splitter.bytesRead) {
				if (!this.isEditable) return 'read';
				const { modifiedAt = stat.modifiedAt, rewrittenAt } = this;
				this.modifiedAt = modifiedAt;
				this.rewrittenAt = stat.modifiedAt === modifiedAt ? undefined : stat.modifiedAt;
				// An editor has changed it in its middle, unless something is being appended this moment: the next look tells.
				return this.isUnsettled && this.rewrittenAt === rewrittenAt ? 'replaced' : 'read';
			}
			size = stat.size;
			this.rewrittenAt = undefined;
			this.modifiedAt = isFirst ? stat.modifiedAt : undefined;
			if (this.isFinished) return 'replaced';
			file = await this.files.open(this.path);
		} catch (error) {
			if (error instanceof ExpectedError) return { problem: error.message };
			throw error;
		}
		try {
			// An editor writes into the same file: what it puts in or takes out moves all that comes after it.
			const tail = this.tail.slice();
			const found = tail.length === 0 ? 0 : await file.read(tail, this.splitter.bytesRead - tail.length);
			if (tail.some((byte, index) => index < found && byte !== this.tail[index])) return 'replaced';
			for (;;) {
				signal?.throwIfAborted();
				const room = this.splitter.room();
				const length = await file.read(room, this.splitter.bytesRead);
				if (length === 0) {
					if (this.splitter.bytesRead !== size) this.modifiedAt = undefined;
					return 'read';
				}
				this.tail = new Uint8Array(room.subarray(0, length).subarray(-tailLength));
				// One search in what was read costs nothing beside one in every line.
				if (hasNulByte(room, 0, length)) this.reader.expectNulBytes();
				this.splitter.advance(length);
				this.flush(sink);
			}
		} catch (error) {
			if (error instanceof ExpectedError) return { problem: error.message };
			throw error;
		} finally {
			await file.close();
		}
	}

	/** Takes what follows the last line end, if anything does, for a line. When the file grows after that, it counts as replaced. */
	finish(sink: EventBatchSink): void {
		if (this.isFinished || !this.splitter.hasUnfinishedLine) return;
		this.isFinished = true;
		this.splitter.finish();
		this.flush(sink);
	}

	private flush(sink: EventBatchSink): void {
		const bytes = this.splitter.bytesRead;
		this.options.onProgress?.(bytes - this.reported);
		this.reported = bytes;
		if (this.batch.length === 0) return;
		const events = this.batch;
		this.batch = [];
		sink(events);
	}
}

// What stays in a processor's cache while it is looked at.
const chunkLength = 256 * 1024;

/** There are ids and times in every line, so that no two places of a transcript have the same bytes. */
const tailLength = 128;

const sidecarLimit = 1024 * 1024;

/** The events of an agent's sidecar. One that is absent, torn or strange gives none: it is only a help. */
export async function readSidecar(
	files: TranscriptFiles,
	session: SessionFiles,
	agent: AgentFile,
): Promise<readonly SessionEvent[]> {
	const id = agentId(agent.agentId);
	const path = agent.sidecarPath;
	const source = { kind: 'transcript', path: path ?? agent.path, line: 1, offset: 0, length: 0 } as const;
	const envelope = {
		version: FORMAT_VERSION,
		sessionId: sessionId(session.format, session.nativeId),
		agent: { id },
		source,
	} as const;
	const fields = path === undefined ? undefined : await readSmallJson(files, path);
	if (fields === undefined) {
		return agent.isWorkflow
			? [{ ...envelope, seq: 0, type: 'agent-spawned', agentId: id, evidence: 'guess', relation: 'workflow' }]
			: [];
	}
	const text = (key: string): string | undefined => {
		const value = fields[key];
		return typeof value === 'string' && value !== '' ? value : undefined;
	};
	const parentAgentId = text('parentAgentId');
	const spawningCall = text('toolUseId');
	const depth = fields['spawnDepth'];
	const events: SessionEvent[] = [
		{
			...envelope,
			seq: 0,
			type: 'agent-spawned',
			agentId: id,
			// Absent means the main agent only where the sidecar counts from it: those of 2.1.173 name the call of a nested agent too,
			// and nothing else; whose call that is, is found by its id.
			parentId:
				parentAgentId !== undefined
					? agentId(parentAgentId)
					: spawningCall !== undefined && depth === 1
						? mainAgentId
						: undefined,
			toolUseId: spawningCall === undefined ? undefined : toolUseId(spawningCall),
			name: text('name'),
			agentType: text('agentType'),
			description: text('description'),
			depth: typeof depth === 'number' ? depth : undefined,
			evidence: 'sidecar',
			relation: agent.isWorkflow
				? 'workflow'
				: fields['isFork'] === true
					? 'fork'
					: fields['taskKind'] === 'in_process_teammate'
						? 'teammate'
						: undefined,
		},
	];
	if (fields['stoppedByUser'] === true) {
		events.push({
			...envelope,
			seq: 1,
			type: 'agent-ended',
			agentId: id,
			outcome: 'killed',
			evidence: 'Its sidecar says that a person stopped it.',
		});
	} else if (fields['finished'] === true) {
		events.push({
			...envelope,
			seq: 1,
			type: 'agent-ended',
			agentId: id,
			outcome: 'completed',
			evidence: 'Its sidecar says that it is finished.',
		});
	}
	return events;
}

async function readSmallJson(
	files: TranscriptFiles,
	path: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
	try {
		const stat = await files.stat(path);
		if (stat === undefined || stat.isDirectory || stat.size > sidecarLimit) return undefined;
		const file = await files.open(path);
		try {
			const bytes = new Uint8Array(stat.size);
			const length = await file.read(bytes, 0);
			// JSON.parse gives `any`; what it is gets checked before use.
			const value = JSON.parse(new TextDecoder().decode(bytes.subarray(0, length))) as unknown;
			return typeof value === 'object' && value !== null && !Array.isArray(value)
				? (value as Record<string, unknown>)
				: undefined;
		} finally {
			await file.close();
		}
	} catch (error) {
		// Torn in mid-write, or gone meanwhile: there is no sidecar then.
		if (error instanceof SyntaxError || error instanceof ExpectedError) return undefined;
		throw error;
	}
}
