/* oxlint-disable unicorn/no-thenable -- what a debugger does then is a word, which nobody awaits */

import { ErrorCodes, ResponseError } from 'vscode-jsonrpc/node';
import { agentId, storedSessionId } from '../../../core/base/ids.ts';
import { ExpectedError } from '../../../core/base/errors.ts';
import type {
	Breakpoint,
	DebugNotifications,
	DebugRequests,
	DebugSettings,
	Resumption,
} from '../../../core/debug/index.ts';
import type { DebuggerConnection, DebugHost } from '../../../core/host/debug/debugGate.ts';

/** What a client of the control socket does as a debugger. Its end lets everything go that it holds. */
export class ControlDebug {
	private readonly host: Pick<DebugHost, 'attach'>;
	private readonly notify: (name: keyof DebugNotifications, value: unknown) => void;
	private attached: DebuggerConnection | undefined;

	constructor(host: Pick<DebugHost, 'attach'>, notify: (name: keyof DebugNotifications, value: unknown) => void) {
		this.host = host;
		this.notify = notify;
	}

	attach({
		client,
		sessions,
		source,
		hasWholeSessions,
	}: DebugRequests['debug/attach']['params']): DebugRequests['debug/attach']['result'] {
		const options = {
			client: textAt('client', client),
			sessions: sessions === null ? null : listAt('sessions', sessions).map(sessionIn),
			source: optionalAt('source', source),
			hasWholeSessions: hasWholeSessions === true,
		};
		this.dispose();
		this.attached = this.host.attach({ ...options, listener: (name, value) => this.notify(name, value) });
		const { isReadOnly, reason } = this.attached;
		return { isReadOnly, ...(reason === undefined ? {} : { reason }) };
	}

	set(params: unknown): DebugRequests['debug/set']['result'] {
		const { breakpoints, rules, onToolError } = objectAt('debug/set', params);
		const settings: DebugSettings = {
			breakpoints: listAt('breakpoints', breakpoints).map(breakpointIn),
			rules: listAt('rules', rules).map((rule) => textAt('rules', rule)),
			onToolError: onToolError === true,
		};
		return { breakpoints: this.debugger.set(settings) };
	}

	name({ agents }: DebugRequests['debug/name']['params']): null {
		this.debugger.name(
			listAt('agents', agents).map((each) => {
				const { sessionId, agentId: agent, name } = objectAt('agents', each);
				return {
					sessionId: sessionIn(sessionId),
					agentId: agentId(textAt('agentId', agent)),
					name: textAt('name', name),
				};
			}),
		);
		return null;
	}

	held(): DebugRequests['debug/held']['result'] {
		return { calls: this.debugger.held() };
	}

	check({ stopId, value }: DebugRequests['debug/check']['params']): null {
		this.debugger.check(textAt('stopId', stopId), textAt('value', value));
		return null;
	}

	resume(params: DebugRequests['debug/resume']['params']): null {
		this.debugger.resume(textAt('stopId', params.stopId), resumptionIn(params));
		return null;
	}

	pause({ sessionId, agentId: agent, undo }: DebugRequests['debug/pause']['params']): null {
		this.debugger.pause(
			sessionId === null ? null : sessionIn(sessionId),
			agent === null ? null : agentId(textAt('agentId', agent)),
			undo === true,
		);
		return null;
	}

	dispose(): void {
		this.attached?.dispose();
		this.attached = undefined;
	}

	private get debugger(): DebuggerConnection {
		if (this.attached === undefined)
			throw new ExpectedError('The first request of a debugger has to be debug/attach.');
		return this.attached;
	}
}

/** Of messages that a debugger has not taken yet; one that was stopped itself takes none. */
const mostUnread = 2_000;
/** In characters. */
const longestUnread = 64 * 1024 * 1024;

/**
 * The way to a debugger, which may not listen: log lines are then let go, and one that does not take its stops is no debugger.
 * @param send Rejects, or throws, when the debugger is gone.
 * @param giveUp Ends its connection.
 */
export function notifier(
	send: (name: keyof DebugNotifications, value: unknown) => Promise<void>,
	giveUp: () => void,
): (name: keyof DebugNotifications, value: unknown) => void {
	let unread = 0;
	let length = 0;
	return (name, value) => {
		const size = sizeOf(value);
		if (unread >= mostUnread || length + size > longestUnread) {
			if (name !== 'debug/didLog') giveUp();
			return;
		}
		unread++;
		length += size;
		const taken = () => {
			unread--;
			length -= size;
		};
		// Of one that is gone the end of its connection tells.
		void (async () => send(name, value))().then(taken, taken);
	};
}

function sizeOf(value: unknown): number {
	if (typeof value !== 'object' || value === null) return 0;
	let size = 0;
	for (const member of Object.values(value)) if (typeof member === 'string') size += member.length;
	return size;
}

/** One that has come over a socket, from a program of another version perhaps. */
function breakpointIn(value: unknown): Breakpoint {
	const { id, tool, agent, sessionId, at, condition, hitCondition, logMessage } = objectAt('breakpoints', value);
	if (at !== undefined && at !== 'before' && at !== 'after' && at !== 'error')
		throw invalid('A breakpoint is looked at "before", "after" or on "error".');
	return {
		id: textAt('id of a breakpoint', id),
		tool: textAt('tool of a breakpoint', tool),
		agent: optionalAt('agent', agent),
		sessionId: sessionId === undefined ? undefined : sessionIn(sessionId),
		at,
		condition: optionalAt('condition', condition),
		hitCondition: optionalAt('hitCondition', hitCondition),
		logMessage: optionalAt('logMessage', logMessage),
	};
}

function resumptionIn(value: unknown): Resumption {
	const { then, action, arguments: args, result, isError } = objectAt('debug/resume', value);
	if (then !== 'run' && then !== 'step-over' && then !== 'step-in' && then !== 'step-out')
		throw invalid('"then" has to be run, step-over, step-in or step-out.');
	switch (action) {
		case 'continue':
		case 'repeat':
			return { then, action };
		case 'edit-arguments':
			return { then, action, arguments: textAt('arguments', args) };
		case 'edit-result':
			return { then, action, result: textAt('result', result) };
		case 'answer':
			return { then, action, result: textAt('result', result), isError: isError === true };
		default:
			throw invalid('"action" has to be continue, edit-arguments, edit-result, answer or repeat.');
	}
}

function sessionIn(value: unknown) {
	return storedSessionId(textAt('session id', value));
}

function objectAt(name: string, value: unknown): Readonly<Record<string, unknown>> {
	if (typeof value !== 'object' || value === null || Array.isArray(value))
		throw invalid(`${name} has to be an object.`);
	// A JSON object is a record of unknown.
	return value as Readonly<Record<string, unknown>>;
}

function listAt(name: string, value: unknown): readonly unknown[] {
	if (Array.isArray(value)) return value;
	throw invalid(`${name} has to be a list.`);
}

function textAt(name: string, value: unknown): string {
	if (typeof value === 'string') return value;
	throw invalid(`${name} has to be a text.`);
}

function optionalAt(name: string, value: unknown): string | undefined {
	return value === undefined || value === null ? undefined : textAt(name, value);
}

function invalid(message: string): ResponseError {
	return new ResponseError(ErrorCodes.InvalidParams, message);
}
