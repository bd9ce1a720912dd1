import { ExpectedError } from '../base/errors.ts';
import { LineSplitter } from '../base/lineSplitter.ts';
import type { CataloguedTool } from '../events/sessionEvent.ts';
import { baseName, joinPath, parentFolder } from '../transcripts/files.ts';
import type { TranscriptFiles } from '../transcripts/files.ts';
import { manifestName, savedVersion, toolsName } from '../transcripts/savedSession.ts';
import type { SavedManifest } from '../transcripts/savedSession.ts';
import type { SessionFiles } from '../transcripts/sessionFiles.ts';
import { ReplacedBodies } from './replacedBodies.ts';
import type { SecretDigest } from './replacedBodies.ts';

/** Takes the files of a session, one after the other, and makes one file of them. Rejects with an `ExpectedError`. */
export interface SessionWriter {
	/**
	 * @param name With slashes, relative.
	 * @param expectedBytes About how much it is.
	 * @param modifiedAt Epoch milliseconds.
	 */
	add(name: string, chunks: AsyncIterable<Uint8Array>, expectedBytes: number, modifiedAt: number): Promise<void>;
}

export interface SaveOptions {
	/** The program and its version. */
	readonly writtenBy: string;
	/** Epoch milliseconds. */
	readonly savedAt: number;
	/** Texts, arguments and results are replaced by means of this; `undefined`: they are saved as they are. */
	readonly replacing: SecretDigest | undefined;
	readonly onProgress?: ((bytes: number) => void) | undefined;
	readonly signal?: AbortSignal | undefined;
}

/** What came of saving. */
export interface SavedSession {
	readonly files: number;
	/** Of the session's files, before they are packed. */
	readonly bytes: number;
	/** Its process runs: this is what there was by now. */
	readonly isUnfinished: boolean;
	/** Files that could not be read, and are not in it. */
	readonly problems: readonly { readonly path: string; readonly message: string }[];
}

/**
 * Writes the files of a session, as much of each as there is when its turn comes, and what it takes to read them elsewhere. A file that cannot be
 * read costs that file; a session of which no file can be read is not saved.
 */
export async function saveSession(
	files: TranscriptFiles,
	session: SessionFiles,
	known: { readonly liveness: SavedManifest['liveness']; readonly tools: readonly CataloguedTool[] },
	writer: SessionWriter,
	options: SaveOptions,
): Promise<SavedSession> {
	const { replacing, signal } = options;
	const bodies = replacing === undefined ? undefined : new ReplacedBodies(replacing);
	const names = new Names(files, session);
	const written: { path: string; bytes: number }[] = [];
	const problems: { path: string; message: string }[] = [];

	/** Gives the name that it has in the file. */
	const add = async (path: string, name: string, isMissed: boolean): Promise<string | undefined> => {
		signal?.throwIfAborted();
		try {
			const stat = await files.stat(path);
			if (stat === undefined) {
				if (isMissed) problems.push({ path, message: 'The file is no longer there.' });
				return undefined;
			}
			// What is appended meanwhile is not in it: a file and what was read of it agree.
			const chunks = bytesOf(files, path, stat.size, options);
			const lines = bodies === undefined ? chunks : replacedLines(chunks, bodies, name.endsWith('.json'), files);
			await writer.add(name, lines, stat.size, stat.modifiedAt);
			written.push({ path: name, bytes: stat.size });
			return name;
		} catch (error) {
			if (!(error instanceof UnreadableError)) throw error;
			problems.push({ path, message: error.message });
			return undefined;
		}
	};

	const { mainPath, recordingPath } = session;
	const main = mainPath === undefined ? undefined : await add(mainPath, names.of(mainPath), true);
	const agents: SavedManifest['agents'][number][] = [];
	for (const { agentId, path, sidecarPath, isWorkflow } of session.agents) {
		const name = await add(path, names.of(path), true);
		// What stands beside a transcript that cannot be read is kept all the same.
		const sidecar = sidecarPath === undefined ? undefined : await add(sidecarPath, names.of(sidecarPath), false);
		if (name === undefined) continue;
		agents.push({ agentId, path: name, sidecar, isWorkflow });
	}
	const recording = recordingPath === undefined ? undefined : await add(recordingPath, recordingName, true);
	if (main === undefined && agents.length === 0 && recording === undefined)
		throw new ExpectedError(problems[0]?.message ?? 'The session has no files.');
	// Long results lie beside a transcript, and are nothing but bodies.
	if (bodies === undefined)
		for (const path of await furtherFiles(files, session)) await add(path, names.of(path), false);
	if (bodies === undefined && known.tools.length > 0)
		await writer.add(toolsName, json(known.tools), 0, options.savedAt);
	const manifest: SavedManifest = {
		format: 'crosstalk-session',
		version: savedVersion,
		writtenBy: options.writtenBy,
		savedAt: new Date(options.savedAt).toISOString(),
		session: { format: session.format, nativeId: session.nativeId },
		liveness: known.liveness,
		bodies: bodies === undefined && session.saved?.bodies !== 'replaced' ? 'whole' : 'replaced',
		main,
		revertedFrom: session.revertedFrom,
		agents,
		recording,
		files: written,
	};
	await writer.add(manifestName, json(manifest), 0, options.savedAt);
	return {
		files: written.length,
		bytes: written.reduce((sum, { bytes }) => sum + bytes, 0),
		isUnfinished: known.liveness.state === 'live',
		problems,
	};
}

/** The same of what was only recorded: events as JSON lines. */
export async function saveRecording(
	writer: SessionWriter,
	recording: { readonly sessionId: string; readonly lines: Uint8Array; readonly evidence: string },
	{ writtenBy, savedAt }: Pick<SaveOptions, 'writtenBy' | 'savedAt'>,
): Promise<void> {
	const { sessionId, lines, evidence } = recording;
	await writer.add(recordingName, pieces(lines), lines.length, savedAt);
	const manifest: SavedManifest = {
		format: 'crosstalk-session',
		version: savedVersion,
		writtenBy,
		savedAt: new Date(savedAt).toISOString(),
		session: { format: 'host', nativeId: sessionId },
		liveness: { state: 'ended', evidence },
		bodies: 'whole',
		agents: [],
		recording: recordingName,
		files: [{ path: recordingName, bytes: lines.length }],
	};
	await writer.add(manifestName, json(manifest), 0, savedAt);
}

async function* pieces(bytes: Uint8Array): AsyncIterable<Uint8Array> {
	yield bytes;
}

const recordingName = 'host/events.jsonl';
const transcriptFolder = 'transcripts';

/** Names of the session's files within it: as they lie to each other on the disk, so that whoever unpacks them has a session again. */
class Names {
	private readonly files: TranscriptFiles;
	private readonly base: string;
	private readonly taken = new Map<string, string>();

	constructor(files: TranscriptFiles, { mainPath, agents }: SessionFiles) {
		this.files = files;
		const first = mainPath ?? agents[0]?.path ?? '';
		const owner = first.lastIndexOf(`${files.separator}subagents${files.separator}`);
		this.base = parentFolder(files, owner === -1 ? first : first.slice(0, owner)) + files.separator;
	}

	of(path: string): string {
		const { files, base, taken } = this;
		const known = taken.get(path);
		if (known !== undefined) return known;
		const parts = path.startsWith(base)
			? path.slice(base.length).split(files.separator)
			: ['elsewhere', baseName(files, path)];
		// Characters that another system does not allow.
		// eslint-disable-next-line no-control-regex
		const clean = parts.map((part) => part.replaceAll(/[\\/:*?"<>|\0-\x1f]/g, '_').replace(/^\.{1,2}$/, '_'));
		const plain = [transcriptFolder, ...clean].join('/');
		let name = plain;
		for (let number = 2; [...taken.values()].includes(name); number++) {
			name = plain.replace(/(\.[^./]+)?$/, `-${number}$1`);
		}
		taken.set(path, name);
		return name;
	}
}

/** What else lies in a session's own folder, without what no agent writes there. */
async function furtherFiles(files: TranscriptFiles, session: SessionFiles): Promise<readonly string[]> {
	const { format, mainPath } = session;
	if (format !== 'claude-code' || mainPath === undefined || !mainPath.endsWith('.jsonl')) return [];
	const own = mainPath.slice(0, -'.jsonl'.length);
	const known = new Set(session.agents.flatMap(({ path, sidecarPath }) => [path, sidecarPath ?? path]));
	const found: string[] = [];
	const search = async (folder: string, depth: number): Promise<void> => {
		for (const { name, isDirectory } of await files.list(folder)) {
			const path = joinPath(files, folder, name);
			if (isDirectory && depth > 0) await search(path, depth - 1);
			else if (!isDirectory && !known.has(path) && found.length < mostFurtherFiles) found.push(path);
		}
	};
	try {
		if ((await files.stat(own))?.isDirectory === true) await search(own, 8);
	} catch (error) {
		// Whatever is in there: no transcript is lost with it.
		if (!(error instanceof ExpectedError)) throw error;
	}
	return found.sort();
}

const mostFurtherFiles = 10_000;
const chunkLength = 256 * 1024;

/** That a file cannot be read, told apart from what the writer says. */
class UnreadableError extends ExpectedError {}

/** The first bytes of a file, as many as there were. */
async function* bytesOf(
	files: TranscriptFiles,
	path: string,
	size: number,
	{ onProgress, signal }: SaveOptions,
): AsyncIterable<Uint8Array> {
	const file = await reading(() => files.open(path));
	try {
		const chunk = files.allocate(chunkLength);
		for (let offset = 0; offset < size;) {
			signal?.throwIfAborted();
			const room = chunk.subarray(0, Math.min(chunk.length, size - offset));
			const length = await reading(() => file.read(room, offset));
			// It was cut meanwhile.
			if (length === 0) return;
			offset += length;
			onProgress?.(length);
			yield room.subarray(0, length);
		}
	} finally {
		await file.close();
	}
}

async function reading<Value>(read: () => Promise<Value>): Promise<Value> {
	try {
		return await read();
	} catch (error) {
		if (error instanceof ExpectedError) throw new UnreadableError(error.message, { cause: error });
		throw error;
	}
}

const encoder = new TextEncoder();

async function* json(value: unknown): AsyncIterable<Uint8Array> {
	yield encoder.encode(`${JSON.stringify(value, undefined, '\t')}\n`);
}

/** @param isWhole It is a sidecar, however many lines it has. */
async function* replacedLines(
	chunks: AsyncIterable<Uint8Array>,
	bodies: ReplacedBodies,
	isWhole: boolean,
	files: TranscriptFiles,
): AsyncIterable<Uint8Array> {
	let lines: Uint8Array[] = [];
	const replaced = (bytes: Uint8Array, isTerminated: boolean) => {
		const text = decoder.decode(bytes);
		const mark = text.startsWith('\ufeff') ? '\ufeff' : '';
		const carriageReturn = text.endsWith('\r') ? '\r' : '';
		const line = text.slice(mark.length, text.length - carriageReturn.length);
		lines.push(
			encoder.encode(
				`${mark}${isWhole ? bodies.sidecar(line) : bodies.line(line)}${carriageReturn}${isTerminated ? '\n' : ''}`,
			),
		);
	};
	if (isWhole) {
		const all: Uint8Array[] = [];
		for await (const chunk of chunks) all.push(chunk.slice());
		replaced(joined(all), false);
		yield* lines;
		return;
	}
	const splitter = new LineSplitter(
		(bytes, start, end, _position, isTerminated) => replaced(bytes.subarray(start, end), isTerminated),
		chunkLength,
		(length) => files.allocate(length),
	);
	for await (const chunk of chunks) {
		for (let start = 0; start < chunk.length;) {
			const room = splitter.room();
			const piece = chunk.subarray(start, start + room.length);
			room.set(piece);
			splitter.advance(piece.length);
			start += piece.length;
		}
		const some = lines;
		lines = [];
		yield* some;
	}
	if (splitter.hasUnfinishedLine) splitter.finish();
	yield* lines;
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

function joined(pieces: readonly Uint8Array[]): Uint8Array {
	const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
	let offset = 0;
	for (const piece of pieces) {
		whole.set(piece, offset);
		offset += piece.length;
	}
	return whole;
}
