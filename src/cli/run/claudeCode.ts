// Claude Code: its servers are replaced by name, with `--mcp-config`, which counts more than any file; what is not replaced stays as it
// is, plugins, connectors and servers that nobody has approved yet included.

import { randomUUID } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { sessionId } from '../../core/base/ids.ts';
import { plainOf } from '../../core/host/config/configValue.ts';
import { readServerEntry, transportKeys } from '../../core/host/config/serverEntry.ts';
import { resolveServer } from '../../core/host/config/resolveServer.ts';
import type { ServerDefinition } from '../../core/host/serverDefinition.ts';
import { claudeProjectKeys } from '../../platform/node/host/config/claudeProjects.ts';
import { isRouted } from '../../platform/node/host/config/routing.ts';
import { claudeCodeVersion, versionObstacle } from '../../platform/node/host/hooks/claudeCodeVersion.ts';
import { obstacleIn, withHookHandlers } from '../../platform/node/host/hooks/claudeCodeSettings.ts';
import { readRegularText } from '../../platform/node/regularFile.ts';
import { configValueOf, record, withOptions, withoutProxy } from './agentPlan.ts';
import type { AgentPlan, Invocation } from './agentPlan.ts';
import { whyLeftToAgent } from './signIn.ts';

type Json = Readonly<Record<string, unknown>>;

/** `undefined`: this command line starts no session. */
export async function planClaudeCode(invocation: Invocation): Promise<AgentPlan | undefined> {
	const line = readCommandLine(invocation.args);
	if (line.isOtherCommand) return undefined;
	const notes: string[] = [];
	const flagSettings = await readSettingsOption(line.settings, invocation);
	const settings = await readSettings(invocation, line);
	if (flagSettings.value !== undefined) settings.push({ source: 'flag', value: flagSettings.value });
	const state = await readState(invocation);
	const chosen = await chooseServers(invocation, line, settings, state, notes);
	const version = await claudeCodeVersion(invocation.command, invocation.environment);
	const obstacle = version === undefined ? undefined : versionObstacle(version);
	const canHook = noteHooks(line, settings, flagSettings.problem ?? obstacle, notes);
	const servers = await definitions(chosen, invocation, notes);
	const session = sessionOf(invocation.args);
	return {
		hasAnswered: version !== undefined,
		servers: servers.map(({ definition }) => definition),
		isHeadless: line.isHeadless,
		notes,
		async launch(host) {
			const options: string[] = [];
			if (session?.isNew === true && (servers.length > 0 || canHook)) options.push(`--session-id=${session.id}`);
			if (servers.length > 0) {
				const { command, args, environment } = host.connect;
				// Without it the host would know the session only when the first hook comes, and none at all where hooks are forbidden.
				const env = {
					...environment,
					...(session === undefined ? {} : { CLAUDE_CODE_SESSION_ID: session.id }),
				};
				// Not the host's address: over HTTP all calls under way fail when the host ends, and Claude Code does not connect again.
				const entries = servers.map(({ definition: { name }, kept }) => {
					const known = host.names[name] ?? name;
					const words = known.startsWith('-') ? ['--', known] : [known];
					return [name, { ...kept, type: 'stdio', command, args: [...args, ...words], env }] as const;
				});
				const text = JSON.stringify({ mcpServers: Object.fromEntries(entries) });
				// Of two files with one name in them the last one counts.
				options.push(`--mcp-config=${await host.write('mcp.json', text)}`);
			}
			if (canHook) {
				const text = JSON.stringify(
					withHookHandlers(
						flagSettings.value ?? {},
						{ ...host.hooks, source: host.source },
						settings.map(({ value }) => value),
					),
				);
				// Of two such options the last one alone counts, so what the person gave is in it.
				options.push(`--settings=${await host.write('settings.json', text)}`);
			}
			return {
				args: withOptions(invocation.args, options),
				environment: withoutProxy(invocation.environment),
				sessionId: session === undefined ? undefined : sessionId('claude-code', session.id),
			};
		},
	};
}

interface CommandLine {
	/** Starts no session here: a subcommand, help, a session elsewhere. */
	readonly isOtherCommand: boolean;
	readonly isHeadless: boolean;
	readonly isStrict: boolean;
	/** No hooks, and no servers but those on the command line. */
	readonly isBare: boolean;
	/** No hooks and no servers. */
	readonly isSafe: boolean;
	readonly isRestricted: boolean;
	readonly hasWorktree: boolean;
	/** Files or JSON. */
	readonly servers: readonly string[];
	readonly settings: string | undefined;
	readonly sources: ReadonlySet<string>;
}

const subcommands = new Set(
	(
		'agents attach auth auto-mode config daemon doctor gateway import install logs mcp migrate-installer plugin plugins ' +
		'purge remote-control respawn rm server setup setup-token stop kill ultrareview update upgrade'
	).split(' '),
);
const elsewhere = new Set([
	'-h',
	'--help',
	'-v',
	'--version',
	'--bg',
	'--background',
	'--cloud',
	'--desktop',
	'--teleport',
]);

function readCommandLine(args: readonly string[]): CommandLine {
	const end = args.indexOf('--');
	const options = end === -1 ? args : args.slice(0, end);
	const servers: string[] = [];
	let settings: string | undefined;
	let sources: ReadonlySet<string> = new Set(['user', 'project', 'local']);
	for (const [index, option] of options.entries()) {
		const [name = '', ...rest] = option.split('=');
		const value = option.startsWith('--') && rest.length > 0 ? rest.join('=') : undefined;
		if (name === '--mcp-config') {
			if (value !== undefined) servers.push(value);
			// Takes all that follows, up to the next option.
			else
				for (const word of options.slice(index + 1))
					if (!word.startsWith('-')) servers.push(word);
					else break;
		}
		if (name === '--settings') settings = value ?? options[index + 1];
		if (name === '--setting-sources')
			sources = new Set((value ?? options[index + 1] ?? '').split(',').map((source) => source.trim()));
	}
	const has = (...names: readonly string[]) =>
		options.some((option) => names.includes(option.startsWith('--') ? (option.split('=')[0] ?? '') : option));
	return {
		isOtherCommand:
			subcommands.has(args[0] ?? '') || options.some((option) => elsewhere.has(option.split('=')[0] ?? '')),
		isHeadless: has('-p', '--print'),
		isStrict: has('--strict-mcp-config'),
		isBare: has('--bare'),
		isSafe: has('--safe-mode'),
		isRestricted: has('--restricted'),
		hasWorktree: has('-w', '--worktree'),
		servers,
		settings,
		sources,
	};
}

/** The session that this command line begins or goes on with; `undefined`: that is decided later, by a person or by what is there. */
function sessionOf(args: readonly string[]): { readonly id: string; readonly isNew: boolean } | undefined {
	const given = (...names: readonly string[]) => {
		const index = args.findIndex((option) => names.includes(option.split('=')[0] ?? ''));
		const option = args[index];
		if (option === undefined) return undefined;
		return option.includes('=') ? option.slice(option.indexOf('=') + 1) : (args[index + 1] ?? '');
	};
	const isSession = (text: string) => /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/.test(text);
	const fixed = given('--session-id');
	if (fixed !== undefined) return isSession(fixed) ? { id: fixed, isNew: false } : undefined;
	const resumed = given('-r', '--resume');
	if (resumed !== undefined)
		return isSession(resumed) && !args.includes('--fork-session') ? { id: resumed, isNew: false } : undefined;
	const isChosenLater = ['-c', '--continue', '--from-pr', '--fork-session', '--remote-control'].some(
		(name) => given(name) !== undefined,
	);
	return isChosenLater ? undefined : { id: randomUUID(), isNew: true };
}

interface Settings {
	readonly source: 'managed' | 'user' | 'project' | 'local' | 'flag';
	readonly value: Json;
}

async function readSettings(invocation: Invocation, line: CommandLine): Promise<Settings[]> {
	const settings: Settings[] = [];
	const add = async (source: Settings['source'], path: string) => {
		const value = await readJson(path);
		if (value !== undefined) settings.push({ source, value });
	};
	await add('managed', join(managedFolder(invocation), 'managed-settings.json'));
	if (line.isRestricted) return settings;
	const projects = new Set([
		invocation.workingFolder,
		(await gitRoot(invocation.workingFolder)) ?? invocation.workingFolder,
	]);
	if (line.sources.has('user')) await add('user', join(configFolder(invocation), 'settings.json'));
	for (const project of projects) {
		if (line.sources.has('project')) await add('project', join(project, '.claude', 'settings.json'));
		if (line.sources.has('local')) await add('local', join(project, '.claude', 'settings.local.json'));
	}
	return settings;
}

async function readSettingsOption(
	option: string | undefined,
	{ workingFolder }: Invocation,
): Promise<{ readonly value?: Json | undefined; readonly problem?: string }> {
	if (option === undefined) return {};
	if (option.trimStart().startsWith('{')) {
		const value = parseJson(option);
		return value === undefined ? { problem: 'The settings on its command line are no JSON.' } : { value };
	}
	const value = await readJson(resolve(workingFolder, option));
	return value === undefined ? { problem: `The settings ${option} cannot be read.` } : { value };
}

/** What Claude Code has written down itself: servers of the user, and of this project for this user alone. */
interface State {
	readonly servers: Json;
	readonly project: Json;
	readonly isTrusted: boolean;
}

async function readState(invocation: Invocation): Promise<State> {
	const folder = invocation.environment['CLAUDE_CONFIG_DIR'];
	const state = await readJson(
		join(folder === undefined || folder === '' ? invocation.homeFolder : folder, '.claude.json'),
	);
	const projects = record(state?.['projects']) ?? {};
	const knownOf = (path: string) =>
		claudeProjectKeys(path)
			.map((name) => record(projects[name]))
			.find((known) => known !== undefined);
	const key = (await gitRoot(invocation.workingFolder)) ?? (await realFolder(invocation.workingFolder));
	return {
		servers: record(state?.['mcpServers']) ?? {},
		project: knownOf(key) ?? {},
		isTrusted: [...withParents(invocation.workingFolder)].some(
			(path) => knownOf(path)?.['hasTrustDialogAccepted'] === true,
		),
	};
}

/** By name, the entries of the configurations as Claude Code would take them, without those that it would not start. */
async function chooseServers(
	invocation: Invocation,
	line: CommandLine,
	settings: readonly Settings[],
	state: State,
	notes: string[],
): Promise<ReadonlyMap<string, unknown>> {
	const chosen = new Map<string, unknown>();
	const managed = join(managedFolder(invocation), 'managed-mcp.json');
	const policy = ['allowedMcpServers', 'deniedMcpServers', 'allowManagedMcpServersOnly', 'managedMcpServers'].find(
		(key) => settings.some(({ value }) => value[key] !== undefined && value[key] !== false),
	);
	const reason =
		line.isSafe || invocation.environment['CLAUDE_CODE_SAFE_MODE'] === '1'
			? 'Its safe mode has no servers.'
			: line.hasWorktree
				? 'Its servers are left to it: they belong into a worktree that does not exist yet.'
				: policy !== undefined
					? `Its servers are left to it: the settings have "${policy}".`
					: (await readJson(managed)) !== undefined
						? `Its servers are left to it: they are managed by ${managed}.`
						: undefined;
	if (reason !== undefined) {
		notes.push(reason);
		return chosen;
	}
	const isStrict = line.isStrict || line.isBare || invocation.environment['CLAUDE_CODE_SIMPLE'] === '1';
	if (!isStrict) {
		if (line.sources.has('user'))
			for (const [name, entry] of Object.entries(state.servers)) chosen.set(name, entry);
		if (line.sources.has('project')) {
			// The nearest counts most.
			for (const folder of [...withParents(invocation.workingFolder)].toReversed()) {
				const servers = record((await readJson(join(folder, '.mcp.json')))?.['mcpServers']) ?? {};
				for (const [name, entry] of Object.entries(servers)) {
					const approval = approvalOf(name, invocation, line, settings, state);
					if (approval === 'approved') chosen.set(name, entry);
					else if (!chosen.has(name) && approval === 'pending')
						notes.push(`"${name}" is left to it: you have not approved this server of .mcp.json yet.`);
				}
			}
		}
		if (line.sources.has('local'))
			for (const [name, entry] of Object.entries(record(state.project['mcpServers']) ?? {}))
				chosen.set(name, entry);
		for (const name of texts(state.project['disabledMcpServers'])) chosen.delete(name);
	}
	for (const option of line.servers) {
		const value = option.trimStart().startsWith('{')
			? parseJson(option)
			: await readJson(resolve(invocation.workingFolder, option));
		// What it cannot read it complains about itself.
		for (const [name, entry] of Object.entries(record(value?.['mcpServers']) ?? {})) chosen.set(name, entry);
	}
	return chosen;
}

/** A server of a project is somebody else's word: it counts when this user has said so, or when there is nobody to be asked. */
function approvalOf(
	name: string,
	invocation: Invocation,
	line: CommandLine,
	settings: readonly Settings[],
	state: State,
): 'approved' | 'rejected' | 'pending' {
	const plain = (text: string) => text.replaceAll(/[^a-zA-Z0-9_-]/g, '_');
	const lists = (value: Json, key: string) => texts(value[key]).some((entry) => plain(entry) === plain(name));
	const all = [...settings.map(({ value }) => value), state.project];
	if (all.some((value) => lists(value, 'disabledMcpjsonServers'))) return 'rejected';
	// A project that nobody trusts cannot approve its own servers.
	const approving = settings.filter(({ source }) => state.isTrusted || !(source === 'project' || source === 'local'));
	if (
		[...approving.map(({ value }) => value), state.project].some(
			(value) => value['enableAllProjectMcpServers'] === true || lists(value, 'enabledMcpjsonServers'),
		)
	)
		return 'approved';
	return line.isHeadless || !invocation.isTerminal ? 'approved' : 'pending';
}

interface Server {
	readonly definition: ServerDefinition;
	/** The keys of the entry that are between Claude Code and its user. */
	readonly kept: Json;
}

async function definitions(
	chosen: ReadonlyMap<string, unknown>,
	invocation: Invocation,
	notes: string[],
): Promise<readonly Server[]> {
	const all = await Promise.all(
		[...chosen].map(async ([name, entry]): Promise<Server | string | undefined> => {
			const server = readServerEntry({ name, offset: 0, value: configValueOf(entry) }, 'claude', () => undefined);
			if (server === undefined) return `"${name}" is left to it: its entry is none that Crosstalk understands.`;
			// What "import" has routed goes through the host as it is.
			if (isRouted(plainOf(configValueOf(entry)))) return undefined;
			if (server.boundToClient !== undefined) return `"${name}" is left to it: ${server.boundToClient}.`;
			const resolved = resolveServer(server, {
				dialect: 'claude',
				environment: invocation.environment,
				folder: invocation.workingFolder,
				homeFolder: invocation.homeFolder,
				separator: sep,
				absolute: (path) => resolve(invocation.workingFolder, path),
				readEnvFile: (path) => `${path}: Claude Code reads no such files.`,
			});
			if ('problems' in resolved) return `"${name}" is left to it. ${resolved.problems.join(' ')}`;
			const { definition } = resolved;
			const { transport } = definition;
			if (transport.kind !== 'stdio' && Object.keys(transport.headers).length === 0) {
				const reason = await whyLeftToAgent(transport.url);
				if (reason !== undefined) return `"${name}" is left to it: ${reason}.`;
			}
			const kept = Object.entries(record(entry) ?? {}).filter(([key]) => !transportKeys.claude.includes(key));
			return { definition: withVariables(definition, invocation), kept: Object.fromEntries(kept) };
		}),
	);
	notes.push(...all.filter((server) => typeof server === 'string'));
	return all.filter((server) => typeof server === 'object');
}

function withVariables(definition: ServerDefinition, invocation: Invocation): ServerDefinition {
	if (definition.transport.kind !== 'stdio') return definition;
	const env = {
		CLAUDE_PROJECT_DIR: invocation.workingFolder,
		...invocation.serverVariables,
		...definition.transport.env,
	};
	return {
		...definition,
		transport: { ...definition.transport, env },
		secrets: [...definition.secrets, ...Object.values(invocation.serverVariables)],
	};
}

function noteHooks(
	line: CommandLine,
	settings: readonly Settings[],
	problem: string | undefined,
	notes: string[],
): boolean {
	const forbidden = settings.map(({ value }) => obstacleIn(value)).find((key) => key !== undefined);
	const reason =
		problem ??
		(line.isBare || line.isSafe
			? 'This mode has no hooks.'
			: forbidden === undefined
				? undefined
				: `The settings have "${forbidden}".`);
	if (reason === undefined) return true;
	notes.push(`Which agent makes a call cannot be known: without hooks it does not say. ${reason}`);
	return false;
}

function configFolder({ environment, homeFolder }: Invocation): string {
	const folder = environment['CLAUDE_CONFIG_DIR'];
	return folder === undefined || folder === '' ? join(homeFolder, '.claude') : folder;
}

function managedFolder({ environment }: Invocation): string {
	switch (process.platform) {
		case 'darwin':
			return '/Library/Application Support/ClaudeCode';
		case 'win32':
			return join(environment['ProgramFiles'] ?? 'C:\\Program Files', 'ClaudeCode');
		default:
			return '/etc/claude-code';
	}
}

/** Of a worktree: the repository's own, for which Claude Code keeps what it knows of a project. */
async function gitRoot(folder: string): Promise<string | undefined> {
	for (const parent of withParents(await realFolder(folder))) {
		const git = join(parent, '.git');
		try {
			const pointer = await readRegularText(git);
			return /^gitdir: (.+)[/\\]\.git[/\\]worktrees[/\\][^/\\]+\s*$/.exec(pointer)?.[1] ?? parent;
		} catch (error) {
			if (error instanceof Error && 'code' in error && error.code === 'EISDIR') return parent;
			// Not there, or not to be read: no repository that it could see.
		}
	}
	return undefined;
}

async function realFolder(folder: string): Promise<string> {
	// A folder that is gone has no other path.
	return realpath(folder).catch(() => folder);
}

function* withParents(folder: string): Iterable<string> {
	for (let path = resolve(folder); ; path = dirname(path)) {
		yield path;
		if (dirname(path) === path) return;
	}
}

async function readJson(path: string): Promise<Json | undefined> {
	try {
		return parseJson(await readRegularText(path));
	} catch {
		// Whatever cannot be read, Claude Code cannot read either, and says so where a person wants to know.
		return undefined;
	}
}

function parseJson(text: string): Json | undefined {
	try {
		return record(JSON.parse(text));
	} catch {
		// As above.
		return undefined;
	}
}

function texts(value: unknown): readonly string[] {
	return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}
