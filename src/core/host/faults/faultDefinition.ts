// What can be made to go wrong on purpose, as launch configurations, files and command lines say it.

import { counted } from '../../base/text.ts';

export const faultKinds = ['delay', 'hang', 'error', 'drop', 'kill', 'tear', 'evict', 'twice'] as const;

/**
 * `delay`: the call reaches its server later. `hang`: the server never gets it, and so never answers. `error`: it is answered with an error
 * in its server's place. `drop`: it is carried out, and the answer is lost. `kill`: its server's process is killed while it runs. `tear`:
 * the connection breaks while it runs. `evict`: the session of the store that it works on is put out of memory before it comes.
 * `twice`: its server gets it twice.
 */
export type FaultKind = (typeof faultKinds)[number];

/** What is to go wrong, and when. Whose calls are meant is said by whoever arms it, and is never left open. */
export interface FaultDefinition {
	readonly kind: FaultKind;
	/** A glob (`*`) over `server/tool`, or over the agent's own name of it (`mcp__server__tool`); absent: every tool. */
	readonly tool?: string | undefined;
	/** A glob over the id of the agent; absent: every agent of those that are meant. */
	readonly agent?: string | undefined;
	/** Each so-manyth of the calls that match; absent: the first, and with `probability` any. */
	readonly every?: number | undefined;
	/** From 0 to 1; which calls it befalls follows from `seed` and their order alone. */
	readonly probability?: number | undefined;
	readonly seed?: number | undefined;
	/** At most so often; absent: once, and with `every` or `probability` without an end. */
	readonly times?: number | undefined;
	/** Milliseconds. Of `delay`: how long; of `kill` and `tear`: how long after the call was sent. */
	readonly ms?: number | undefined;
	/** Of `error`: the words. */
	readonly message?: string | undefined;
	/** Of `error`: the JSON-RPC code; absent: the tool itself says that it failed. */
	readonly code?: number | undefined;
	/** Of `evict`: the argument that names the session of the store; absent: `session`, or else the session of the caller. */
	readonly argument?: string | undefined;
	/** Of `hang` and `drop`: when the call passes its limit its connection goes down with it, and everything else that runs there, as in a host that reconnects without a thought. */
	readonly reconnect?: 'naive' | undefined;
}

/** Where in what was checked something is wrong. */
export interface FaultProblem {
	/** `faults[0].every`. */
	readonly path: string;
	/** A sentence. */
	readonly message: string;
}

export const defaultDelayMs = 1_000;
/** Long enough for a server to have begun. */
export const defaultBreakMs = 50;
const longestMs = 3_600_000;

type Members = Readonly<Record<string, (value: unknown) => string | undefined>>;

const aText = (value: unknown) => (typeof value === 'string' && value !== '' ? undefined : 'is a text');
const aCount = (value: unknown) =>
	Number.isSafeInteger(value) && Number(value) >= 1 ? undefined : 'is a whole number from 1';
const anInteger = (value: unknown) => (Number.isSafeInteger(value) ? undefined : 'is a whole number');
const milliseconds = (value: unknown) =>
	typeof value === 'number' && value >= 0 && value <= longestMs
		? undefined
		: `is a number of milliseconds up to ${longestMs}`;

const members: Members = {
	kind: (value) => (faultKinds.some((kind) => kind === value) ? undefined : `is one of ${faultKinds.join(', ')}`),
	tool: aText,
	agent: aText,
	every: aCount,
	probability: (value) =>
		typeof value === 'number' && value >= 0 && value <= 1 ? undefined : 'is a number from 0 to 1',
	seed: anInteger,
	times: aCount,
	ms: milliseconds,
	message: aText,
	code: anInteger,
	argument: aText,
	reconnect: (value) => (value === 'naive' ? undefined : 'is "naive"'),
};

/** Which members make sense with some kinds alone. */
const kindsOf: Readonly<Record<string, readonly FaultKind[]>> = {
	ms: ['delay', 'kill', 'tear'],
	message: ['error'],
	code: ['error'],
	argument: ['evict'],
	reconnect: ['hang', 'drop'],
};

/** What a person has written, as far as it can be used, and what is wrong with the rest. `undefined` is a list without anything. */
export function checkFaults(value: unknown): {
	readonly faults: readonly FaultDefinition[];
	readonly problems: readonly FaultProblem[];
} {
	if (value === undefined) return { faults: [], problems: [] };
	if (!Array.isArray(value))
		return { faults: [], problems: [{ path: 'faults', message: 'It is a list of faults.' }] };
	const faults: FaultDefinition[] = [];
	const problems: FaultProblem[] = [];
	for (const [index, entry] of (value as readonly unknown[]).entries()) {
		const found = problemsOf(entry, `faults[${index}]`);
		problems.push(...found);
		// Every member was looked at.
		if (found.length === 0) faults.push(entry as FaultDefinition);
	}
	return { faults, problems };
}

function problemsOf(entry: unknown, path: string): readonly FaultProblem[] {
	if (typeof entry !== 'object' || entry === null || Array.isArray(entry))
		return [{ path, message: 'A fault is an object with a "kind".' }];
	// An object has members of any kind.
	const given = entry as Readonly<Record<string, unknown>>;
	const problems: FaultProblem[] = [];
	const { kind } = given;
	if (kind === undefined) problems.push({ path, message: `A fault needs a "kind": ${faultKinds.join(', ')}.` });
	for (const [name, value] of Object.entries(given)) {
		if (value === undefined) continue;
		const check = Object.hasOwn(members, name) ? members[name] : undefined;
		if (check === undefined) {
			problems.push({ path: `${path}.${name}`, message: `A fault has no "${name}".` });
			continue;
		}
		const wrong = check(value);
		if (wrong !== undefined) problems.push({ path: `${path}.${name}`, message: `"${name}" ${wrong}.` });
		const kinds = kindsOf[name];
		if (kinds !== undefined && faultKinds.some((known) => known === kind) && !kinds.some((own) => own === kind))
			problems.push({
				path: `${path}.${name}`,
				message: `"${name}" is for ${kinds.join(' and ')}, not for ${String(kind)}.`,
			});
	}
	if (given['every'] !== undefined && given['probability'] !== undefined)
		problems.push({ path, message: '"every" and "probability" exclude each other.' });
	if (given['seed'] !== undefined && given['probability'] === undefined)
		problems.push({ path, message: '"seed" belongs to a "probability".' });
	if (given['probability'] !== undefined && given['seed'] === undefined)
		problems.push({ path, message: 'A "probability" needs a "seed": what happened is to happen again.' });
	return problems;
}

const numbers = new Set(['every', 'probability', 'seed', 'times', 'ms', 'code']);

/**
 * One fault in the words of a command line: the kind, then what else there is, `hang,tool=chat/*,every=3,times=2`; or as JSON. A comma
 * within a value cannot be said in the short form.
 */
export function readFault(text: string): { readonly fault: FaultDefinition } | { readonly problem: string } {
	let value: unknown;
	if (text.trimStart().startsWith('{')) {
		try {
			value = JSON.parse(text);
		} catch (error) {
			return { problem: `The fault is no JSON: ${error instanceof Error ? error.message : String(error)}.` };
		}
	} else {
		const [kind = '', ...rest] = text.split(',').map((part) => part.trim());
		const given: Record<string, unknown> = { kind };
		for (const part of rest) {
			const at = part.indexOf('=');
			if (part === 'once') given['times'] = 1;
			else if (at < 1) return { problem: `"${part}" in a fault is to be NAME=VALUE.` };
			else {
				const name = part.slice(0, at);
				const said = part.slice(at + 1);
				given[name] = numbers.has(name) && said !== '' ? Number(said) : said;
			}
		}
		value = given;
	}
	const { faults, problems } = checkFaults([value]);
	const [fault] = faults;
	const [problem] = problems;
	if (fault !== undefined) return { fault };
	return { problem: problem?.message ?? 'It is no fault.' };
}

/** One fault as one word of a command line, which `readFault` reads. */
export function faultWord(fault: FaultDefinition): string {
	const { kind, ...rest } = fault;
	const members = Object.entries(rest).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
	const word = [kind, ...members].join(',');
	const read = readFault(word);
	// What has a comma in it, or looks like a number and is none, is said in full.
	return 'fault' in read && JSON.stringify(read.fault) === JSON.stringify({ kind, ...rest })
		? word
		: JSON.stringify(fault);
}

/** As in `hang of chat/*, each third call, at most 2 times`. */
export function faultText(fault: FaultDefinition): string {
	const { kind, tool, agent, every, probability, seed, times, ms } = fault;
	const duration = ms === undefined || kind !== 'delay' ? '' : ` by ${ms} ms`;
	const when =
		every !== undefined
			? `each ${every === 1 ? '' : `${every}. `}call`
			: probability !== undefined
				? `${Math.round(probability * 1000) / 10} % of the calls (seed ${seed})`
				: undefined;
	const limit = timesOf(fault);
	return [
		`${kind}${duration} of ${tool ?? 'any tool'}${agent === undefined ? '' : ` by ${agent}`}`,
		...(when === undefined ? [] : [when]),
		...(limit === undefined
			? []
			: [times === undefined || limit === 1 ? 'once' : `at most ${counted(limit, 'time')}`]),
		...(fault.reconnect === undefined ? [] : ['reconnecting naively']),
	].join(', ');
}

/** How often it happens at most; `undefined`: without an end. */
export function timesOf({ times, every, probability }: FaultDefinition): number | undefined {
	return times ?? (every === undefined && probability === undefined ? 1 : undefined);
}
