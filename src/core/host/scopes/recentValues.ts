import { isObject } from '../rpc.ts';
import type { JsonObject } from '../rpc.ts';
import { scalarJson } from './argumentPlaces.ts';

const MOST_OWNERS = 32;
const MOST_VALUES = 20;
/** Members of one result that are looked at. */
const MOST_MEMBERS = 5_000;
const DEEPEST = 8;
/** Of a text that might be JSON, in characters. */
const LONGEST_TEXT = 64 * 1024;
const MOST_TEXTS = 4;

/** What calls have given for a parameter, and what results have told under its name. As JSON, the latest first. */
export interface KnownValues {
	readonly given: readonly string[];
	readonly told: readonly string[];
}

interface Sets {
	readonly given: Set<string>;
	readonly told: Set<string>;
}

type Names = Map<string, Sets>;

/**
 * Remembers, for the few parameters that somebody may have to be told values of, those that have passed. Whose connection to a server it
 * was is kept apart: what one server process has given out means nothing to another.
 */
export class RecentValues {
	/** By owner, then by name. */
	private readonly owners = new Map<string, Names>();
	private names: ReadonlySet<string> = new Set();

	/** From now on these are remembered; others are forgotten. @param names Of parameters, without what they are members of. */
	watch(names: Iterable<string>): void {
		this.names = new Set([...names].map(plain));
		for (const known of this.owners.values())
			for (const name of known.keys()) if (!this.names.has(name)) known.delete(name);
	}

	get isWatching(): boolean {
		return this.names.size > 0;
	}

	/** The arguments of a call that its server took. */
	given(owner: string, args: unknown): void {
		if (!isObject(args)) return;
		this.eachMember(args, (name, value) => this.keep(owner, name, 'given', value));
	}

	/** What a call was answered with. */
	told(owner: string, result: JsonObject): void {
		if (result['isError'] === true) return;
		const take = (name: string, value: unknown) => this.keep(owner, name, 'told', value);
		if (isObject(result['structuredContent'])) this.eachMember(result['structuredContent'], take);
		const content = Array.isArray(result['content']) ? (result['content'] as readonly unknown[]) : [];
		for (const part of content.slice(0, MOST_TEXTS)) {
			const text = isObject(part) ? part['text'] : undefined;
			if (typeof text !== 'string' || text.length > LONGEST_TEXT || !/^\s*[[{]/.test(text)) continue;
			this.eachMember(parsed(text), take);
		}
	}

	/** @param name Of the parameter. */
	of(owner: string, name: string): KnownValues {
		const known = this.owners.get(owner)?.get(plain(name));
		return { given: [...(known?.given ?? [])].toReversed(), told: [...(known?.told ?? [])].toReversed() };
	}

	private keep(owner: string, name: string, how: 'given' | 'told', value: unknown): void {
		const json = scalarJson(value);
		if (json === undefined) return;
		let names = this.owners.get(owner);
		if (names === undefined) {
			const [oldest] = this.owners.keys();
			if (this.owners.size >= MOST_OWNERS && oldest !== undefined) this.owners.delete(oldest);
			this.owners.set(owner, (names = new Map<string, Sets>()));
		}
		let known = names.get(name);
		if (known === undefined) names.set(name, (known = { given: new Set<string>(), told: new Set<string>() }));
		const values = known[how];
		// The latest is last.
		values.delete(json);
		values.add(json);
		const [oldest] = values;
		if (values.size > MOST_VALUES && oldest !== undefined) values.delete(oldest);
	}

	private eachMember(root: unknown, take: (name: string, value: unknown) => void): void {
		let left = MOST_MEMBERS;
		const walk = (value: unknown, holder: string, depth: number): void => {
			if (depth > DEEPEST || left <= 0) return;
			if (Array.isArray(value)) {
				for (const one of value as readonly unknown[]) {
					if (--left <= 0) return;
					// `contexts: ["a", "b"]` tells of values for `context_id`.
					if (!isObject(one) && !Array.isArray(one)) this.takeListed(holder, one, take);
					else walk(one, holder, depth + 1);
				}
				return;
			}
			if (!isObject(value)) return;
			for (const [key, member] of Object.entries(value)) {
				if (--left <= 0) return;
				const name = plain(key);
				if (this.names.has(name)) take(name, member);
				// So does `contexts: [{ "id": "a" }]`.
				else if (name === 'id' && holder !== '') this.takeListed(holder, member, take);
				walk(member, name, depth + 1);
			}
		};
		walk(root, '', 0);
	}

	private takeListed(holder: string, value: unknown, take: (name: string, value: unknown) => void): void {
		const single = holder.replace(/(?:ies|s)$/, (end) => (end === 'ies' ? 'y' : ''));
		for (const name of [single, `${single}id`]) if (this.names.has(name)) take(name, value);
	}
}

/** `context_id`, `contextId` and `context-id` are one name. */
function plain(name: string): string {
	return name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
}

function parsed(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		// Text that only begins like JSON tells nothing.
		return undefined;
	}
}
