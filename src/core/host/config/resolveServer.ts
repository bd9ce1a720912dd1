import type { ServerDefinition, ServerTransport } from '../serverDefinition.ts';
import { secretsInAddress, secretsInArguments, secretsInHeader } from './secretLooks.ts';
import type { UnresolvedServer } from './serverEntry.ts';
import { expandVariables, variableOf } from './variables.ts';
import type { VariableScope } from './variables.ts';

export interface ResolveContext extends VariableScope {
	/** A path that may be relative, from the project's folder. */
	absolute(path: string): string;
	/** The variables in a file of `NAME=value` lines, or a finished sentence why there are none. */
	readEnvFile(path: string): Readonly<Record<string, string>> | string;
}

export type Resolved =
	| { readonly definition: ServerDefinition }
	/** Finished sentences. They hold no value of a variable. */
	| { readonly problems: readonly string[] };

/** Makes of what a client's configuration says what the host needs, with every variable in its place. */
export function resolveServer(server: UnresolvedServer, context: ResolveContext): Resolved {
	const problems: string[] = [];
	const secrets = new Set<string>();
	const transport = resolveTransport();
	if (problems.length > 0) return { problems: [...new Set(problems)] };
	return {
		definition: {
			name: server.name,
			transport,
			sharing: server.sharing,
			limits: server.limits,
			secrets: [...secrets].filter(isTelling),
			redactedArguments: server.redactedArguments,
		},
	};

	function resolveTransport(): ServerTransport {
		const { transport } = server;
		if (transport.kind === 'stdio') {
			const env: Record<string, string> = {};
			for (const name of transport.passedVariables) {
				const value = variableOf(context, name);
				// Codex passes what is there.
				if (value !== undefined) env[name] = value;
			}
			if (transport.envFile !== undefined) Object.assign(env, envFile(transport.envFile));
			for (const [name, value] of Object.entries(transport.env)) env[name] = expand(value);
			for (const value of Object.values(env)) keep(value);
			const args = transport.args.map(expand);
			for (const value of secretsInArguments(args)) keep(value);
			return {
				kind: 'stdio',
				command: expandHome(expand(transport.command)),
				args,
				cwd: transport.cwd === undefined ? context.folder : context.absolute(expandHome(expand(transport.cwd))),
				env,
			};
		}
		const url = expand(transport.url);
		const headers: Record<string, string> = {};
		for (const [name, value] of Object.entries(transport.headers)) headers[name] = expand(value);
		for (const [name, variable] of Object.entries(transport.headerVariables)) {
			const value = variableOf(context, variable);
			if (value !== undefined && value.trim() !== '') headers[name] = value;
		}
		if (transport.tokenVariable !== undefined) {
			const token = variableOf(context, transport.tokenVariable);
			if (token === undefined || token === '')
				problems.push(`The variable ${transport.tokenVariable}, which holds the bearer token, is not set.`);
			else headers['Authorization'] = `Bearer ${token}`;
		}
		for (const value of [...Object.values(headers).flatMap(secretsInHeader), ...secretsInAddress(url)]) keep(value);
		checkUrl(url);
		return { kind: transport.kind, url, headers };
	}

	function envFile(path: string): Readonly<Record<string, string>> {
		const read = context.readEnvFile(context.absolute(expandHome(expand(path))));
		if (typeof read !== 'string') return read;
		problems.push(read);
		return {};
	}

	function checkUrl(url: string): void {
		const [, protocol = '', userInfo] = /^([a-z][a-z\d+.-]*):\/\/(?:([^/?#]*)@)?[^/?#]/i.exec(url) ?? [];
		if (!/^https?$/i.test(protocol)) problems.push('Its URL must begin with http:// or https:// and name a host.');
		if (userInfo === undefined) return;
		keep(userInfo);
		keep(userInfo.slice(userInfo.indexOf(':') + 1));
	}

	function expand(text: string): string {
		const expanded = expandVariables(text, context);
		problems.push(...expanded.problems);
		for (const value of expanded.fromEnvironment) keep(value);
		return expanded.text;
	}

	/** No shell stands between the configuration and the system that would know `~`. */
	function expandHome(path: string): string {
		return /^~(?=[\\/]|$)/.test(path) ? context.homeFolder + path.slice(1) : path;
	}

	function keep(value: string): void {
		secrets.add(value);
	}
}

/** Replacing every `1` and every `true` in the log would hide nothing and spoil everything. */
function isTelling(value: string): boolean {
	return (
		value.length > 3 &&
		!/^\d{1,5}$/.test(value) &&
		!/^(?:true|false|null|none|auto|info|debug|warn|warning|error|trace|silent|production|development|test|utf-?8)$/i.test(
			value,
		)
	);
}
