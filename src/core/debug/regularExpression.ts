// Regular expressions that take no longer than text times pattern: CEL asks for the syntax of RE2 and its promise. All that could be
// matched at a place is followed at once (Thompson, 1968), so nothing is ever tried again.

/** A compiled pattern. */
export interface RegularExpression {
	/** Whether it matches anywhere in the text. Throws a `RangeError` when text and pattern together are too long. */
	isIn(text: string): boolean;
}

type Test = (code: number) => boolean;

type Instruction =
	| { readonly kind: 'test'; readonly test: Test }
	/** Goes on at both; `-1` is filled in later. */
	| { readonly kind: 'fork'; to: number; or: number }
	| { readonly kind: 'jump'; to: number }
	| { readonly kind: 'assert'; readonly holds: (before: number | undefined, after: number | undefined) => boolean }
	| { readonly kind: 'match' };

type Tree =
	| { readonly kind: 'test'; readonly test: Test }
	| { readonly kind: 'assert'; readonly holds: (before: number | undefined, after: number | undefined) => boolean }
	| { readonly kind: 'sequence'; readonly parts: readonly Tree[] }
	| { readonly kind: 'either'; readonly parts: readonly Tree[] }
	| { readonly kind: 'repeat'; readonly part: Tree; readonly least: number; readonly most: number };

const longestPattern = 500;
const mostInstructions = 2_000;
const mostRepetitions = 200;
const mostSteps = 20_000_000;
const deepestGroups = 50;

/** @returns A sentence where the pattern is none. */
export function regularExpression(pattern: string): RegularExpression | string {
	if (pattern.length > longestPattern) return `A regular expression has at most ${longestPattern} characters.`;
	const parser = new Parser(pattern);
	const program: Instruction[] = [];
	try {
		emit(parser.parse(), program);
	} catch (error) {
		if (error instanceof PatternError)
			return `The regular expression ${JSON.stringify(pattern)} cannot be used: ${error.message}.`;
		throw error;
	}
	program.push({ kind: 'match' });
	return { isIn: (text) => run(program, text) };
}

/** What is wrong with a pattern: the end of a sentence. */
class PatternError extends Error {}

const isDigit: Test = (code) => code >= 0x30 && code <= 0x39;
const isWord: Test = (code) =>
	isDigit(code) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || code === 0x5f;
const isSpace: Test = (code) => code === 0x20 || (code >= 0x09 && code <= 0x0d);
const not =
	(test: Test): Test =>
	(code) =>
		!test(code);

const classes: Readonly<Record<string, Test>> = {
	d: isDigit,
	D: not(isDigit),
	w: isWord,
	W: not(isWord),
	s: isSpace,
	S: not(isSpace),
};
const namedClasses: Readonly<Record<string, Test>> = {
	alpha: (code) => isWord(code) && !isDigit(code) && code !== 0x5f,
	digit: isDigit,
	alnum: (code) => isWord(code) && code !== 0x5f,
	space: isSpace,
	upper: (code) => code >= 0x41 && code <= 0x5a,
	lower: (code) => code >= 0x61 && code <= 0x7a,
	word: isWord,
	punct: (code) => code > 0x20 && code < 0x7f && !(isWord(code) && code !== 0x5f),
};
const escapes: Readonly<Record<string, number>> = { n: 0x0a, r: 0x0d, t: 0x09, f: 0x0c, v: 0x0b, a: 0x07 };

class Parser {
	private readonly characters: readonly string[];
	private at = 0;
	private depth = 0;
	private ignoresCase = false;
	private dotIsAll = false;
	private isMultiline = false;

	constructor(pattern: string) {
		this.characters = [...pattern];
	}

	parse(): Tree {
		const tree = this.either();
		if (this.at < this.characters.length) throw new PatternError('a ")" has no "(" before it');
		return tree;
	}

	private get next(): string | undefined {
		return this.characters[this.at];
	}

	private take(): string {
		const character = this.characters[this.at++];
		if (character === undefined) throw new PatternError('it ends too early');
		return character;
	}

	private took(character: string): boolean {
		if (this.next !== character) return false;
		this.at++;
		return true;
	}

	private either(): Tree {
		const parts = [this.sequence()];
		while (this.took('|')) parts.push(this.sequence());
		const [only] = parts;
		return parts.length === 1 && only !== undefined ? only : { kind: 'either', parts };
	}

	private sequence(): Tree {
		const parts: Tree[] = [];
		while (this.next !== undefined && this.next !== '|' && this.next !== ')') parts.push(this.repeated());
		return { kind: 'sequence', parts };
	}

	private repeated(): Tree {
		let part = this.single();
		for (;;) {
			const bounds = this.bounds();
			if (bounds === undefined) return part;
			// Whether as much or as little as possible is taken makes no difference to whether there is a match.
			this.took('?');
			const [least, most] = bounds;
			part = { kind: 'repeat', part, least, most };
		}
	}

	private bounds(): readonly [number, number] | undefined {
		if (this.took('*')) return [0, Infinity];
		if (this.took('+')) return [1, Infinity];
		if (this.took('?')) return [0, 1];
		const rest = this.characters.slice(this.at, this.at + 20).join('');
		const counted = /^\{(\d{1,4})(,?)(\d{0,4})\}/.exec(rest);
		if (counted === null) return undefined;
		const [text, first = '', comma, last = ''] = counted;
		this.at += text.length;
		const least = Number(first);
		const most = comma === '' ? least : last === '' ? Infinity : Number(last);
		if (most < least) throw new PatternError(`in ${text} the first number is the larger one`);
		if (least > mostRepetitions || (most !== Infinity && most > mostRepetitions))
			throw new PatternError(`${text} is more than ${mostRepetitions} repetitions`);
		return [least, most];
	}

	private single(): Tree {
		const character = this.take();
		switch (character) {
			case '(':
				return this.group();
			case '[':
				return this.test(this.set());
			case '.': {
				const { dotIsAll } = this;
				return this.test((code) => dotIsAll || code !== 0x0a);
			}
			case '^': {
				const { isMultiline } = this;
				return { kind: 'assert', holds: (before) => before === undefined || (isMultiline && before === 0x0a) };
			}
			case '$': {
				const { isMultiline } = this;
				return { kind: 'assert', holds: (_, after) => after === undefined || (isMultiline && after === 0x0a) };
			}
			case '*':
			case '+':
			case '?':
				throw new PatternError(`there is nothing before "${character}" that could be repeated`);
			case '\\':
				return this.escape();
			default:
				return this.literal(character.codePointAt(0) ?? 0);
		}
	}

	private group(): Tree {
		if (++this.depth > deepestGroups) throw new PatternError('its groups are nested too deeply');
		const before = [this.ignoresCase, this.dotIsAll, this.isMultiline] as const;
		if (this.took('?')) {
			const isNamed = this.took('P');
			if (this.next === '<' || isNamed) {
				this.at++;
				if (this.next === '=' || this.next === '!') throw new PatternError('it looks behind, which RE2 cannot');
				while (this.take() !== '>');
			} else if (this.next === '=' || this.next === '!')
				throw new PatternError('it looks ahead, which RE2 cannot');
			else if (this.flags()) {
				// They hold up to the end of the group around.
				this.depth--;
				return { kind: 'sequence', parts: [] };
			}
		}
		const tree = this.either();
		if (!this.took(')')) throw new PatternError('a "(" has no ")" behind it');
		[this.ignoresCase, this.dotIsAll, this.isMultiline] = before;
		this.depth--;
		return tree;
	}

	/** `true`: they stand for themselves, `(?i)`; `false`: a group follows, `(?i:…)`. */
	private flags(): boolean {
		let isOn = true;
		for (;;) {
			const flag = this.take();
			if (flag === ':') return false;
			if (flag === ')') return true;
			if (flag === '-') isOn = false;
			else if (flag === 'i') this.ignoresCase = isOn;
			else if (flag === 's') this.dotIsAll = isOn;
			else if (flag === 'm') this.isMultiline = isOn;
			else throw new PatternError(`there is no flag "${flag}"`);
		}
	}

	private escape(): Tree {
		const character = this.take();
		if (character === 'b' || character === 'B') {
			const isBoundary = character === 'b';
			const word = (code: number | undefined) => code !== undefined && isWord(code);
			return { kind: 'assert', holds: (before, after) => (word(before) !== word(after)) === isBoundary };
		}
		if (character === 'A') return { kind: 'assert', holds: (before) => before === undefined };
		if (character === 'z' || character === 'Z') return { kind: 'assert', holds: (_, after) => after === undefined };
		const known = classes[character];
		if (known !== undefined) return { kind: 'test', test: known };
		return this.literal(this.escaped(character));
	}

	private escaped(character: string): number {
		const control = escapes[character];
		if (control !== undefined) return control;
		if (character === 'x' || character === 'u') {
			const braced = this.took('{');
			let digits = '';
			while (braced ? this.next !== '}' : digits.length < (character === 'x' ? 2 : 4)) digits += this.take();
			if (braced) this.at++;
			if (!/^[\da-f]{1,6}$/i.test(digits)) throw new PatternError(`\\${character} needs hexadecimal digits`);
			return Number.parseInt(digits, 16);
		}
		if (/[1-9]/.test(character)) throw new PatternError(`\\${character} refers back to a group, which RE2 cannot`);
		if (/[a-z]/i.test(character)) throw new PatternError(`there is no \\${character}`);
		return character.codePointAt(0) ?? 0;
	}

	private set(): Test {
		const isNegated = this.took('^');
		const tests: Test[] = [];
		for (let isFirst = true; ; isFirst = false) {
			const character = this.take();
			if (character === ']' && !isFirst) break;
			if (character === '[' && this.next === ':') {
				const rest = this.characters.slice(this.at).join('');
				const name = /^:([a-z]+):\]/.exec(rest)?.[1];
				const known = name === undefined ? undefined : namedClasses[name];
				if (name === undefined || known === undefined)
					throw new PatternError('"[:" begins no class that is known');
				this.at += name.length + 3;
				tests.push(known);
				continue;
			}
			if (character === '\\') {
				const known = classes[this.next ?? ''];
				if (known !== undefined) {
					this.at++;
					tests.push(known);
					continue;
				}
			}
			const first = character === '\\' ? this.escaped(this.take()) : (character.codePointAt(0) ?? 0);
			if (this.next !== '-' || this.characters[this.at + 1] === ']') {
				tests.push((code) => code === first);
				continue;
			}
			this.at++;
			const end = this.take();
			const last = end === '\\' ? this.escaped(this.take()) : (end.codePointAt(0) ?? 0);
			if (last < first) throw new PatternError(`in "${character}-${end}" the first is the later one`);
			tests.push((code) => code >= first && code <= last);
		}
		const any: Test = this.ignoresCase
			? (code) => variants(code).some((variant) => tests.some((test) => test(variant)))
			: (code) => tests.some((test) => test(code));
		return isNegated ? not(any) : any;
	}

	private test(test: Test): Tree {
		return { kind: 'test', test };
	}

	private literal(wanted: number): Tree {
		if (!this.ignoresCase) return { kind: 'test', test: (code) => code === wanted };
		const all = variants(wanted);
		return { kind: 'test', test: (code) => all.includes(code) };
	}
}

function variants(code: number): readonly number[] {
	if (code > 0x10_ff_ff) return [code];
	const character = String.fromCodePoint(code);
	return [code, character.toLowerCase().codePointAt(0) ?? code, character.toUpperCase().codePointAt(0) ?? code];
}

function emit(tree: Tree, program: Instruction[]): void {
	if (program.length > mostInstructions) throw new PatternError('it is too large');
	switch (tree.kind) {
		case 'test':
		case 'assert':
			program.push(tree);
			return;
		case 'sequence':
			for (const part of tree.parts) emit(part, program);
			return;
		case 'either': {
			const ends: { to: number }[] = [];
			for (const [index, part] of tree.parts.entries()) {
				const isLast = index === tree.parts.length - 1;
				const fork = { kind: 'fork' as const, to: program.length + 1, or: -1 };
				if (!isLast) program.push(fork);
				emit(part, program);
				if (isLast) continue;
				const jump = { kind: 'jump' as const, to: -1 };
				program.push(jump);
				ends.push(jump);
				fork.or = program.length;
			}
			for (const end of ends) end.to = program.length;
			return;
		}
		case 'repeat': {
			const { part, least, most } = tree;
			for (let count = 0; count < least; count++) emit(part, program);
			if (most === Infinity) {
				const fork = { kind: 'fork' as const, to: program.length + 1, or: -1 };
				const start = program.length;
				program.push(fork);
				emit(part, program);
				program.push({ kind: 'jump', to: start });
				fork.or = program.length;
				return;
			}
			const forks: { or: number }[] = [];
			for (let count = least; count < most; count++) {
				const fork = { kind: 'fork' as const, to: program.length + 1, or: -1 };
				program.push(fork);
				forks.push(fork);
				emit(part, program);
			}
			for (const fork of forks) fork.or = program.length;
		}
	}
}

function run(program: readonly Instruction[], text: string): boolean {
	if (text.length * program.length > mostSteps)
		throw new RangeError('A text is too long for this regular expression.');
	let before: number | undefined;
	let current: number[] = [];
	// By instruction: the place in the text at which it was reached last, so that none is followed twice.
	const reachedAt = new Int32Array(program.length).fill(-1);
	for (let index = 0; ;) {
		const after = text.codePointAt(index);
		const tests: number[] = [];
		// A match may begin at every place.
		const pending = [...current, 0];
		while (pending.length > 0) {
			const at = pending.pop() ?? 0;
			if (reachedAt[at] === index) continue;
			reachedAt[at] = index;
			const instruction = program[at];
			if (instruction === undefined) continue;
			switch (instruction.kind) {
				case 'match':
					return true;
				case 'jump':
					pending.push(instruction.to);
					break;
				case 'fork':
					pending.push(instruction.or, instruction.to);
					break;
				case 'assert':
					if (instruction.holds(before, after)) pending.push(at + 1);
					break;
				case 'test':
					tests.push(at);
			}
		}
		if (after === undefined) return false;
		current = tests.flatMap((at) => {
			const instruction = program[at];
			return instruction?.kind === 'test' && instruction.test(after) ? [at + 1] : [];
		});
		before = after;
		index += after > 0xff_ff ? 2 : 1;
	}
}
