// A session as one file that can be carried to another machine: what such a file says of what is in it. Where its parts lie only the file system
// knows; to whatever reads transcripts they are files below the path of the file.

import { ExpectedError } from '../base/errors.ts';
import { singleLine } from '../base/text.ts';
import type { CataloguedTool } from '../events/sessionEvent.ts';
import { joinPath } from './files.ts';
import type { TranscriptFiles } from './files.ts';
import { isSavedSession } from './savedSessionName.ts';
import type { AgentFile, SessionFiles } from './sessionFiles.ts';
import type { SessionFormatId } from './transcriptFormat.ts';

/** The version of the manifest, and so of the file. */
export const savedVersion = 1;
export const manifestName = 'manifest.json';
export const toolsName = 'tools.json';

/** Paths in it are relative, with slashes. Members that are not known here are passed over. */
export interface SavedManifest {
	readonly format: 'crosstalk-session';
	readonly version: typeof savedVersion;
	/** The program and its version. */
	readonly writtenBy: string;
	/** ISO 8601. */
	readonly savedAt: string;
	readonly session: { readonly format: SessionFormatId; readonly nativeId: string };
	/** What was known of its process when it was saved. `since`: epoch milliseconds. */
	readonly liveness: {
		readonly state: 'live' | 'ended' | 'unknown';
		readonly evidence: string;
		readonly since?: number | undefined;
	};
	/** Whether texts, arguments and results are in it as they were, or replaced. */
	readonly bodies: 'whole' | 'replaced';
	readonly main?: string | undefined;
	/** As `SessionFiles` has it. */
	readonly revertedFrom?: number | undefined;
	readonly agents: readonly {
		readonly agentId: string;
		readonly path: string;
		readonly sidecar?: string | undefined;
		readonly isWorkflow?: boolean | undefined;
	}[];
	/** What a host has recorded of it. */
	readonly recording?: string | undefined;
	/** Every file of the session in it, also those that no reader reads. `bytes`: as they were, even where bodies are replaced. */
	readonly files: readonly { readonly path: string; readonly bytes: number }[];
}

/** What is known of a session that comes out of a file. */
export interface SavedFacts {
	/** The file. */
	readonly path: string;
	/** ISO 8601. */
	readonly savedAt: string;
	readonly liveness: SavedManifest['liveness'];
	readonly bodies: SavedManifest['bodies'];
	/** What servers had said of their tools. */
	readonly tools: readonly CataloguedTool[];
}

/** The session file that a path is, or lies in. `undefined`: it is an ordinary path; a folder may have such a name too. */
export async function savedSessionAt(files: TranscriptFiles, path: string): Promise<string | undefined> {
	const parts = path.split(files.separator);
	for (const [index, part] of parts.entries()) {
		if (!isSavedSession(part)) continue;
		const candidate = parts.slice(0, index + 1).join(files.separator);
		if ((await files.stat(candidate))?.isDirectory === false) return candidate;
	}
	return undefined;
}

/**
 * Turns a session file into what `readSession` takes. Its transcripts are then read through `files` like all others, at paths below that
 * of the file.
 * @param path Of a file. Rejects with an `ExpectedError` when it is no session file, damaged, or newer than this build.
 */
export async function openSavedSession(files: TranscriptFiles, path: string): Promise<SessionFiles> {
	const manifest = manifestOf(await readJson(files, joinPath(files, path, manifestName), mostManifestBytes));
	const at = (name: string) => joinPath(files, path, ...name.split('/'));
	const { session, main, revertedFrom, agents, recording, savedAt, liveness, bodies } = manifest;
	const toolsPath = at(toolsName);
	const tools = (await files.stat(toolsPath)) === undefined ? [] : await readJson(files, toolsPath, mostToolsBytes);
	return {
		format: session.format,
		nativeId: session.nativeId,
		mainPath: main === undefined ? undefined : at(main),
		...(revertedFrom === undefined ? {} : { revertedFrom }),
		agents: agents.map((agent): AgentFile => ({
			agentId: agent.agentId,
			path: at(agent.path),
			sidecarPath: agent.sidecar === undefined ? undefined : at(agent.sidecar),
			isWorkflow: agent.isWorkflow === true,
		})),
		recordingPath: recording === undefined ? undefined : at(recording),
		saved: { path, savedAt, liveness, bodies, tools: toolsOf(tools) },
	};
}

const mostManifestBytes = 32 * 1024 * 1024;
const mostToolsBytes = 64 * 1024 * 1024;

async function readJson(files: TranscriptFiles, path: string, most: number): Promise<unknown> {
	const name = path.slice(path.lastIndexOf(files.separator) + 1);
	const stat = await files.stat(path);
	if (stat === undefined || stat.isDirectory)
		throw new ExpectedError(`It is no session file of Crosstalk: there is no ${name} in it.`);
	if (stat.size > most) throw damaged(`${name} in it is larger than any session needs`);
	const file = await files.open(path);
	try {
		const bytes = new Uint8Array(stat.size);
		let filled = 0;
		while (filled < bytes.length) {
			const length = await file.read(bytes.subarray(filled), filled);
			if (length === 0) break;
			filled += length;
		}
		return JSON.parse(new TextDecoder().decode(bytes.subarray(0, filled))) as unknown;
	} catch (error) {
		if (error instanceof SyntaxError) throw damaged(`${name} in it is not JSON`);
		throw error;
	} finally {
		await file.close();
	}
}

function manifestOf(value: unknown): SavedManifest {
	const {
		format,
		version,
		writtenBy,
		savedAt,
		session,
		liveness,
		bodies,
		main,
		revertedFrom,
		agents,
		recording,
		files,
	} = membersOf(value);
	if (format !== 'crosstalk-session') throw new ExpectedError('It is no session file of Crosstalk.');
	if (typeof version !== 'number') throw unreadable('version');
	if (version > savedVersion) {
		const by = typeof writtenBy === 'string' ? ` (${writtenBy.slice(0, 60)})` : '';
		throw new ExpectedError(
			`A newer version of Crosstalk${by} has saved it: its format is ${version}, and this one knows ${savedVersion}.`,
		);
	}
	if (version !== savedVersion) throw unreadable('version');
	const { format: sessionFormat, nativeId } = membersOf(session);
	const { state, evidence, since } = membersOf(liveness);
	const knownFormat = sessionFormats.find((known) => known === sessionFormat);
	if (knownFormat === undefined || typeof nativeId !== 'string') throw unreadable('session');
	const knownState = states.find((known) => known === state);
	if (knownState === undefined || typeof evidence !== 'string') throw unreadable('liveness');
	if (bodies !== 'whole' && bodies !== 'replaced') throw unreadable('bodies');
	if (!Array.isArray(agents)) throw unreadable('agents');
	if (main === undefined && agents.length === 0 && recording === undefined) throw unreadable('main');
	return {
		format,
		version: savedVersion,
		writtenBy: typeof writtenBy === 'string' ? writtenBy : '',
		savedAt: typeof savedAt === 'string' ? savedAt : '',
		session: { format: knownFormat, nativeId },
		liveness: { state: knownState, evidence, since: typeof since === 'number' ? since : undefined },
		bodies,
		main: main === undefined ? undefined : pathOf(main, 'main'),
		revertedFrom: typeof revertedFrom === 'number' ? revertedFrom : undefined,
		agents: agents.map((agent: unknown, index) => {
			const { agentId, path, sidecar, isWorkflow } = membersOf(agent);
			if (typeof agentId !== 'string') throw unreadable(`agents[${index}].agentId`);
			return {
				agentId,
				path: pathOf(path, `agents[${index}].path`),
				sidecar: sidecar === undefined ? undefined : pathOf(sidecar, `agents[${index}].sidecar`),
				isWorkflow: isWorkflow === true,
			};
		}),
		recording: recording === undefined ? undefined : pathOf(recording, 'recording'),
		files: (Array.isArray(files) ? files : []).flatMap((file: unknown) => {
			const { path, bytes } = membersOf(file);
			return typeof path === 'string' && typeof bytes === 'number' ? [{ path, bytes }] : [];
		}),
	};
}

const sessionFormats: readonly SessionFormatId[] = ['claude-code', 'codex', 'host'];
const states = ['live', 'ended', 'unknown'] as const;

/** A path that leads out of the file leads nowhere. */
function pathOf(value: unknown, member: string): string {
	const isInside =
		typeof value === 'string' &&
		!value.includes('\\') &&
		value.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
	if (!isInside) throw unreadable(member);
	return value;
}

function toolsOf(value: unknown): readonly CataloguedTool[] {
	if (!Array.isArray(value)) throw damaged(`${toolsName} in it is no list`);
	return value.flatMap((tool: unknown): CataloguedTool[] => {
		const { server, tool: name, description, inputSchema } = membersOf(tool);
		if (typeof server !== 'string' || typeof name !== 'string') return [];
		return [
			{
				server,
				tool: name,
				description: typeof description === 'string' ? description : undefined,
				inputSchema: typeof inputSchema === 'string' ? inputSchema : undefined,
			},
		];
	});
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
	// Each member is looked at before it is used.
	return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function unreadable(member: string): ExpectedError {
	return damaged(`"${member}" of its ${manifestName} is not as it should be`);
}

function damaged(what: string): ExpectedError {
	return new ExpectedError(`The session file is damaged: ${singleLine(what)}.`);
}
