// What a launch configuration says, checked: whatever is wrong with it is one sentence that names the field.

import { ExpectedError } from '../core/base/errors.ts';
import type { Breakpoint, StopPoint } from '../core/debug/index.ts';
import { checkFaults, readFault } from '../core/host/faults/index.ts';
import type { FaultDefinition } from '../core/host/faults/index.ts';
import { oneOfFormats } from './replay/replayConfiguration.ts';
import type { ReplayConfiguration } from './replay/replayConfiguration.ts';
import type { AttachConfiguration, LaunchConfiguration } from './debugTarget.ts';

export type Configuration = (
	| { readonly kind: 'launch'; readonly launch: LaunchConfiguration }
	| { readonly kind: 'attach'; readonly attach: AttachConfiguration }
	| { readonly kind: 'replay'; readonly replay: ReplayConfiguration }
) & {
	/** Beside those that are set in the editor: log points of tools, and those after a call, can only be written here. */
	readonly breakpoints: readonly Omit<Breakpoint, 'id'>[];
	/** Whether all messages are written to the log. */
	readonly isTracing: boolean;
};

/** @param request As the client has called it. */
export function configurationOf(request: 'launch' | 'attach', given: unknown): Configuration {
	const fields = new Fields(given);
	const shared = { breakpoints: breakpointsOf(fields), isTracing: fields.flag('trace', false) };
	const data = fields.text('data');
	if (request === 'attach') {
		if (fields.has('transcript')) throw new ExpectedError('A transcript is replayed with a launch, not an attach.');
		const sessions = fields.texts('sessions');
		return {
			kind: 'attach',
			attach: { data, sessions, stopOnEntry: fields.flag('stopOnEntry', false) },
			...shared,
		};
	}
	const transcript = fields.text('transcript');
	const program = fields.text('program');
	const cwd = fields.text('cwd');
	if (transcript !== undefined && program !== undefined)
		throw new ExpectedError(
			'The configuration has both a "program", to be debugged live, and a "transcript", to be replayed: leave one of them out.',
		);
	if (transcript !== undefined) {
		if (transcript === '')
			throw new ExpectedError('"transcript" is empty: name a transcript or the id of a session.');
		const stopOnEntry = fields.flag('stopOnEntry', true);
		return {
			kind: 'replay',
			replay: { transcript, cwd, data, as: oneOfFormats(fields.text('as')), stopOnEntry },
			...shared,
		};
	}
	if (program === undefined)
		throw new ExpectedError(
			'The configuration needs a "program", the agent to debug (claude, codex), or a "transcript" to replay.',
		);
	if (program === '') throw new ExpectedError('"program" is empty: name the agent to debug (claude, codex).');
	const launch: LaunchConfiguration = {
		program,
		as: fields.has('as') ? fields.oneOf('as', ['claude', 'codex']) : undefined,
		args: fields.texts('args'),
		cwd,
		env: fields.environment('env'),
		mcpConfig: fields.text('mcpConfig'),
		stopOnEntry: fields.flag('stopOnEntry', false),
		console: fields.oneOf('console', ['integratedTerminal', 'externalTerminal', 'internalConsole']),
		faults: faultsOf(fields),
		data,
	};
	return { kind: 'launch', launch, ...shared };
}

/** Each as an object, or in the words of a command line. */
function faultsOf(fields: Fields): readonly FaultDefinition[] {
	return fields.list('faults').map((given, index) => {
		const read = typeof given === 'string' ? readFault(given) : undefined;
		const checked = checkFaults([given]);
		const problem =
			read === undefined ? checked.problems[0]?.message : 'problem' in read ? read.problem : undefined;
		const fault = read !== undefined && 'fault' in read ? read.fault : checked.faults[0];
		if (problem !== undefined || fault === undefined)
			throw new ExpectedError(`"faults[${index}]": ${problem ?? 'it is no fault.'}`);
		return fault;
	});
}

const stopPoints: readonly StopPoint[] = ['before', 'after', 'error'];

function breakpointsOf(fields: Fields): readonly Omit<Breakpoint, 'id'>[] {
	return fields.list('breakpoints').map((given, index) => {
		const name = `breakpoints[${index}]`;
		const each = new Fields(given, `${name}.`);
		const tool = each.text('tool');
		if (tool === undefined)
			throw new ExpectedError(`"${name}" needs a "tool", for example "analytics/query" or "Bash".`);
		return {
			tool,
			agent: each.text('agent'),
			at: each.has('at') ? each.oneOf('at', stopPoints) : undefined,
			condition: each.text('condition'),
			hitCondition: each.text('hitCondition'),
			logMessage: each.text('logMessage'),
		};
	});
}

/** The members of an object that a person has written. */
class Fields {
	private readonly fields: Readonly<Record<string, unknown>>;
	private readonly prefix: string;

	constructor(given: unknown, prefix = '') {
		if (typeof given !== 'object' || given === null || Array.isArray(given))
			throw new ExpectedError(
				`${prefix === '' ? 'The configuration' : `"${prefix.slice(0, -1)}"`} is to be an object.`,
			);
		this.fields = given as Readonly<Record<string, unknown>>; // looked at member by member
		this.prefix = prefix;
	}

	has(name: string): boolean {
		return this.fields[name] !== undefined && this.fields[name] !== null;
	}

	text(name: string): string | undefined {
		const value = this.fields[name];
		if (value === undefined || value === null) return undefined;
		if (typeof value !== 'string') throw this.wrong(name, 'a text');
		return value;
	}

	flag(name: string, otherwise: boolean): boolean {
		const value = this.fields[name];
		if (value === undefined || value === null) return otherwise;
		if (typeof value !== 'boolean') throw this.wrong(name, 'true or false');
		return value;
	}

	list(name: string): readonly unknown[] {
		const value = this.fields[name];
		if (value === undefined || value === null) return [];
		if (!Array.isArray(value)) throw this.wrong(name, 'a list');
		return value as readonly unknown[];
	}

	texts(name: string): readonly string[] {
		return this.list(name).map((value) => {
			if (typeof value !== 'string') throw this.wrong(name, 'a list of texts');
			return value;
		});
	}

	oneOf<const Word extends string>(name: string, words: readonly [Word, ...Word[]] | readonly Word[]): Word {
		const value = this.text(name);
		const found = value === undefined ? words[0] : words.find((word) => word === value);
		if (found === undefined) throw this.wrong(name, `one of ${words.join(', ')}`);
		return found;
	}

	/** Names and values of environment variables; `null` takes one away. */
	environment(name: string): Readonly<Record<string, string | null>> {
		const value = this.fields[name];
		if (value === undefined || value === null) return {};
		if (typeof value !== 'object' || Array.isArray(value)) throw this.wrong(name, 'an object of texts');
		return Object.fromEntries(
			Object.entries(value).map(([key, text]: [string, unknown]) => {
				if (text !== null && typeof text !== 'string' && typeof text !== 'number' && typeof text !== 'boolean')
					throw this.wrong(`${name}.${key}`, 'a text');
				return [key, text === null ? null : String(text)];
			}),
		);
	}

	private wrong(name: string, wanted: string): ExpectedError {
		return new ExpectedError(`"${this.prefix}${name}" is to be ${wanted}.`);
	}
}
