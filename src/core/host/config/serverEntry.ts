import { defaultLimits } from '../serverDefinition.ts';
import type { ServerLimits, Sharing } from '../serverDefinition.ts';
import { memberOf } from './configValue.ts';
import type { ConfigMember, ConfigObject, ConfigValue } from './configValue.ts';

/** Whose rules a configuration follows: which keys there are, and what `${…}` means. */
export type ConfigDialect = 'claude' | 'cursor' | 'vscode' | 'codex';

/** A server as it stands in a client's configuration, every `${…}` still in it. */
export interface UnresolvedServer {
	readonly name: string;
	readonly transport: UnresolvedTransport;
	readonly isEnabled: boolean;
	readonly sharing: Sharing;
	readonly limits: ServerLimits;
	readonly redactedArguments: readonly string[];
	/** Why nobody but the client itself can connect to this server; a part of a sentence. */
	readonly boundToClient: string | undefined;
}

export type UnresolvedTransport =
	| {
			readonly kind: 'stdio';
			readonly command: string;
			readonly args: readonly string[];
			readonly cwd: string | undefined;
			readonly env: Readonly<Record<string, string>>;
			readonly envFile: string | undefined;
			/** Variables of the environment that the server gets under their own names. */
			readonly passedVariables: readonly string[];
	  }
	| {
			readonly kind: 'http' | 'sse';
			readonly url: string;
			readonly headers: Readonly<Record<string, string>>;
			/** Headers and the variables that hold their values. */
			readonly headerVariables: Readonly<Record<string, string>>;
			/** The variable that holds the bearer token. */
			readonly tokenVariable: string | undefined;
	  };

export type Report = (offset: number, message: string) => void;

/** Keys that say how to reach a server. Whoever stands in for the server replaces them; the rest is between client and user. */
export const transportKeys: Readonly<Record<ConfigDialect, readonly string[]>> = {
	claude: ['type', 'command', 'args', 'cwd', 'env', 'envFile', 'url', 'serverUrl', 'headers', 'headersHelper', 'dev'],
	cursor: ['type', 'command', 'args', 'cwd', 'env', 'envFile', 'url', 'serverUrl', 'headers', 'headersHelper', 'dev'],
	vscode: ['type', 'command', 'args', 'cwd', 'env', 'envFile', 'url', 'headers', 'dev'],
	// `env_vars` stays: the program that stands in for the server may have to start the host, which needs them.
	codex: [
		'command',
		'args',
		'cwd',
		'env',
		'url',
		'http_headers',
		'env_http_headers',
		'bearer_token',
		'bearer_token_env_var',
	],
};

const jsonKeys = [
	...transportKeys.claude,
	...['timeout', 'disabled', 'enabled', 'crosstalk', 'name', 'description', 'icon', 'version', 'gallery', 'trust'],
	...['alwaysLoad', 'autoApprove', 'alwaysAllow', 'tools', 'disabledTools', 'enabledTools', 'includeTools'],
	...['excludeTools', 'oauth', 'auth', 'authorization', 'scopes', 'sandbox', 'sandboxEnabled'],
];

const knownKeys: Readonly<Record<ConfigDialect, ReadonlySet<string>>> = {
	claude: new Set(jsonKeys),
	cursor: new Set(jsonKeys),
	vscode: new Set(jsonKeys),
	codex: new Set([
		...transportKeys.codex,
		...['env_vars', 'startup_timeout_sec', 'startup_timeout_ms', 'tool_timeout_sec', 'enabled', 'required'],
		...['enabled_tools', 'disabled_tools', 'default_tools_approval_mode', 'tools', 'scopes', 'oauth', 'auth'],
		...['oauth_resource', 'supports_parallel_tool_calls', 'experimental_environment', 'name', 'crosstalk'],
	]),
};

const boundKeys: readonly (readonly [key: string, reason: string])[] = [
	['headersHelper', 'its headers come from a command that the client runs'],
	['oauth', 'the client signs in to it'],
	['auth', 'the client signs in to it'],
	['authorization', 'the client signs in to it'],
	['scopes', 'the client signs in to it'],
	['oauth_resource', 'the client signs in to it'],
	['sandbox', 'the client keeps it in a sandbox'],
	['sandboxEnabled', 'the client keeps it in a sandbox'],
	['experimental_environment', 'the client runs it in an environment of its own'],
];

const sharings: readonly Sharing[] = ['auto', 'shared', 'per-session', 'per-agent'];
// The longest that a timer can wait.
const longestTime = 2_147_483_647;

/** Reads one entry. Whatever is wrong with it is reported; `undefined`: there is no server in it. */
export function readServerEntry(
	{ name, offset, value }: ConfigMember,
	dialect: ConfigDialect,
	report: Report,
): UnresolvedServer | undefined {
	const server = `Server "${name}"`;
	const wrong = (at: number, message: string): undefined => {
		report(at, `${server} ${message}`);
	};
	if (name === '') {
		report(offset, 'A server needs a name; this one is left out.');
		return undefined;
	}
	if (value.kind !== 'object') return wrong(value.offset, 'must be an object; it is left out.');
	reportMembers(value);
	let isBroken = false;
	const transport = readTransport(value);
	const isEnabled = boolean('enabled') !== false && boolean('disabled') !== true;
	const limits = readLimits(value);
	const own = readOwn(value, limits);
	if (transport === undefined || isBroken) return undefined;
	return {
		name,
		transport,
		isEnabled,
		...own,
		boundToClient: boundKeys.find(([key]) => isSet(key))?.[1],
	};

	function broken(at: number, message: string): undefined {
		isBroken = true;
		return wrong(at, `${message}; it is left out.`);
	}

	function reportMembers(entry: ConfigObject): void {
		const seen = new Set<string>();
		for (const member of entry.members) {
			if (seen.has(member.name)) wrong(member.offset, `has "${member.name}" twice; the last one counts.`);
			else if (!knownKeys[dialect].has(member.name))
				wrong(member.offset, `has a key "${member.name}" that is not known; it is ignored.`);
			seen.add(member.name);
		}
	}

	function readTransport(entry: ConfigObject): UnresolvedTransport | undefined {
		const command = string('command');
		const url = string('url') ?? string('serverUrl');
		const type = dialect === 'codex' ? undefined : string('type');
		if (isBroken) return undefined;
		if (command !== undefined && url !== undefined)
			return broken(offset, 'has both a command and a URL: one of them must go');
		if (command === undefined && url === undefined) {
			const needed = type === undefined || type === 'stdio' ? '"command"' : '"url"';
			return broken(offset, `has no ${type === undefined ? '"command" and no "url"' : needed}`);
		}
		const kind = kindOf(type, url);
		if (kind === undefined)
			return broken(
				memberOf(entry, 'type')?.offset ?? offset,
				`has the type "${type ?? ''}", which is not known: there are "stdio", "http" and "sse"`,
			);
		if ((kind === 'stdio') !== (command !== undefined))
			return broken(
				memberOf(entry, 'type')?.offset ?? offset,
				`has the type "${type ?? ''}", but ${command === undefined ? 'a URL' : 'a command'}`,
			);
		if (kind === 'stdio') {
			if (command === undefined || command.trim() === '') return broken(offset, 'has an empty "command"');
			return {
				kind,
				command,
				args: strings('args'),
				cwd: string('cwd'),
				env: textRecord('env'),
				envFile: string('envFile'),
				passedVariables: readPassedVariables(),
			};
		}
		return {
			kind,
			url: url ?? '',
			headers: textRecord(dialect === 'codex' ? 'http_headers' : 'headers'),
			headerVariables: dialect === 'codex' ? textRecord('env_http_headers') : {},
			tokenVariable: dialect === 'codex' ? string('bearer_token_env_var') : undefined,
		};
	}

	/** Codex takes names, and objects with a name. */
	function readPassedVariables(): readonly string[] {
		const list = dialect === 'codex' ? present('env_vars') : undefined;
		if (list === undefined) return [];
		if (list.kind !== 'array') return broken(list.offset, 'has "env_vars" that are no list') ?? [];
		return list.items.flatMap((item) => {
			const text = item.kind === 'object' ? memberOf(item, 'name')?.value : item;
			if (text?.kind === 'scalar' && typeof text.value === 'string') return [text.value];
			return broken(item.offset, 'has "env_vars" with something that is no name') ?? [];
		});
	}

	function readLimits(entry: ConfigObject): ServerLimits {
		if (dialect === 'codex') {
			const startup =
				seconds(entry, 'startup_timeout_sec') ??
				duration(memberOf(entry, 'startup_timeout_ms'), 'startup_timeout_ms', 1);
			return withLimits(seconds(entry, 'tool_timeout_sec'), startup);
		}
		const member = memberOf(entry, 'timeout');
		const timeout = duration(member, 'timeout', 1);
		if (member !== undefined && timeout !== undefined && timeout < 1000) {
			wrong(member.offset, `has a "timeout" of ${timeout}, which is in milliseconds; it is ignored.`);
			return defaultLimits;
		}
		return withLimits(timeout, undefined);
	}

	function withLimits(callMs: number | undefined, connectMs: number | undefined): ServerLimits {
		return {
			...defaultLimits,
			...(callMs === undefined ? {} : { callMs, maximumCallMs: Math.max(callMs, defaultLimits.maximumCallMs) }),
			...(connectMs === undefined ? {} : { connectMs }),
		};
	}

	function seconds(entry: ConfigObject, key: string): number | undefined {
		return duration(memberOf(entry, key), key, 1000);
	}

	function duration(member: ConfigMember | undefined, key: string, factor: number): number | undefined {
		if (member === undefined) return undefined;
		const number = member.value.kind === 'scalar' ? member.value.value : undefined;
		if (typeof number === 'number' && number > 0 && number * factor <= longestTime) return number * factor;
		return wrong(
			member.offset,
			`has a "${key}" that is no number above 0 and up to ${longestTime / factor}; it is ignored.`,
		);
	}

	/** What stands below `crosstalk`, which clients do not look at. */
	function readOwn(
		entry: ConfigObject,
		limits: ServerLimits,
	): Pick<UnresolvedServer, 'sharing' | 'limits' | 'redactedArguments'> {
		let sharing: Sharing = 'auto';
		let redactedArguments: readonly string[] = [];
		let ownLimits = limits;
		const own = memberOf(entry, 'crosstalk');
		const members = own === undefined ? [] : membersOf(own);
		for (const member of members) {
			const { value: option } = member;
			switch (member.name) {
				case 'sharing': {
					const found = sharings.find((word) => option.kind === 'scalar' && option.value === word);
					if (found !== undefined) sharing = found;
					else
						wrong(
							member.offset,
							`has a "sharing" that is none of ${sharings.map((word) => `"${word}"`).join(', ')}; it is ignored.`,
						);
					break;
				}
				case 'limits':
					ownLimits = readOwnLimits(member, limits);
					break;
				case 'redact':
					// Better no server than its passwords in the log.
					redactedArguments =
						texts(option) ??
						broken(member.offset, 'has a "redact" that is no list of argument names') ??
						[];
					break;
				default:
					wrong(
						member.offset,
						`has an option "crosstalk.${member.name}" that is not known; there are "sharing", "limits" and "redact".`,
					);
			}
		}
		return { sharing, limits: ownLimits, redactedArguments };
	}

	function readOwnLimits(member: ConfigMember, base: ServerLimits): ServerLimits {
		const found: Record<string, number | Readonly<Record<string, number>>> = {};
		for (const limit of membersOf(member)) {
			if (limit.name === 'callMsByTool') {
				found['callMsByTool'] = Object.fromEntries(
					membersOf(limit).flatMap((tool) => {
						const time = duration(tool, `callMsByTool.${tool.name}`, 1);
						return time === undefined ? [] : [[tool.name, time]];
					}),
				);
				continue;
			}
			if (!Object.hasOwn(defaultLimits, limit.name)) {
				wrong(
					limit.offset,
					`has a limit "${limit.name}" that is not known; there are ${Object.keys(defaultLimits).join(', ')}.`,
				);
				continue;
			}
			const number = limit.value.kind === 'scalar' ? limit.value.value : undefined;
			if (limit.name === 'queueLength' || limit.name === 'connectAttempts') {
				const least = limit.name === 'queueLength' ? 0 : 1;
				if (typeof number === 'number' && Number.isSafeInteger(number) && number >= least)
					found[limit.name] = number;
				else
					wrong(
						limit.offset,
						`has a "${limit.name}" that is no whole number from ${least} on; it is ignored.`,
					);
				continue;
			}
			const time = duration(limit, limit.name, 1);
			if (time !== undefined) found[limit.name] = time;
		}
		const limits = { ...base, ...found };
		// Who allows a call more time means that it may have it.
		if (found['maximumCallMs'] === undefined)
			return { ...limits, maximumCallMs: Math.max(limits.maximumCallMs, limits.callMs) };
		return limits;
	}

	function membersOf(member: ConfigMember): readonly ConfigMember[] {
		if (member.value.kind === 'object') return member.value.members;
		wrong(member.offset, `has a "${member.name}" that is no object; it is ignored.`);
		return [];
	}

	/** A value that is there; `null` stands for none in several clients. */
	function present(key: string): ConfigValue | undefined {
		const found = value.kind === 'object' ? memberOf(value, key)?.value : undefined;
		return found?.kind === 'scalar' && found.value === null ? undefined : found;
	}

	function isSet(key: string): boolean {
		const found = present(key);
		return found !== undefined && !(found.kind === 'scalar' && (found.value === false || found.value === 'local'));
	}

	function string(key: string): string | undefined {
		const found = present(key);
		if (found === undefined) return undefined;
		if (found.kind === 'scalar' && typeof found.value === 'string') return found.value;
		return broken(found.offset, `has a "${key}" that is no text`);
	}

	function boolean(key: string): boolean | undefined {
		const found = present(key);
		if (found === undefined) return undefined;
		if (found.kind === 'scalar' && typeof found.value === 'boolean') return found.value;
		return wrong(found.offset, `has a "${key}" that is neither true nor false; it is ignored.`);
	}

	function strings(key: string): readonly string[] {
		const found = present(key);
		if (found === undefined) return [];
		if (found.kind !== 'array') return broken(found.offset, `has "${key}" that are no list`) ?? [];
		return found.items.map((item) => {
			if (item.kind === 'scalar' && (typeof item.value === 'string' || typeof item.value === 'number'))
				return String(item.value);
			return broken(item.offset, `has "${key}" with something that is no text`) ?? '';
		});
	}

	function textRecord(key: string): Readonly<Record<string, string>> {
		const found = present(key);
		if (found === undefined) return {};
		if (found.kind !== 'object') return broken(found.offset, `has "${key}" that is no object`) ?? {};
		return Object.fromEntries(
			found.members.flatMap((member) => {
				const text = member.value.kind === 'scalar' ? member.value.value : undefined;
				if (text === null && member.value.kind === 'scalar') return [];
				if (typeof text === 'string' || typeof text === 'number' || typeof text === 'boolean')
					return [[member.name, String(text)]];
				return broken(member.value.offset, `has "${key}" with a "${member.name}" that is no text`) ?? [];
			}),
		);
	}
}

function texts(value: ConfigValue): readonly string[] | undefined {
	if (value.kind !== 'array') return undefined;
	const found = value.items.flatMap((item) =>
		item.kind === 'scalar' && typeof item.value === 'string' ? [item.value] : [],
	);
	return found.length === value.items.length ? found : undefined;
}

function kindOf(type: string | undefined, url: string | undefined): 'stdio' | 'http' | 'sse' | undefined {
	switch (type?.toLowerCase()) {
		case undefined:
			if (url === undefined) return 'stdio';
			// Clients that are not told try one after the other; the path gives it away.
			return /\/sse\/?(?:[?#]|$)/.test(url) ? 'sse' : 'http';
		case 'stdio':
		case 'local':
			return 'stdio';
		case 'http':
		case 'streamable-http':
		case 'streamablehttp':
		case 'streamable_http':
		case 'remote':
			return 'http';
		case 'sse':
			return 'sse';
		default:
			return undefined;
	}
}
