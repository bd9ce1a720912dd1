import type { SessionId } from '../../core/base/ids.ts';
import type { HostAddress } from '../../core/host/control.ts';
import type { ConfigValue } from '../../core/host/config/configValue.ts';
import type { ServerDefinition } from '../../core/host/serverDefinition.ts';
import type { HookPlace } from '../../platform/node/host/hooks/claudeCodeSettings.ts';

/** An agent's command line as the person has typed it. */
export interface Invocation {
	readonly command: string;
	readonly args: readonly string[];
	readonly workingFolder: string;
	readonly homeFolder: string;
	readonly environment: Readonly<Record<string, string | undefined>>;
	/** Somebody sits in front of it who can be asked. */
	readonly isTerminal: boolean;
	/** Its hooks are wanted also where they cost something. */
	readonly hasHooks: boolean;
	/** Variables that the person wants every server to get. */
	readonly serverVariables: Readonly<Record<string, string>>;
}

/** How an agent is started so that its servers are the host's and its hooks reach the host. */
export interface AgentPlan {
	/** The program was asked something and has answered: it is there, and can be started. */
	readonly hasAnswered: boolean;
	/** Those that the agent would start or ask by itself, and that the host can stand in for. */
	readonly servers: readonly ServerDefinition[];
	/** By its command line nobody sits in front of it. */
	readonly isHeadless: boolean;
	/** What is otherwise than a person would expect; finished sentences. */
	readonly notes: readonly string[];
	launch(host: HostPlace): Promise<Launch>;
}

export interface HostPlace {
	readonly address: HostAddress;
	/** The host's name for each of the servers. */
	readonly names: Readonly<Record<string, string>>;
	/** Starts a program that is an MCP server on stdio and passes everything on to the host; the server's name is the last argument. */
	readonly connect: {
		readonly command: string;
		readonly args: readonly string[];
		readonly environment: Readonly<Record<string, string>>;
	};
	/** What comes of this run is to say so; `undefined`: nobody asks. `connect` says it by itself. */
	readonly source: string | undefined;
	/** Where its hooks are to lead. */
	readonly hooks: HookPlace;
	/** Writes a file that only this user can read, and that is gone when the agent has ended. Gives its path. */
	write(name: string, text: string): Promise<string>;
}

export interface Launch {
	readonly args: readonly string[];
	/** The session that the agent begins or goes on with, where it is known before. */
	readonly sessionId?: SessionId | undefined;
	/** Added to the environment that the agent would have anyway. */
	readonly environment: Readonly<Record<string, string>>;
	/** As the notes of the plan; what was found out only now. */
	readonly remarks?: readonly string[] | undefined;
}

type Json = Readonly<Record<string, unknown>>;

export function record(value: unknown): Json | undefined {
	// A JSON object is a record of unknown.
	return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

/** What `JSON.parse` has given, for readers of configurations; it no longer knows where it stood. */
export function configValueOf(value: unknown): ConfigValue {
	const place = { offset: 0, end: 0 };
	if (Array.isArray(value)) return { ...place, kind: 'array', items: value.map(configValueOf) };
	const object = record(value);
	if (object === undefined) {
		const isScalar = value === null || ['string', 'number', 'boolean'].includes(typeof value);
		// Checked in the line above.
		return { ...place, kind: 'scalar', value: isScalar ? (value as string | number | boolean | null) : undefined };
	}
	return {
		...place,
		kind: 'object',
		members: Object.entries(object).map(([name, member]) => ({ name, offset: 0, value: configValueOf(member) })),
	};
}

/** Options after `--` would be words. */
export function withOptions(args: readonly string[], options: readonly string[]): readonly string[] {
	const end = args.indexOf('--');
	return end === -1 ? [...args, ...options] : [...args.slice(0, end), ...options, ...args.slice(end)];
}

/** An agent that reaches the world through a proxy must not look for the host there. */
export function withoutProxy(environment: Invocation['environment']): Readonly<Record<string, string>> {
	const isProxied = Object.entries(environment).some(
		([name, value]) => /^(?:https?|all)_proxy$/i.test(name) && value !== undefined && value !== '',
	);
	if (!isProxied) return {};
	const direct = environment['NO_PROXY'] ?? environment['no_proxy'] ?? '';
	if (direct.trim() === '*') return {};
	const list = direct === '' ? '127.0.0.1' : `${direct},127.0.0.1`;
	return { NO_PROXY: list, no_proxy: list };
}
