// Two JSON values beside each other: where the first difference is, as a path that a person can go.

/** The first place at which two values differ. A side that has nothing there is `undefined`. */
export interface JsonDifference {
	/** `content[0].text.rows[3].total`; empty: the values themselves. */
	readonly path: string;
	readonly one: unknown;
	readonly other: unknown;
}

/** A path whose value is not looked at; `*` stands for one member or element, `**` for any number of them. */
export interface IgnoredPath {
	readonly parts: readonly string[];
}

/** Reads `rows[*].id`, `rows.*.id` or `**.generated_at`. `undefined`: it is no path. */
export function ignoredPath(text: string): IgnoredPath | undefined {
	const parts = text.replaceAll(/\[(\d+|\*)\]/g, '.$1').split('.');
	if (parts[0] === '') parts.shift();
	if (parts[0] === '$') parts.shift();
	return parts.length === 0 || parts.some((part) => part === '' || /[[\]]/.test(part)) ? undefined : { parts };
}

/**
 * The first difference, in the order of the first value; `undefined`: there is none. Members may stand in any order. A text that holds JSON on
 * both sides is looked into, for that is how tools answer.
 */
export function jsonDifference(
	one: unknown,
	other: unknown,
	ignored: readonly IgnoredPath[] = [],
): JsonDifference | undefined {
	return differenceAt([], one, other, ignored);
}

function differenceAt(
	path: readonly (string | number)[],
	one: unknown,
	other: unknown,
	ignored: readonly IgnoredPath[],
): JsonDifference | undefined {
	if (one === other) return undefined;
	if (ignored.some(({ parts }) => matches(parts, path))) return undefined;
	const first = opened(one, other);
	const second = opened(other, one);
	if (Array.isArray(first) && Array.isArray(second)) {
		for (let index = 0; index < Math.max(first.length, second.length); index++) {
			const found = differenceAt([...path, index], first[index], second[index], ignored);
			if (found !== undefined) return found;
		}
		return undefined;
	}
	if (isObject(first) && isObject(second)) {
		for (const name of [
			...Object.keys(first),
			...Object.keys(second).filter((key) => !Object.hasOwn(first, key)),
		]) {
			const found = differenceAt([...path, name], own(first, name), own(second, name), ignored);
			if (found !== undefined) return found;
		}
		return undefined;
	}
	return Object.is(first, second) ? undefined : { path: pathText(path), one, other };
}

/** What a text holds, where the other side holds the like. */
function opened(value: unknown, other: unknown): unknown {
	const inner = jsonIn(value);
	return inner === undefined || (typeof other === 'string' && jsonIn(other) === undefined) ? value : inner;
}

function jsonIn(value: unknown): unknown {
	if (typeof value !== 'string' || !/^\s*[{[]/.test(value)) return undefined;
	try {
		return JSON.parse(value) as unknown;
	} catch {
		// A text that only begins like JSON.
		return undefined;
	}
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function own(value: Readonly<Record<string, unknown>>, name: string): unknown {
	return Object.hasOwn(value, name) ? value[name] : undefined;
}

/** A pattern that does not begin with `**` begins at the value itself, or at a text that holds it: `rows[0]` is also `content[0].text.rows[0]`. */
function matches(parts: readonly string[], path: readonly (string | number)[]): boolean {
	const isBelowText = path.length > 3 && path[0] === 'content' && path[2] === 'text';
	const isBelowBlock = path.length > 2 && typeof path[0] === 'number' && path[1] === 'text';
	return (
		matchesAll(parts, path) ||
		(isBelowText && matchesAll(parts, path.slice(3))) ||
		(isBelowBlock && matchesAll(parts, path.slice(2)))
	);
}

function matchesAll(parts: readonly string[], path: readonly (string | number)[]): boolean {
	const [part, ...rest] = parts;
	if (part === undefined) return path.length === 0;
	if (part === '**') return path.some((_, index) => matchesAll(rest, path.slice(index))) || rest.length === 0;
	const [step, ...further] = path;
	return step !== undefined && (part === '*' || part === String(step)) && matchesAll(rest, further);
}

function pathText(path: readonly (string | number)[]): string {
	return path.reduce<string>((text, step) => {
		if (typeof step === 'number') return `${text}[${step}]`;
		if (!/^[\w$-]+$/.test(step)) return `${text}[${JSON.stringify(step)}]`;
		return text === '' ? step : `${text}.${step}`;
	}, '');
}

/** The value in one form, whatever order its members were written in. */
export function canonicalJson(value: unknown): string {
	return (
		JSON.stringify(value, (_key, inner: unknown) =>
			isObject(inner)
				? Object.fromEntries(Object.entries(inner).sort(([first], [second]) => (first < second ? -1 : 1)))
				: inner,
		) ?? ''
	);
}
