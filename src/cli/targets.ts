import { dirname, join } from 'node:path';
import { ExpectedError } from '../core/base/errors.ts';
import type { Core } from '../core/core.ts';
import type { LintedFile } from '../core/report/index.ts';
import { pathOfUri } from '../core/transcripts/files.ts';
import { agentHomes } from '../core/transcripts/homes.ts';
import { pathsOf, withRecordings } from '../core/transcripts/sessionFiles.ts';
import type { FindOptions, FoundSessions, SessionFiles } from '../core/transcripts/sessionFiles.ts';
import type { TranscriptFormatId } from '../core/transcripts/transcriptFormat.ts';
import { findRecordings } from '../platform/node/store/recordings.ts';
import type { CommandIo } from './io.ts';

/** A session, and what of it was asked for. */
export interface Target {
	readonly session: SessionFiles;
	/** `undefined`: all of its files. */
	readonly only: readonly string[] | undefined;
}

export interface Targets {
	readonly targets: readonly Target[];
	/** What was named or met and could not be read. */
	readonly unread: readonly LintedFile[];
}

/** The sessions that absolute paths stand for, each once, however many of the paths lead to it. */
export async function findTargets(
	core: Core,
	io: CommandIo,
	paths: readonly string[],
	as: TranscriptFormatId | undefined,
): Promise<Targets> {
	const targets = new Map<string, Target>();
	const unread = new Map<string, LintedFile>();
	for (const path of paths) {
		const { sessions, problems } = await find(core, io, path, { as });
		const isFolder = (await statOf(io, path))?.isDirectory === true;
		for (const session of sessions) {
			// A subagent's file that was named is looked at with all of its session, and reported alone.
			const isWhole = isFolder || session.mainPath === path || session.saved?.path === path;
			const only = isWhole ? undefined : [path];
			const key = `${session.format}\n${pathsOf(session)[0] ?? ''}`;
			targets.set(key, merged(targets.get(key), { session, only }));
		}
		for (const problem of problems) {
			// What lies around a named file is only searched for its relatives.
			if (!isFolder && problem.path !== path && sessions[0]?.format !== 'claude-code') continue;
			const bytes = (await statOf(io, problem.path))?.size ?? 0;
			unread.set(problem.path, {
				path: problem.path,
				format: 'unknown',
				lines: 0,
				bytes,
				problems: [{ line: 1, kind: 'unreadable', message: problem.message }],
			});
		}
	}
	return { targets: [...targets.values()], unread: [...unread.values()] };
}

/** `findSessions`, where a path that the system does not let us look at is one more problem. */
async function find(core: Core, io: CommandIo, path: string, options: FindOptions): Promise<FoundSessions> {
	try {
		return await core.findSessions(path, { ...options, signal: io.signal });
	} catch (error) {
		if (!(error instanceof ExpectedError)) throw error;
		return { sessions: [], problems: [{ path, message: error.message }] };
	}
}

/** `closed`: the system does not let us look; `find` says why. */
async function lookAt(io: CommandIo, path: string) {
	try {
		return await io.platform.files.stat(path);
	} catch (error) {
		if (error instanceof ExpectedError) return 'closed';
		throw error;
	}
}

async function statOf(io: CommandIo, path: string) {
	const stat = await lookAt(io, path);
	return stat === 'closed' ? undefined : stat;
}

/** The same session from two paths: the one that brings more files counts, and all that was asked for. */
function merged(one: Target | undefined, other: Target): Target {
	if (one === undefined) return other;
	const session = pathsOf(one.session).length >= pathsOf(other.session).length ? one.session : other.session;
	if (one.only === undefined || other.only === undefined) return { session, only: undefined };
	return { session, only: [...new Set([...one.only, ...other.only])] };
}

/** The sessions of an agent's homes. A home that is not there is an agent that is not used. */
export async function findInHomes(core: Core, io: CommandIo): Promise<FoundSessions> {
	const sessions: SessionFiles[] = [];
	const problems: FoundSessions['problems'][number][] = [];
	for (const home of agentHomes(io.platform.files, io.homeFolder, io.environment)) {
		if ((await lookAt(io, home.path)) === undefined) continue;
		const found = await find(core, io, home.path, { isHome: true });
		sessions.push(...found.sessions);
		problems.push(...found.problems);
	}
	return { sessions, problems };
}

/**
 * The same, with what hosts have recorded in a data directory: beside the transcripts of their sessions, and as sessions of their own where
 * there are none.
 */
export async function findEverywhere(core: Core, io: CommandIo, dataDirectory: string): Promise<FoundSessions> {
	const { sessions, problems } = await findInHomes(core, io);
	try {
		return { sessions: withRecordings(sessions, await findRecordings(dataDirectory)), problems };
	} catch (error) {
		if (!(error instanceof ExpectedError)) throw error;
		return { sessions, problems: [...problems, { path: dataDirectory, message: error.message }] };
	}
}

/**
 * Where the current project's sessions lie: those that agents have written in the working folder, or else in the nearest folder above
 * it that has some, up to the root of the repository. Where there are none, what the system does not let us look at.
 */
export async function currentProjectPaths(core: Core, io: CommandIo): Promise<readonly string[]> {
	const homes = agentHomes(io.platform.files, io.homeFolder, io.environment);
	const claude = homes.filter(({ format }) => format === 'claude-code');
	const codex: { readonly path: string; readonly folder: string }[] = [];
	const closed: string[] = [];
	for (const home of homes) {
		const stat = home.format === 'codex' ? await lookAt(io, home.path) : undefined;
		if (stat === undefined) continue;
		if (stat === 'closed') closed.push(home.path);
		for (const session of (await find(core, io, home.path, { isHome: true })).sessions) {
			const path = pathsOf(session)[0] ?? '';
			const folder = await codexFolder(io, path);
			if (folder !== undefined) codex.push({ path, folder: pathOfUri(io.platform.files, folder) });
		}
	}
	for (const folder of await projectFolders(io)) {
		// On Windows the drive's letter is small for some of those who start programs.
		const paths = codex
			.filter((session) => session.folder === pathOfUri(io.platform.files, folder))
			.map((session) => session.path);
		for (const home of claude) {
			const path = join(home.path, claudeFolderName(folder));
			const stat = await lookAt(io, path);
			if (stat === 'closed') closed.push(path);
			else if (stat?.isDirectory === true) paths.push(path);
		}
		if (paths.length > 0) return paths;
	}
	return closed;
}

async function projectFolders(io: CommandIo): Promise<readonly string[]> {
	const folders: string[] = [];
	for (let folder = io.workingFolder; ; folder = dirname(folder)) {
		folders.push(folder);
		if ((await statOf(io, join(folder, '.git'))) !== undefined) return folders;
		// Without a repository nothing says how far up the project reaches.
		if (folder === dirname(folder)) return [io.workingFolder];
	}
}

/** Claude Code names a project's folder after its path, with a dash for all that is neither letter nor digit. */
function claudeFolderName(folder: string): string {
	return folder.replaceAll(/[^a-zA-Z0-9]/g, '-');
}

const headLength = 64 * 1024;

/** The folder that a rollout's first line names. It stands before the long instructions. */
async function codexFolder(io: CommandIo, path: string): Promise<string | undefined> {
	try {
		const file = await io.platform.files.open(path);
		try {
			const head = new Uint8Array(headLength);
			const length = await file.read(head, 0);
			const [line = ''] = new TextDecoder().decode(head.subarray(0, length)).split('\n', 1);
			const written = /"cwd":\s*("(?:[^"\\]|\\.)*")/.exec(line)?.[1];
			// The expression lets only a JSON string through, but for odd escapes.
			return written === undefined ? undefined : (JSON.parse(written) as string);
		} finally {
			await file.close();
		}
	} catch (error) {
		// A file that cannot be read now will be no part of this project.
		if (error instanceof ExpectedError || error instanceof SyntaxError) return undefined;
		throw error;
	}
}
