// What results have shown of a server's parameters.

import { plainName } from './classify.ts';
import type { SeenCall, SeenValues } from './scopeParameter.ts';
import { nameEndings } from './words.ts';

interface Handle {
	readonly sentence: string;
	/** Values that the server gave out were passed to two of its tools or more: it is not the name of one tool's own object. */
	readonly isPassedOn: boolean;
}

interface Echo {
	readonly sentence: string;
	/** The answer was a list, and said beside it where it was from. */
	readonly isOfList: boolean;
}

/** By plain names, see `plainName`. */
export interface Seen {
	/** Values of this name that other tools of the server gave out. */
	handle(name: string): Handle | undefined;
	/** An answer of this tool that says what it took for the parameter, which was not given. */
	echo(path: string, name: string): Echo | undefined;
}

const mostCalls = 2_000;

export function seenOf(tool: string, seen: SeenValues): Seen {
	const calls = seen.calls.slice(-mostCalls);
	const own = calls.filter((call) => call.tool === tool && call.content !== undefined);
	let minted: ReadonlyMap<string, Minted> | undefined;
	return {
		handle: (name) => {
			if (!isIdName(name)) return undefined;
			minted ??= mintedIn(calls);
			const values = minted.get(name);
			const by = [...(values?.by ?? [])].filter((other) => other !== tool);
			if (values === undefined || by.length === 0) return undefined;
			return {
				sentence: `The server itself gave out values of this name, in results of ${by
					.slice(0, 3)
					.map((other) => `\`${other}\``)
					.join(', ')}.`,
				isPassedOn: values.passedTo.size > 1,
			};
		},
		echo: (path, name) => {
			for (const call of own.toReversed()) {
				if (call.given === undefined || call.given.isPartial || call.content === undefined) continue;
				if (call.given.values.some((value) => value.path === path)) continue;
				const echoed = call.content.values.find((value) => nameIn(value.path) === name);
				if (echoed === undefined || echoed.value === 'null') continue;
				return {
					sentence: `A call without it was answered with \`${echoed.path}\`: ${echoed.value}.`,
					isOfList: call.content.items !== undefined && isIdName(name),
				};
			}
			return undefined;
		},
	};
}

interface Minted {
	readonly values: Set<string>;
	readonly by: Set<string>;
	/** Tools that were given one of them later. */
	readonly passedTo: Set<string>;
}

function mintedIn(calls: readonly SeenCall[]): ReadonlyMap<string, Minted> {
	const minted = new Map<string, Minted>();
	for (const { tool, given, content } of calls) {
		for (const { path, value } of given?.values ?? []) {
			const known = minted.get(nameIn(path));
			if (known?.values.has(value) === true) known.passedTo.add(tool);
		}
		for (const { path, value } of content?.values ?? []) {
			const name = nameIn(path);
			if (!isIdName(name) || value === 'null' || value === '""') continue;
			// What a call gave and its answer repeats was not given out by the server.
			if (given?.values.some((one) => one.value === value) === true) continue;
			let known = minted.get(name);
			if (known === undefined)
				minted.set(name, (known = { values: new Set(), by: new Set(), passedTo: new Set() }));
			known.values.add(value);
			known.by.add(tool);
		}
	}
	return minted;
}

function nameIn(path: string): string {
	return plainName(path.slice(path.lastIndexOf('.') + 1));
}

/** Of two words or more, the last of them one for ids. */
function isIdName(name: string): boolean {
	const end = name.lastIndexOf(' ');
	return end > 0 && nameEndings.has(name.slice(end + 1));
}
