// What a call leaves must come back from disk as it was: JSON and nothing else. JSON.stringify is no judge of that; it drops some of what it
// does not know and replaces the rest. So every value is looked at before, in one walk, on each call.

import { StoreError } from './storeError.ts';

export interface Storable {
	/** Empty: the value is `undefined`. */
	readonly json: string;
	/**
	 * Whether reading the text gives something that also behaves as the value does. It does not where one object is at two places, or has no
	 * prototype; then the value itself must not be used for what was stored.
	 */
	readonly isInterchangeable: boolean;
}

type Name = 'state' | 'reply' | 'args';

/** Throws `StoreError` if the value is not what JSON gives back unchanged. */
export function toStorable(value: unknown, name: Name, sessionId: string): Storable {
	if (value === undefined) return { json: '', isInterchangeable: true };
	return guarded(name, sessionId, () => {
		const isInterchangeable = check(value, name, sessionId);
		return { json: JSON.stringify(value), isInterchangeable };
	});
}

/** The same text for the same arguments, in whatever order their members are. */
export function canonicalJson(value: unknown, name: Name, sessionId: string): string {
	if (value === undefined) return '';
	return guarded(name, sessionId, () => {
		check(value, name, sessionId);
		return canonical(value);
	});
}

export function tooLarge(name: Name, sessionId: string, mostBytes: number): StoreError {
	const sentence = `The ${name} of session ${quoted(sessionId)} is larger than the ${mostBytes} bytes that the store takes.`;
	return new StoreError('too-large', sentence, sessionId);
}

/** An id as it can stand in a sentence. */
export function quoted(id: string): string {
	return id.length <= 200 ? JSON.stringify(id) : `${JSON.stringify(id.slice(0, 200))}…`;
}

/** A sentence that does not say of which session it is, made one that does. */
export function inSession(sentence: string, sessionId: string): string {
	return `${sentence.replace(/\.$/, '')} (session ${quoted(sessionId)}).`;
}

/** Longer texts no runtime makes. A store takes much less, but only the half beside the database knows how much. */
const mostCharacters = 128 * 1024 * 1024;

/** A proxy may throw whatever is asked of it. */
function guarded<T>(name: Name, sessionId: string, look: () => T): T {
	try {
		return look();
	} catch (error) {
		if (error instanceof StoreError) throw error;
		// Texts are longer as JSON: six characters for each that has no sign.
		if (error instanceof RangeError && error.message === 'Invalid string length')
			throw tooLarge(name, sessionId, mostCharacters);
		const why =
			error instanceof Error ? error.message.slice(0, 200).replace(/\.$/, '') : `it threw ${a(typeof error)}`;
		const sentence = `The ${name} of session ${quoted(sessionId)} cannot be read: ${why}.`;
		throw new StoreError('not-storable', sentence, sessionId, { cause: error });
	}
}

/** Whether the value and what its text gives are interchangeable. */
function check(value: unknown, name: Name, sessionId: string): boolean {
	const walk = new Walk();
	const problem = walk.visit(value, 0);
	if (problem === undefined) {
		if (walk.characters > mostCharacters) throw tooLarge(name, sessionId, mostCharacters);
		return walk.isTree;
	}
	const sentence = `${name}${shortened(problem.path)} ${problem.reason}, which JSON does not give back as it was.`;
	throw new StoreError('not-storable', inSession(sentence, sessionId), sessionId);
}

interface Problem {
	/** From the value down: `.rows[3].at`. */
	path: string;
	readonly reason: string;
}

/** Far deeper than data is, and less deep than a stack. */
const deepest = 1000;

class Walk {
	/** No object is at two places, and all are of the kind that reading their text gives. */
	isTree = true;
	/** That the text has at least; what is at many places is written as often. */
	characters = 0;
	/** Of each object, and negative while it is being walked. */
	private readonly sizes = new Map<object, number>();

	visit(value: unknown, depth: number): Problem | undefined {
		this.characters++;
		switch (typeof value) {
			case 'string':
				this.characters += value.length;
				return undefined;
			case 'boolean':
				return undefined;
			case 'number':
				if (Number.isFinite(value) && (value !== 0 || 1 / value > 0)) return undefined;
				return { path: '', reason: `is ${value === 0 ? '-0' : value}` };
			case 'object':
				return value === null ? undefined : this.visitObject(value, depth);
			case 'undefined':
				return { path: '', reason: 'is undefined' };
			case 'bigint':
			case 'function':
			case 'symbol':
				return { path: '', reason: `is a ${typeof value}` };
		}
	}

	private visitObject(value: object, depth: number): Problem | undefined {
		const size = this.sizes.get(value);
		if (size !== undefined) {
			if (size < 0) return { path: '', reason: 'contains itself' };
			this.isTree = false;
			this.characters += size;
			return undefined;
		}
		if (depth >= deepest) return { path: '', reason: `is more than ${deepest} levels deep` };
		const before = this.characters;
		this.sizes.set(value, -1);
		const problem = Array.isArray(value) ? this.visitArray(value, depth) : this.visitMembers(value, depth);
		this.sizes.set(value, this.characters - before);
		return problem;
	}

	private visitArray(value: readonly unknown[], depth: number): Problem | undefined {
		if (Object.getPrototypeOf(value) !== Array.prototype) return { path: '', reason: `is ${kindOf(value)}` };
		if (Object.keys(value).length !== value.length || Object.getOwnPropertySymbols(value).length > 0)
			return { path: '', reason: 'is an array with holes or with members that have names' };
		for (let index = 0; index < value.length; index++) {
			const problem = this.visit(value[index], depth + 1);
			if (problem !== undefined) return below(problem, `[${index}]`);
		}
		return undefined;
	}

	private visitMembers(value: object, depth: number): Problem | undefined {
		const prototype: unknown = Object.getPrototypeOf(value);
		if (prototype === null) this.isTree = false;
		else if (prototype !== Object.prototype) return { path: '', reason: `is ${kindOf(value)}` };
		const names = Object.keys(value);
		if (Object.getOwnPropertyNames(value).length !== names.length || Object.getOwnPropertySymbols(value).length > 0)
			return { path: '', reason: 'has members that are hidden or named by symbols' };
		for (const name of names) {
			const member = Object.getOwnPropertyDescriptor(value, name);
			const problem =
				member === undefined || member.get !== undefined || member.set !== undefined
					? { path: '', reason: 'is computed by a getter' }
					: this.visit(member.value, depth + 1);
			if (problem !== undefined) return below(problem, memberPath(name));
		}
		return undefined;
	}
}

/** The path is put together only where there is a problem, from its end. */
function below(problem: Problem, step: string): Problem {
	problem.path = step + problem.path;
	return problem;
}

/** A path is as long as what it leads through is deep. */
function shortened(path: string): string {
	return path.length <= 200 ? path : `${path.slice(0, 120)}…${path.slice(-60)}`;
}

function memberPath(name: string): string {
	return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

function kindOf(value: object): string {
	const { constructor } = value;
	const name = typeof constructor === 'function' ? constructor.name : '';
	if (name === '') return 'an object of a class';
	return a(name);
}

/** With its article: "a URL", as it is spoken. */
function a(name: string): string {
	return `${/^[AEIO]/i.test(name) ? 'an' : 'a'} ${name}`;
}

function canonical(value: unknown): string {
	if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
	if (typeof value !== 'object' || value === null) return JSON.stringify(value);
	const members = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
	return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
}
