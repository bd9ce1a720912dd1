import { isAbsolute, resolve, sep } from 'node:path';
import { parseEnv } from 'node:util';
import { ExpectedError } from '../../../core/base/errors.ts';
import { lineAt, valueAt } from '../../../core/host/config/configValue.ts';
import type { ConfigMember, ConfigObject } from '../../../core/host/config/configValue.ts';
import { readScopes } from '../../../core/host/config/scopeConfig.ts';
import { resolveServer } from '../../../core/host/config/resolveServer.ts';
import type { ResolveContext } from '../../../core/host/config/resolveServer.ts';
import { readServerEntry } from '../../../core/host/config/serverEntry.ts';
import type { ConfigDialect, Report } from '../../../core/host/config/serverEntry.ts';
import type { ServerDefinition } from '../../../core/host/serverDefinition.ts';
import type { ScopeSettings } from '../../../core/scope/index.ts';
import { claudeProjectKeys } from './config/claudeProjects.ts';
import { decodeConfig, dialectOf, folderOf, formatOf, parseConfig } from './config/clientConfig.ts';
import { codeOf, isErrno, whyUnreadable } from '../errno.ts';
import { readRegularFile, readRegularTextSync } from '../regularFile.ts';

export interface ServerConfigOptions {
	/** What `${VAR}` is looked up in. */
	readonly environment: Readonly<Record<string, string | undefined>>;
	readonly homeFolder: string;
	/** Of `~/.claude.json` also the servers of this project. Absolute. */
	readonly project?: string | undefined;
	/** What `${workspaceFolder}` means, where it is not the folder that the file lies in. Absolute. */
	readonly folder?: string | undefined;
}

export interface ServerConfig {
	readonly servers: readonly ServerDefinition[];
	/** `false`: the text itself is broken. What stands in it may be cut short, and what it said before holds on. */
	readonly isWhole: boolean;
	/** What the file says of the scopes of tools; absent: it could not be read, and what it said before may still hold. */
	readonly scopes?: ScopeSettings | undefined;
	/** Finished sentences. They name servers, keys and variables, and never a value of `env` or `headers`. */
	readonly problems: readonly ServerConfigProblem[];
}

export interface ServerConfigProblem {
	/** 1-based. */
	readonly line: number;
	readonly message: string;
}

/**
 * The servers of one configuration file: `mcpServers` (Claude Code, Cursor and most others), `servers` (VS Code) or Codex' `config.toml`.
 * A server that is wrong or cannot be resolved costs that server; a file that cannot be read at all throws an `ExpectedError`.
 * Servers that are switched off in the file are left out without a word.
 */
export async function readServerConfig(path: string, options: ServerConfigOptions): Promise<ServerConfig> {
	const { root, isWhole, problems, report } = await readConfigFile(path);
	if (root === undefined) return { servers: [], isWhole, problems };
	const folder = options.folder ?? folderOf(path);
	const servers = new Map<string, ServerDefinition>();
	let hasContainer = false;
	// What is nearer to the project counts more, as it does for the client.
	for (const [keys, containerFolder] of containersOf(options.project, folder)) {
		const container = valueAt(root, keys);
		if (container === undefined) continue;
		hasContainer = true;
		const rootKey = keys.at(-1) ?? '';
		if (container.kind !== 'object') {
			report(container.offset, `"${keys.join('.')}" must be an object of servers.`);
			continue;
		}
		const context = resolveContext(dialectOf(path, rootKey), containerFolder, options);
		const named = new Set<string>();
		for (const member of container.members) {
			if (named.has(member.name))
				report(member.offset, `Server "${member.name}" is there twice; the last one counts.`);
			named.add(member.name);
			const definition = readServer(member, context, report);
			if (definition === undefined) servers.delete(member.name);
			else servers.set(member.name, definition);
		}
	}
	const scopes = readScopes(root, report);
	if (!hasContainer && scopes === undefined && isWhole)
		report(
			0,
			formatOf(path) === 'toml'
				? 'There are no servers in this file: it needs tables [mcp_servers.<name>].'
				: 'There are no servers in this file: it needs an object "mcpServers" or "servers".',
		);
	return { servers: [...servers.values()], isWhole, ...(isWhole ? { scopes: scopes ?? {} } : {}), problems };
}

/**
 * What a file says of the scopes of tools, and nothing else of it: one of its own, a configuration of servers, or VS Code's settings.
 * A file that cannot be read at all throws an `ExpectedError`.
 */
export async function readScopeConfig(path: string): Promise<ServerConfig> {
	const { root, isWhole, problems, report } = await readConfigFile(path);
	if (root === undefined) return { servers: [], isWhole, problems };
	const scopes = readScopes(root, report);
	if (scopes === undefined && isWhole)
		report(0, 'There is nothing of scopes in this file: it needs an object "scope".');
	return { servers: [], isWhole, ...(isWhole ? { scopes: scopes ?? {} } : {}), problems };
}

interface ConfigFile {
	/** `undefined`: there is nothing in it that could be used. */
	readonly root: ConfigObject | undefined;
	/** Nothing is wrong with the text itself. */
	readonly isWhole: boolean;
	/** Grows with what is reported. */
	readonly problems: readonly ServerConfigProblem[];
	readonly report: Report;
}

async function readConfigFile(path: string): Promise<ConfigFile> {
	const decoded = decodeConfig(await readBytes(path));
	const problems: ServerConfigProblem[] = [];
	const text = typeof decoded === 'string' ? '' : decoded.text;
	const report = (offset: number, message: string) => void problems.push({ line: lineAt(text, offset), message });
	if (typeof decoded === 'string') {
		report(0, decoded);
		return { root: undefined, isWhole: false, problems, report };
	}
	const { root, problems: syntax } = parseConfig(text, formatOf(path));
	for (const { offset, message } of syntax) report(offset, message);
	const isWhole = syntax.length === 0;
	if (root?.kind === 'object') return { root, isWhole, problems, report };
	if (isWhole)
		report(
			root?.offset ?? 0,
			root === undefined ? 'The file is empty; it must hold an object.' : 'The file must hold an object.',
		);
	return { root: undefined, isWhole: false, problems, report };
}

/** One server, or `undefined` and a report why there is none. A server that is switched off is none. */
function readServer(
	member: ConfigMember,
	context: ResolveContext,
	report: (offset: number, message: string) => void,
): ServerDefinition | undefined {
	const server = readServerEntry(member, context.dialect, report);
	if (server === undefined || !server.isEnabled) return undefined;
	const resolved = resolveServer(server, context);
	if ('definition' in resolved) return resolved.definition;
	report(member.offset, `Server "${member.name}" is left out. ${resolved.problems.join(' ')}`);
	return undefined;
}

export function resolveContext(
	dialect: ConfigDialect,
	folder: string,
	{ environment, homeFolder }: Pick<ServerConfigOptions, 'environment' | 'homeFolder'>,
): ResolveContext {
	return {
		dialect,
		environment,
		folder,
		homeFolder,
		separator: sep,
		absolute: (path) => (isAbsolute(path) ? path : resolve(folder, path)),
		readEnvFile,
	};
}

function readEnvFile(path: string): Readonly<Record<string, string>> | string {
	try {
		const variables = parseEnv(readRegularTextSync(path).replace(/^\uFEFF/, ''));
		return Object.fromEntries(
			Object.entries(variables).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
		);
	} catch (error) {
		return isErrno(error, 'ENOENT')
			? `There is no file ${path}, which its envFile names.`
			: `The file ${path}, which its envFile names, cannot be read${codeOf(error)}.`;
	}
}

function containersOf(
	project: string | undefined,
	folder: string,
): readonly [keys: readonly string[], folder: string][] {
	return [
		[['mcpServers'], folder],
		[['servers'], folder],
		[['mcp_servers'], folder],
		...(project === undefined
			? []
			: claudeProjectKeys(project)
					.toReversed()
					.map((key): [readonly string[], string] => [['projects', key, 'mcpServers'], project])),
	];
}

async function readBytes(path: string): Promise<Uint8Array> {
	try {
		return await readRegularFile(path);
	} catch (error) {
		throw new ExpectedError(`The configuration ${path} cannot be read: ${whyUnreadable(error)}`, { cause: error });
	}
}
