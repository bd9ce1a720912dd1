import { Environment } from '@marcbachmann/cel-js';
import { regularExpression } from './regularExpression.ts';

/**
 * Conditions of breakpoints, what log messages ask and what is evaluated in a stop: the Common Expression Language
 * (https://github.com/google/cel-spec), which has no loops, no side effects and no way out. The variables are `arguments`, `result`
 * (`null` before a call is made), `isError`, `tool`, `server`, `agent` (`id`, `type`), `session` and `hits`.
 */
export interface Expression {
	/** Never throws. What goes wrong is one sentence. */
	evaluate(values: ExpressionValues): { readonly value: unknown } | ExpressionProblem;
}

export interface ExpressionProblem {
	readonly problem: string;
}

/** What an expression can ask of a call. What costs something is asked for once, and only when it is needed. */
export interface ExpressionCall {
	/** JSON. */
	readonly argumentsText: () => string;
	/** JSON; `undefined`: the call has not been made. */
	readonly resultText: () => string | undefined;
	readonly isError: boolean;
	readonly tool: string;
	readonly server: string | null;
	readonly agentId: string | null;
	readonly agentType: string | null;
	readonly sessionId: string | null;
}

/** In characters. */
const longestExpression = 2_000;
/** Of arguments or of a result. */
const longestJson = 4 * 1024 * 1024;
/** `all`, `exists`, `exists_one`, `map` and `filter`, one inside another. */
const deepestLoops = 2;
const mostLoops = 6;
/** Steps that an expression may take by its form: its nodes times the values that each of its loops may go through. */
const mostSteps = 2_000_000;
const loops: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

/** What JSON says of a call as the values of an expression, made when they are asked for. */
export class ExpressionValues {
	/** How often the breakpoint has matched, this time included. */
	hits = 1n;
	/** Values, in all that was made so far. */
	count = 0;
	/** Whose it is. */
	readonly isError: boolean;
	readonly tool: string;
	readonly server: string | null;
	readonly agent: { readonly id: string | null; readonly type: string | null };
	readonly session: string | null;
	private readonly call: ExpressionCall;
	private madeArguments: { readonly value: unknown } | undefined;
	private madeResult: { readonly value: unknown } | undefined;

	constructor(call: ExpressionCall) {
		this.call = call;
		this.isError = call.isError;
		this.tool = call.tool;
		this.server = call.server;
		this.agent = { id: call.agentId, type: call.agentType };
		this.session = call.sessionId;
	}

	get arguments(): unknown {
		this.madeArguments ??= { value: this.made('arguments', this.call.argumentsText()) };
		return this.madeArguments.value;
	}

	get result(): unknown {
		this.madeResult ??= { value: this.made('result', this.call.resultText() ?? 'null') };
		return this.madeResult.value;
	}

	private made(what: string, json: string): unknown {
		if (json.length > longestJson)
			throw new TooMuch(
				`The ${what} is longer than the ${longestJson / 1024 / 1024} MB that a condition may look at.`,
			);
		return this.parsed(json);
	}

	/** What JSON says, as values that an expression can compute with. */
	protected parsed(json: string): unknown {
		return JSON.parse(json, (_key, value: unknown, context?: { readonly source?: string }) => {
			this.count++;
			return typeof value === 'number' ? numberOf(value, context?.source) : value;
		});
	}
}

/** A sentence for a person who has written a condition. */
class TooMuch extends Error {}

/** Whole numbers are CEL's `int`, with all their digits; beyond 64 bits, and with a fraction or an exponent, they are `double`. */
function numberOf(value: number, source: string | undefined): number | bigint {
	if (source !== undefined && /^-?\d{1,19}$/.test(source)) {
		const whole = BigInt(source);
		if (BigInt.asIntN(64, whole) === whole) return whole;
	}
	return Number.isSafeInteger(value) ? BigInt(value) : value;
}

/** A node of a parsed expression, as far as we look: operator, operands, and in them more nodes. */
interface Node {
	readonly op: string;
	readonly args: unknown;
}

/** What can be asked beside a call's own: of what is looked at in a debug console. */
export interface ExpressionModel {
	/** Variables; the values have members of these names. */
	readonly names: readonly string[];
}

const callAlone: ExpressionModel = { names: [] };

/** @returns A sentence, with the place, where the text is no expression. */
export function compileExpression(text: string, model = callAlone): Expression | ExpressionProblem {
	const trimmed = text.trim();
	if (trimmed === '') return { problem: 'The expression is empty.' };
	if (trimmed.length > longestExpression)
		return { problem: `An expression has at most ${longestExpression} characters.` };
	let parsed: ReturnType<Environment['parse']>;
	let shape: Shape;
	try {
		parsed = environment(model).parse(trimmed);
		shape = { nodes: 0, loops: 0, depth: 0 };
		look(parsed.ast, 0, shape);
		if (shape.depth > deepestLoops)
			return { problem: `More than ${deepestLoops} loops inside one another are too slow.` };
		if (shape.loops > mostLoops) return { problem: `More than ${mostLoops} loops in one expression are too slow.` };
		const checked = parsed.check();
		if (!checked.valid) return { problem: sentenceOf(checked.error, trimmed) };
	} catch (error) {
		return { problem: sentenceOf(error, trimmed) };
	}
	return {
		evaluate(values) {
			try {
				if (shape.loops > 0) {
					// What the loops could go through has to be known first.
					void values.arguments;
					void values.result;
					if (shape.nodes * (values.count + 10) ** shape.depth > mostSteps)
						return { problem: `The loops of "${shortened(trimmed)}" would go through too many values.` };
				}
				const value: unknown = parsed(values);
				return { value };
			} catch (error) {
				return { problem: sentenceOf(error, trimmed) };
			}
		},
	};
}

/** A value as a person reads it: a text as it is, everything else as JSON. */
export function shownValue(value: unknown): string {
	if (typeof value === 'string') return value;
	try {
		return jsonOf(value);
	} catch (error) {
		if (error instanceof RangeError) return '…';
		throw error;
	}
}

/** A value of an expression as JSON. Throws a `RangeError` where it is nested too deeply. */
export function jsonOf(value: unknown): string {
	if (typeof value === 'bigint') return value.toString();
	if (Array.isArray(value)) return `[${value.map(jsonOf).join(',')}]`;
	if (value instanceof Map)
		return `{${[...value].map(([key, member]) => `${JSON.stringify(String(key))}:${jsonOf(member)}`).join(',')}}`;
	if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype)
		return `{${Object.entries(value)
			.map(([key, member]) => `${JSON.stringify(key)}:${jsonOf(member)}`)
			.join(',')}}`;
	if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string' || value === null)
		return JSON.stringify(value);
	// Types, times and durations: what the library says of them is a text.
	return JSON.stringify((value as { toString(): string }).toString());
}

interface Shape {
	nodes: number;
	loops: number;
	depth: number;
}

/** Counts what an expression costs, and sets regular expressions that always end in the place of those that may not. */
function look(node: unknown, depth: number, shape: Shape): void {
	if (Array.isArray(node)) {
		for (const one of node as readonly unknown[]) look(one, depth, shape);
		return;
	}
	if (!isNode(node)) return;
	shape.nodes++;
	const { op, args } = node;
	if (op !== 'rcall' || !Array.isArray(args)) {
		look(args, depth, shape);
		return;
	}
	const [name, receiver, given] = args as unknown[];
	look(receiver, depth, shape);
	if (name === 'bind') throw new TooMuch('cel.bind cannot be used here.');
	if (name === 'matches') args[0] = linearMatches;
	const isLoop = typeof name === 'string' && loops.has(name);
	if (isLoop) {
		shape.loops++;
		shape.depth = Math.max(shape.depth, depth + 1);
	}
	look(given, isLoop ? depth + 1 : depth, shape);
}

function isNode(value: unknown): value is Node {
	return typeof value === 'object' && value !== null && 'op' in value && 'args' in value;
}

/** The library's own `matches` uses the engine's regular expressions, some of which take longer than anybody lives. */
const linearMatches = 'matchesLinearly';

const made = new Map<string, Environment>();

function environment({ names }: ExpressionModel): Environment {
	const key = names.join(' ');
	let known = made.get(key);
	if (known === undefined) {
		known = makeEnvironment();
		for (const name of names) known.registerVariable(name, 'dyn');
		made.set(key, known);
	}
	return known;
}

function makeEnvironment(): Environment {
	const limits = { maxAstNodes: 400, maxDepth: 40, maxListElements: 100, maxMapEntries: 50, maxCallArguments: 8 };
	const created = new Environment({ homogeneousAggregateLiterals: false, limits })
		.registerVariable('arguments', 'dyn')
		.registerVariable('result', 'dyn')
		.registerVariable('isError', 'bool')
		.registerVariable('tool', 'string')
		.registerVariable('server', 'dyn')
		.registerVariable('agent', 'dyn')
		.registerVariable('session', 'dyn')
		.registerVariable('hits', 'int')
		.registerFunction(`string.${linearMatches}(string): bool`, (text: string, pattern: string) => {
			const compiled = regularExpression(pattern);
			if (typeof compiled === 'string') throw new TooMuch(compiled);
			return compiled.isIn(text);
		});
	// CEL keeps whole numbers and fractions apart, JSON does not.
	const mixed: Record<string, (one: number, other: number) => number> = {
		'+': (one, other) => one + other,
		'-': (one, other) => one - other,
		'*': (one, other) => one * other,
		'/': (one, other) => one / other,
	};
	for (const [operator, compute] of Object.entries(mixed)) {
		created.registerOperator(`int ${operator} double: double`, (one: bigint, other: number) =>
			compute(Number(one), other),
		);
		created.registerOperator(`double ${operator} int: double`, (one: number, other: bigint) =>
			compute(one, Number(other)),
		);
	}
	return created;
}

/** Errors of the library draw a picture over several lines; people get what it says and where. */
function sentenceOf(error: unknown, text: string): string {
	if (error instanceof TooMuch) return error.message;
	const { summary, range, cause } = error as {
		summary?: unknown;
		range?: { readonly start?: unknown } | undefined;
		cause?: unknown;
	};
	if (cause instanceof TooMuch) return cause.message;
	// Something that the library did not expect: the expression cannot be used, and nothing else is harmed.
	const said = typeof summary === 'string' ? summary : error instanceof Error ? error.message : String(error);
	const [line = ''] = said.replaceAll(linearMatches, 'matches').split('\n');
	const hint = /^No such key: (\S+)$/.exec(line);
	const what = /\bcall stack\b/.test(line)
		? 'the arguments or the result are nested too deeply to be looked at'
		: hint === null
			? line
			: `there is no "${hint[1]}"; has(….${hint[1]}) asks whether there is`;
	const start = typeof range?.start === 'number' ? range.start : undefined;
	const where = start === undefined ? '' : `, column ${start + 1}`;
	return `"${shortened(text)}"${where}: ${what.replace(/\.$/, '')}.`;
}

function shortened(text: string): string {
	const line = text.replaceAll(/\s+/g, ' ');
	return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}
