import { ExpectedError } from '../base/errors.ts';
import { sessionId, storedSessionId } from '../base/ids.ts';
import type { SessionId } from '../base/ids.ts';
import { claudeCode } from './claudeCode.ts';
import { codex } from './codex.ts';
import { CodexLine } from './codexLine.ts';
import { baseName, joinPath, parentFolder } from './files.ts';
import type { DirectoryEntry, TranscriptFiles } from './files.ts';
import { JsonScanner, MemberTable } from '../base/jsonScanner.ts';
import type { SavedFacts } from './savedSession.ts';
import { savedSessionSuffix } from './savedSessionName.ts';
import type { SessionFormatId, TranscriptFormat, TranscriptFormatId } from './transcriptFormat.ts';

/**
 * What a host has recorded of a session of Claude Code, kept beside its transcript: `<project>/<session>/host-recording.jsonl`. Mostly it is in
 * the host's own store.
 */
export const recordingFileName = 'host-recording.jsonl';

export const transcriptFormats: readonly TranscriptFormat[] = [claudeCode, codex];

/** The files that together are one session. */
export interface SessionFiles {
	readonly format: SessionFormatId;
	/** Of a session that only a host knows: as its events have it, `claude-code:…` or `mcp:…`. */
	readonly nativeId: string;
	/** The main agent's transcript; `undefined` when only files of its subagents are there. */
	readonly mainPath: string | undefined;
	readonly agents: readonly AgentFile[];
	/** Codex: the thread was reverted and goes on in another rollout; the ordinal of the main one's first line that is no longer part of it. */
	readonly revertedFrom?: number | undefined;
	/** What a host has recorded of it. */
	readonly recordingPath?: string | undefined;
	/** It comes out of a file that was saved, on this machine or another; nothing else is asked about it. */
	readonly saved?: SavedFacts | undefined;
}

export interface AgentFile {
	readonly path: string;
	readonly agentId: string;
	/** The small file beside a transcript that says whose it is. It may be absent, late or torn. */
	readonly sidecarPath: string | undefined;
	/** Part of a workflow's run. */
	readonly isWorkflow: boolean;
}

/** A file or folder that could not be used, and why. */
export interface FileProblem {
	readonly path: string;
	readonly message: string;
}

export interface FoundSessions {
	readonly sessions: readonly SessionFiles[];
	readonly problems: readonly FileProblem[];
}

export interface FindOptions {
	/** Takes every file for this format, without a look at it. */
	readonly as?: TranscriptFormatId | undefined;
	/** The folder is an agent's own home: what its files are is told by their names where they say it. */
	readonly isHome?: boolean | undefined;
	readonly signal?: AbortSignal | undefined;
}

/**
 * Finds the sessions that a path stands for: a transcript, whose session is found with all its agents, a session that was saved as one file,
 * or a folder, which is searched.
 * In a folder files that are no transcripts are passed over in silence; a file that was named is a problem when it is none.
 */
export async function findSessions(
	files: TranscriptFiles,
	path: string,
	options: FindOptions = {},
): Promise<FoundSessions> {
	if (path.toLowerCase().includes(savedSessionSuffix)) {
		// Loaded when there is one.
		const { openSavedSession, savedSessionAt } = await import('./savedSession.ts');
		const saved = await savedSessionAt(files, path);
		try {
			if (saved !== undefined) return { sessions: [await openSavedSession(files, saved)], problems: [] };
		} catch (error) {
			if (!(error instanceof ExpectedError)) throw error;
			return { sessions: [], problems: [{ path, message: error.message }] };
		}
	}
	const stat = await files.stat(path);
	if (stat === undefined) return { sessions: [], problems: [{ path, message: 'There is no such file or folder.' }] };
	const search = new Search(files, options);
	if (stat.isDirectory) {
		await search.folder(path);
		return search.result();
	}
	return search.file(path);
}

interface Header {
	readonly path: string;
	readonly format: TranscriptFormatId;
	/** Claude Code: the session that the lines name. Codex: the thread. */
	readonly id: string;
	/** Codex: the thread that spawned it, and the root when the header names it. */
	readonly parentId: string;
	readonly rootId: string;
	/** Codex: a thread that was reverted has several rollouts. Their ids tell in which order they began. */
	readonly rollout?: { readonly id: string; readonly base: string; readonly baseEnd: number };
}

class Search {
	private readonly files: TranscriptFiles;
	private readonly options: FindOptions;
	private readonly problems: FileProblem[] = [];
	private readonly claudeMains: Header[] = [];
	private readonly claudeAgents: { readonly file: AgentFile; readonly owner: string }[] = [];
	private readonly codexThreads: Header[] = [];
	/** By the folder that they are in. */
	private readonly recordings = new Map<string, string>();

	constructor(files: TranscriptFiles, options: FindOptions) {
		this.files = files;
		this.options = options;
	}

	/** The session of one file that a person has named. */
	async file(path: string): Promise<FoundSessions> {
		const header = await this.header(path);
		if (header === undefined) {
			if (this.problems.length === 0) {
				this.problems.push({
					path,
					message: 'The file is no transcript of an agent that Crosstalk knows (Claude Code, Codex).',
				});
			}
			return { sessions: [], problems: this.problems };
		}
		if (header.format === 'codex') {
			// A thread's relatives lie in the folder of its day, mostly.
			await this.folder(parentFolder(this.files, path), 0);
			if (!this.codexThreads.some((thread) => thread.path === path)) this.codexThreads.push(header);
		} else {
			await this.claudeSessionOf(path, header);
		}
		const sessions = this.result().sessions.filter((session) => pathsOf(session).includes(path));
		if (sessions.length === 0 && this.problems.length === 0) {
			this.problems.push({
				path,
				message: 'The file is a call that the client makes for itself, and no transcript of an agent.',
			});
		}
		return { sessions, problems: this.problems };
	}

	private async claudeSessionOf(path: string, header: Header): Promise<void> {
		const { files } = this;
		const owner = this.ownerFolder(path);
		if (owner !== undefined) {
			// <project>/<session>/subagents/…/agent-….jsonl
			await this.folder(owner);
			const main = `${owner}.jsonl`;
			if ((await files.stat(main)) !== undefined) await this.add(main);
			return;
		}
		const name = baseName(files, path);
		if (isAgentFile(name)) {
			// 2.0.x: beside the sessions of its project.
			await this.folder(parentFolder(files, path), 0);
			if (!this.claudeAgents.some((agent) => agent.file.path === path)) this.addClaude(header);
			return;
		}
		this.addClaude(header);
		const own = path.replace(/\.jsonl$/, '');
		if (own !== path && (await files.stat(own))?.isDirectory === true) await this.folder(own);
		for (const entry of await this.entries(parentFolder(files, path))) {
			if (!entry.isDirectory && isAgentFile(entry.name)) {
				await this.add(joinPath(files, parentFolder(files, path), entry.name));
			}
		}
	}

	async folder(path: string, depth = 32): Promise<void> {
		this.options.signal?.throwIfAborted();
		const entries = [...(await this.entries(path))].sort((one, other) => (one.name < other.name ? -1 : 1));
		const folder = path.endsWith(this.files.separator) ? path.slice(0, -1) : path;
		if (entries.some((entry) => !entry.isDirectory && entry.name === recordingFileName))
			this.recordings.set(folder, joinPath(this.files, folder, recordingFileName));
		const transcripts = entries
			.filter((entry) => !entry.isDirectory && entry.name.endsWith('.jsonl') && entry.name !== recordingFileName)
			.map((entry) => joinPath(this.files, folder, entry.name));
		for (let start = 0; start < transcripts.length; start += lookedAtTogether) {
			const some = transcripts.slice(start, start + lookedAtTogether);
			for (const header of await Promise.all(some.map(async (transcript) => this.header(transcript)))) {
				if (header !== undefined) this.take(header);
			}
		}
		if (depth === 0) return;
		for (const entry of entries) {
			if (!entry.isDirectory || skippedFolders.has(entry.name)) continue;
			await this.folder(joinPath(this.files, folder, entry.name), depth - 1);
		}
	}

	private async entries(path: string): Promise<readonly DirectoryEntry[]> {
		try {
			return await this.files.list(path);
		} catch (error) {
			if (!(error instanceof ExpectedError)) throw error;
			this.problems.push({ path, message: error.message });
			return [];
		}
	}

	private async add(path: string): Promise<void> {
		const header = await this.header(path);
		if (header !== undefined) this.take(header);
	}

	private take(header: Header): void {
		if (header.format === 'codex') this.codexThreads.push(header);
		else this.addClaude(header);
	}

	private addClaude(header: Header): void {
		const { files } = this;
		const name = baseName(files, header.path);
		if (!isAgentFile(name)) {
			this.claudeMains.push(header);
			return;
		}
		// The client's own side calls, and copies of the parent's context: no agents.
		if (/^agent-a(compact|prompt_suggestion|side_question)-/.test(name)) return;
		const owner = this.ownerFolder(header.path);
		this.claudeAgents.push({
			file: {
				path: header.path,
				agentId: name.slice('agent-'.length, -'.jsonl'.length),
				sidecarPath: header.path.replace(/\.jsonl$/, '.meta.json'),
				isWorkflow: header.path.includes(`${files.separator}workflows${files.separator}`),
			},
			owner: owner === undefined ? joinPath(files, parentFolder(files, header.path), header.id) : owner,
		});
	}

	/** `<project>/<session>` for a file under `<project>/<session>/subagents`. */
	private ownerFolder(path: string): string | undefined {
		const index = path.lastIndexOf(`${this.files.separator}subagents${this.files.separator}`);
		return index === -1 ? undefined : path.slice(0, index);
	}

	private async header(path: string): Promise<Header | undefined> {
		// In an agent's own home names tell what a file is, and a home may hold thousands.
		const name = baseName(this.files, path);
		if (
			this.options.isHome === true &&
			(sessionName.test(name) || (isAgentFile(name) && this.ownerFolder(path) !== undefined))
		) {
			return { path, format: 'claude-code', id: '', parentId: '', rootId: '' };
		}
		try {
			return await readHeaderOf(this.files, path, this.options.as);
		} catch (error) {
			if (!(error instanceof ExpectedError)) throw error;
			this.problems.push({ path, message: error.message });
			return undefined;
		}
	}

	result(): FoundSessions {
		const sessions = [...this.claudeSessions(), ...this.codexSessions()];
		return {
			sessions: sessions.sort((one, other) => (sortKey(one) < sortKey(other) ? -1 : 1)),
			problems: this.problems,
		};
	}

	private claudeSessions(): SessionFiles[] {
		const agentsOf = new Map<string, AgentFile[]>();
		for (const agent of this.claudeAgents) {
			const agents = agentsOf.get(agent.owner);
			if (agents === undefined) agentsOf.set(agent.owner, [agent.file]);
			else agents.push(agent.file);
		}
		const sessions: SessionFiles[] = [];
		for (const main of this.claudeMains) {
			const own = main.path.replace(/\.jsonl$/, '');
			const recordingPath = this.recordings.get(own);
			sessions.push({
				format: 'claude-code',
				nativeId: baseName(this.files, own),
				mainPath: main.path,
				agents: agentsOf.get(own) ?? [],
				...(recordingPath === undefined ? {} : { recordingPath }),
			});
			agentsOf.delete(own);
		}
		for (const [owner, agents] of agentsOf) {
			sessions.push({
				format: 'claude-code',
				nativeId: baseName(this.files, owner),
				mainPath: undefined,
				agents,
			});
		}
		return sessions;
	}

	private codexSessions(): SessionFiles[] {
		const groups: { readonly root: string; readonly folder: string; readonly threads: Map<string, Header> }[] = [];
		const parents = new Map(this.codexThreads.map((thread) => [thread.id, thread.parentId]));
		for (const thread of this.codexThreads) {
			const root = rootOf(thread, parents);
			const folder = parentFolder(this.files, thread.path);
			// The same thread twice is two recordings of it: each goes with what lies in its own folder.
			const candidates = groups.filter((group) => group.root === root && !group.threads.has(thread.id));
			const near = candidates.filter((candidate) => candidate.folder === folder);
			const group =
				// A thread that was reverted began its later subagents in the rollout that it went on in.
				near.findLast(({ threads }) => (threads.get(root)?.rollout?.id ?? '') <= thread.id) ??
				near[0] ??
				(thread.id === root
					? undefined
					: candidates.find((candidate) => isDayFolder(candidate.folder, folder)));
			if (group === undefined) groups.push({ root, folder, threads: new Map([[thread.id, thread]]) });
			else group.threads.set(thread.id, thread);
		}
		return groups.map(({ root, threads }) => ({
			format: 'codex',
			nativeId: root,
			mainPath: threads.get(root)?.path,
			...revertedFrom(threads.get(root), this.codexThreads),
			agents: [...threads.values()]
				.filter((thread) => thread.id !== root)
				.map((thread) => ({
					path: thread.path,
					agentId: thread.id,
					sidecarPath: undefined,
					isWorkflow: false,
				})),
		}));
	}
}

/** Where the newest rollout of a thread goes on from an older one. What that has behind it, Codex no longer knows of. */
function revertedFrom(
	thread: Header | undefined,
	threads: readonly Header[],
): Pick<SessionFiles, 'revertedFrom'> | undefined {
	if (thread?.rollout === undefined) return undefined;
	const rollouts = new Map(
		threads.flatMap(({ id, rollout }) => (id === thread.id && rollout ? [[rollout.id, rollout]] : [])),
	);
	let next = rollouts.get([...rollouts.keys()].sort().at(-1) ?? '');
	let end: number | undefined;
	// Each is older than the one that goes on from it.
	while (next !== undefined && next.id !== thread.rollout.id) {
		end = next.baseEnd;
		next = next.base < next.id ? rollouts.get(next.base) : undefined;
	}
	if (next === undefined) end = 0;
	return end === undefined ? undefined : { revertedFrom: end };
}

/** Days of one `sessions/YYYY/MM/DD` tree: a child may be spawned after midnight. */
function isDayFolder(one: string, other: string): boolean {
	const root = (folder: string) => folder.replace(/[/\\]\d{4}[/\\]\d{2}[/\\]\d{2}$/, '');
	return one !== root(one) && root(one) === root(other);
}

function rootOf(thread: Header, parents: ReadonlyMap<string, string>): string {
	if (thread.rootId !== '') return thread.rootId;
	const seen = new Set<string>();
	let id = thread.id;
	for (let parent = thread.parentId; parent !== '' && !seen.has(parent); parent = parents.get(parent) ?? '') {
		seen.add(parent);
		id = parent;
	}
	return id;
}

function sortKey(session: SessionFiles): string {
	return session.mainPath ?? session.agents[0]?.path ?? '';
}

/** A main transcript of Claude Code is named after its session. */
const sessionName = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\.jsonl$/;

/** All transcript files of a session, the main one first. */
export function pathsOf(session: SessionFiles): readonly string[] {
	if (session.format === 'host') return session.recordingPath === undefined ? [] : [session.recordingPath];
	return [
		...(session.mainPath === undefined ? [] : [session.mainPath]),
		...session.agents.map((agent) => agent.path),
	];
}

/** Looking at a file is mostly waiting for it. */
const lookedAtTogether = 16;

const skippedFolders: ReadonlySet<string> = new Set(['node_modules', '.git', 'tool-results']);

function isAgentFile(name: string): boolean {
	return name.startsWith('agent-') && name.endsWith('.jsonl');
}

// Most files tell what they are in their first lines; a first line may hold a whole screenshot.
const headLengths = [8 * 1024, 64 * 1024, 4 * 1024 * 1024];

/** Looks at as much of a file's beginning as it takes to tell what it is. */
async function readHeaderOf(
	files: TranscriptFiles,
	path: string,
	as: TranscriptFormatId | undefined,
): Promise<Header | undefined> {
	const file = await files.open(path);
	try {
		let head = new Uint8Array(0);
		for (const length of headLengths) {
			const longer = new Uint8Array(length);
			longer.set(head);
			const filled = await fill(file, longer, head.length);
			head = longer.subarray(0, filled);
			const header = readHeader(head, path, as);
			const isWhole = filled < length;
			if (isWhole || (header !== undefined && header.id !== '')) return header;
		}
		return readHeader(head, path, as);
	} finally {
		await file.close();
	}
}

async function fill(
	file: { read(into: Uint8Array, offset: number): Promise<number> },
	buffer: Uint8Array,
	from: number,
): Promise<number> {
	let filled = from;
	while (filled < buffer.length) {
		const length = await file.read(buffer.subarray(filled), filled);
		if (length === 0) break;
		filled += length;
	}
	return filled;
}

/** Tells the format and the identity by the first lines. A damaged one among them does not matter. */
export function readHeader(head: Uint8Array, path: string, as: TranscriptFormatId | undefined): Header | undefined {
	let found: { readonly format: TranscriptFormatId; readonly start: number; readonly end: number } | undefined;
	let sessionId = '';
	for (let start = 0, lines = 0; start < head.length && lines < 30; lines++) {
		const newline = head.indexOf(0x0a, start);
		const end = newline === -1 ? head.length : newline;
		if (found === undefined) {
			const format = as ?? transcriptFormats.find((candidate) => candidate.sniffLine(head, start, end))?.id;
			if (format !== undefined) found = { format, start, end };
		}
		if (found !== undefined) {
			if (found.format === 'codex') return codexHeader(head, start, end, path);
			const seen = { sessionId: '' };
			scanner.reset(head, start, end);
			if (scanner.peek() === 0x7b) scanner.readObject(claudeHeaderMembers, seen);
			if (sessionId === '') sessionId = seen.sessionId;
		}
		start = end + 1;
	}
	return found === undefined ? undefined : { path, format: found.format, id: sessionId, parentId: '', rootId: '' };
}

const scanner = new JsonScanner();
const claudeHeaderMembers = new MemberTable<{ sessionId: string }>({
	sessionId: (cursor, seen) => void (seen.sessionId = cursor.readText()),
});

function codexHeader(head: Uint8Array, start: number, end: number, path: string): Header {
	const line = new CodexLine();
	scanner.reset(head, start, end);
	// A header is long, its instructions come last; what was read before the head ends is what counts.
	if (scanner.peek() === 0x7b) scanner.readObject(CodexLine.members, line);
	// `rollout-<time>-<thread>.jsonl`; one that a thread goes on in when it was reverted: `…-<thread>_<rollout>.jsonl`.
	const [, thread = path, rolloutId = thread] = /([0-9a-f-]{36})(?:_([0-9a-f-]{36}))?\.jsonl$/.exec(path) ?? [];
	const isHeader = line.type === 'session_meta' && line.id !== '';
	const isMissing = line.id === '' || (rolloutId !== thread && line.baseRollout === '');
	// A header that the head cuts off before its id, or before the rollout that it goes on from, is looked at again with a longer head.
	const isCut = end === head.length && line.type === 'session_meta' && isMissing;
	const id = isCut ? '' : isHeader ? line.id : thread;
	return {
		path,
		format: 'codex',
		id,
		parentId: isHeader ? line.parentThreadId : '',
		rootId: isHeader && line.parentThreadId !== '' ? line.sessionId : '',
		rollout: { id: rolloutId, base: line.baseRollout, baseEnd: line.baseEnd },
	};
}

/** A session that agents had through a host. */
export interface Recording {
	/** As the events have it. */
	readonly id: string;
	readonly path: string;
}

/** The sessions together with what a host has recorded: of those that have transcripts it is one more file, others are sessions of their own. */
export function withRecordings(
	sessions: readonly SessionFiles[],
	recordings: readonly Recording[],
): readonly SessionFiles[] {
	if (recordings.length === 0) return sessions;
	const left = new Map(recordings.map((recording) => [recording.id, recording.path]));
	const joined = sessions.map((session) => {
		// It brings what was recorded of it.
		if (session.saved !== undefined) return session;
		const id = `${session.format}:${session.nativeId}`;
		const recordingPath = recordings.find((recording) => recording.id === id)?.path;
		left.delete(id);
		return recordingPath === undefined ? session : { ...session, recordingPath };
	});
	return [...joined, ...[...left].map(([id, path]) => recordedSession(id, path))];
}

/** As events and a host have it. */
export function sessionIdOf({ format, nativeId }: Pick<SessionFiles, 'format' | 'nativeId'>): SessionId {
	return format === 'host' ? storedSessionId(nativeId) : sessionId(format, nativeId);
}

/** A session of which there is nothing but what a host has recorded. */
export function recordedSession(id: string, recordingPath: string): SessionFiles {
	return { format: 'host', nativeId: id, mainPath: undefined, agents: [], recordingPath };
}
