// Codex: its servers are replaced with `-c`. An override is merged into the entry that it is for, so a command can only become another.

import { execFile } from 'node:child_process';
import { resolve, sep } from 'node:path';
import { plainOf } from '../../core/host/config/configValue.ts';
import { readServerEntry } from '../../core/host/config/serverEntry.ts';
import { resolveServer } from '../../core/host/config/resolveServer.ts';
import type { ServerDefinition } from '../../core/host/serverDefinition.ts';
import { agentStart } from '../../platform/node/agentStart.ts';
import { isRouted } from '../../platform/node/host/config/routing.ts';
import { configValueOf, record, withOptions, withoutProxy } from './agentPlan.ts';
import type { AgentPlan, HostPlace, Invocation } from './agentPlan.ts';
import { codexHookOptions } from './codexHooks.ts';

type Json = Readonly<Record<string, unknown>>;

/** `undefined`: this command line starts no session. */
export async function planCodex(invocation: Invocation): Promise<AgentPlan | undefined> {
	const line = readCommandLine(invocation);
	if (line === undefined) return undefined;
	const notes: string[] = [];
	const listed = await listServers(invocation, line);
	if (listed === undefined) notes.push('Its servers are left to it: it does not tell them (codex mcp list --json).');
	const servers = (listed ?? []).flatMap((entry) => definitionOf(entry, invocation, line.folder, notes));
	return {
		hasAnswered: listed !== undefined,
		servers,
		isHeadless: line.isHeadless,
		notes,
		async launch(host) {
			// The last of two overrides counts.
			const options = [
				...servers.flatMap((server) => overrides(server, host)),
				...(listed ?? []).flatMap((entry) => routedOverrides(entry, host)),
			];
			const hooks = invocation.hasHooks ? await codexHookOptions({ ...invocation, ...line }, host) : [];
			const remarks = typeof hooks === 'string' ? [hooks] : [];
			return {
				args: withOptions(invocation.args, [...options, ...(typeof hooks === 'string' ? [] : hooks)]),
				environment: withoutProxy(invocation.environment),
				remarks,
			};
		},
	};
}

interface CommandLine {
	/** The options that say which configuration counts. */
	readonly configuration: readonly string[];
	readonly folder: string;
	readonly isHeadless: boolean;
}

/** Of those that Codex knows, the ones that begin or go on with a session in this process. */
const sessionCommands = new Set(['exec', 'e', 'review', 'resume', 'fork']);
/** They ask nobody anything. */
const headlessCommands = new Set(['exec', 'e', 'review']);
const otherCommands = new Set(
	(
		'agents login logout mcp plugin app-server remote-control completion update doctor sandbox debug apply a queue archive ' +
		'delete migrate-rollouts migrate-nfs-db unarchive cloud exec-server features help mcp-server proto'
	).split(' '),
);
const configurationOptions = new Set(['-c', '--config', '-p', '--profile', '--enable', '--disable']);
const folderOptions = new Set(['-C', '--cd']);
/** Options of the first level with a value, so that a value is not taken for a command. */
const otherOptionsWithValue = new Set(
	(
		'--remote --remote-auth-token-env -i --image -m --model --local-provider -s --sandbox -a --ask-for-approval --add-dir ' +
		'--color -o --output-last-message --output-schema'
	).split(' '),
);

function readCommandLine({ args, workingFolder }: Invocation): CommandLine | undefined {
	const configuration: string[] = [];
	let folder = workingFolder;
	let command: string | undefined;
	for (let index = 0; index < args.length && args[index] !== '--'; index++) {
		const word = args[index] ?? '';
		if (!word.startsWith('-')) {
			command ??= word;
			continue;
		}
		if (['-h', '--help', '-V', '--version', '--remote'].includes(word.split('=')[0] ?? '')) return undefined;
		const [, name = word, attached] =
			/^(--[\w-]+)=([\s\S]*)$/.exec(word) ?? /^(-[cpC])=?([\s\S]+)$/.exec(word) ?? [];
		const hasValue = configurationOptions.has(name) || folderOptions.has(name) || otherOptionsWithValue.has(name);
		if (!hasValue) continue;
		const value = attached ?? args[++index] ?? '';
		if (configurationOptions.has(name)) configuration.push(name, value);
		if (folderOptions.has(name)) folder = resolve(workingFolder, value);
	}
	// Any other word is a prompt.
	if (command !== undefined && otherCommands.has(command) && !sessionCommands.has(command)) return undefined;
	return { configuration, folder, isHeadless: headlessCommands.has(command ?? '') };
}

const patienceMs = 20_000;

/** Codex itself knows best what its configuration says, with profiles, projects, requirements and the options of this command line. */
function listServers(invocation: Invocation, line: CommandLine): Promise<readonly Json[] | undefined> {
	const { command, environment } = invocation;
	const args = [...line.configuration, 'mcp', 'list', '--json'];
	return new Promise((done) => {
		const start = agentStart({ command, args, cwd: line.folder }, environment);
		if (typeof start === 'string') {
			done(undefined);
			return;
		}
		execFile(
			start.file,
			start.args,
			{
				cwd: line.folder,
				// `undefined` leaves a variable out.
				env: { ...environment },
				timeout: patienceMs,
				maxBuffer: 16 * 1024 * 1024,
				windowsHide: true,
				windowsVerbatimArguments: start.isVerbatim,
			},
			(error, stdout) => {
				if (error !== null) {
					done(undefined);
					return;
				}
				try {
					const list: unknown = JSON.parse(stdout);
					done(Array.isArray(list) ? list.map(record).filter((entry) => entry !== undefined) : undefined);
				} catch {
					// Another version, with another way to say it.
					done(undefined);
				}
			},
		);
	});
}

function definitionOf(
	entry: Json,
	invocation: Invocation,
	folder: string,
	notes: string[],
): readonly ServerDefinition[] {
	const { name, enabled, transport, auth_status: sign } = entry;
	if (typeof name !== 'string' || enabled === false) return [];
	const left = (reason: string): [] => {
		notes.push(`"${name}" is left to it${reason}`);
		return [];
	};
	if (!/^[\w-]+$/.test(name)) return left(': a name like this cannot be said on its command line.');
	if (sign === 'oauth' || sign === 'o_auth' || sign === 'not_logged_in') return left(': one has to sign in there.');
	const { http_headers_helper: helper, ...described } = record(transport) ?? {};
	if (helper !== undefined && helper !== null) return left(': its headers come from a command that it runs.');
	const keys = Object.entries({ ...described, ...timeouts(entry) }).filter(
		([key, value]) => key !== 'type' && value !== null,
	);
	const value = configValueOf(Object.fromEntries(keys));
	// What “import” has routed goes through the host as it is.
	if (isRouted(plainOf(value))) return [];
	const server = readServerEntry({ name, offset: 0, value }, 'codex', () => undefined);
	if (server === undefined) return left(': its entry is none that Crosstalk understands.');
	if (server.boundToClient !== undefined) return left(`: ${server.boundToClient}.`);
	const resolved = resolveServer(server, {
		dialect: 'codex',
		environment: invocation.environment,
		folder,
		homeFolder: invocation.homeFolder,
		separator: sep,
		absolute: (path) => resolve(folder, path),
		readEnvFile: (path) => `${path}: Codex reads no such files.`,
	});
	if ('problems' in resolved) return left(`. ${resolved.problems.join(' ')}`);
	const { definition } = resolved;
	if (definition.transport.kind !== 'stdio')
		return left(": the host's secret address would stand on its command line, where others can read it.");
	const { serverVariables } = invocation;
	return [
		{
			...definition,
			transport: { ...definition.transport, env: { ...serverVariables, ...definition.transport.env } },
			secrets: [...definition.secrets, ...Object.values(serverVariables)],
		},
	];
}

function timeouts(entry: Json): Json {
	return { startup_timeout_sec: entry['startup_timeout_sec'], tool_timeout_sec: entry['tool_timeout_sec'] };
}

function overrides({ name }: ServerDefinition, host: HostPlace): readonly string[] {
	const key = `mcp_servers.${name}`;
	const known = host.names[name] ?? name;
	const { command, args, environment } = host.connect;
	return [
		...['-c', `${key}.command=${toml(command)}`],
		...['-c', `${key}.args=[${[...args, known].map(toml).join(',')}]`],
		...Object.entries(environment).flatMap(([variable, value]) => ['-c', `${key}.env.${variable}=${toml(value)}`]),
	];
}

/** What “import” has routed goes through the host as it is, and says only whose run it is of. */
function routedOverrides({ name, enabled, transport }: Json, { source }: HostPlace): readonly string[] {
	const { command, args } = record(transport) ?? {};
	if (source === undefined || enabled === false || typeof name !== 'string' || !/^[\w-]+$/.test(name)) return [];
	if (typeof command !== 'string' || !Array.isArray(args)) return [];
	const words = args.map(String);
	if (!isRouted({ command, args: words })) return [];
	const at = words.indexOf('connect') + 1;
	const said = [...words.slice(0, at), '--source', source, ...words.slice(at)];
	return ['-c', `mcp_servers.${name}.args=[${said.map(toml).join(',')}]`];
}

/** A basic string of TOML; JSON's escapes are among its own. */
function toml(text: string): string {
	return JSON.stringify(text).replaceAll('\u007F', '\\u007F');
}
