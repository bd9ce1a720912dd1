// The servers that a client of the control socket gives to the host: typed by the protocol, and looked at all the same, because the
// client may be of another version and the host must outlive it.

import { ErrorCodes, ResponseError } from 'vscode-jsonrpc/node';
import type { ServerDefinition, ServerTransport, Sharing } from '../../../core/host/serverDefinition.ts';

const sharings: readonly Sharing[] = ['auto', 'shared', 'per-session', 'per-agent'];

export function serversIn(value: unknown): readonly ServerDefinition[] {
	if (!Array.isArray(value)) throw wrong('servers', 'a list');
	return value.map((one, index) => serverIn(one, `servers[${index}]`));
}

function serverIn(value: unknown, at: string): ServerDefinition {
	const members = record(value, at);
	const sharing = sharings.find((known) => known === members['sharing']);
	if (sharing === undefined) throw wrong(`${at}.sharing`, `one of ${sharings.join(', ')}`);
	const limits = record(members['limits'], `${at}.limits`);
	const limit = (name: string) => amount(limits[name], `${at}.limits.${name}`);
	return {
		name: text(members['name'], `${at}.name`),
		transport: transportIn(members['transport'], `${at}.transport`),
		sharing,
		limits: {
			callMs: limit('callMs'),
			callMsByTool: Object.fromEntries(
				Object.entries(record(limits['callMsByTool'], `${at}.limits.callMsByTool`)).map(([tool, one]) => [
					tool,
					amount(one, `${at}.limits.callMsByTool.${tool}`),
				]),
			),
			maximumCallMs: limit('maximumCallMs'),
			connectMs: limit('connectMs'),
			probeMs: limit('probeMs'),
			queueMs: limit('queueMs'),
			queueLength: limit('queueLength'),
			connectAttempts: limit('connectAttempts'),
		},
		secrets: texts(members['secrets'], `${at}.secrets`),
		redactedArguments: texts(members['redactedArguments'], `${at}.redactedArguments`),
	};
}

function transportIn(value: unknown, at: string): ServerTransport {
	const members = record(value, at);
	const { kind } = members;
	switch (kind) {
		case 'stdio': {
			const { cwd } = members;
			return {
				kind,
				command: text(members['command'], `${at}.command`),
				args: texts(members['args'], `${at}.args`),
				cwd: cwd === undefined || cwd === null ? undefined : text(cwd, `${at}.cwd`),
				env: textsByName(members['env'], `${at}.env`),
			};
		}
		case 'http':
		case 'sse':
			return {
				kind,
				url: text(members['url'], `${at}.url`),
				headers: textsByName(members['headers'], `${at}.headers`),
			};
		default:
			throw wrong(`${at}.kind`, 'one of stdio, http, sse');
	}
}

function record(value: unknown, at: string): Readonly<Record<string, unknown>> {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(at, 'an object');
	return { ...value };
}

function text(value: unknown, at: string): string {
	if (typeof value !== 'string') throw wrong(at, 'a text');
	return value;
}

function texts(value: unknown, at: string): readonly string[] {
	if (!Array.isArray(value)) throw wrong(at, 'a list');
	return value.map((one, index) => text(one, `${at}[${index}]`));
}

function textsByName(value: unknown, at: string): Readonly<Record<string, string>> {
	return Object.fromEntries(
		Object.entries(record(value, at)).map(([name, one]) => [name, text(one, `${at}.${name}`)]),
	);
}

function amount(value: unknown, at: string): number {
	if (typeof value !== 'number' || !Number.isFinite(value) || value < 0)
		throw wrong(at, 'a number that is not negative');
	return value;
}

function wrong(at: string, what: string): ResponseError {
	return new ResponseError(ErrorCodes.InvalidParams, `${at} has to be ${what}.`);
}
