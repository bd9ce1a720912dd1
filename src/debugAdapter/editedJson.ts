import { ExpectedError } from '../core/base/errors.ts';
import { jsonText } from '../core/base/jsonText.ts';

/**
 * JSON with another value in the place that the keys lead to; all others stay as they are written, numbers with all their digits. Throws an
 * `ExpectedError` for keys that lead nowhere.
 */
export function withReplaced(text: string, keys: readonly (string | number)[], value: unknown): string {
	if (keys.length === 0) return jsonText(value);
	try {
		return JSON.stringify(replaced(exactly(text), keys, value));
	} catch (error) {
		if (!(error instanceof RangeError)) throw error;
		throw new ExpectedError('What holds the value is nested too deeply to be changed in one place.', {
			cause: error,
		});
	}
}

/** Numbers that a computer would round are kept as their texts. */
function exactly(text: string): unknown {
	try {
		return JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) =>
			typeof value === 'number' && context?.source !== undefined && String(value) !== context.source
				? rawJson.rawJSON(context.source)
				: value,
		);
	} catch (error) {
		if (error instanceof RangeError) throw error;
		// A result may be words alone.
		return text;
	}
}

/** Of V8 since Node 21; the types do not know it yet. */
const rawJson = JSON as JSON & { rawJSON(text: string): object; isRawJSON(value: unknown): boolean };

function replaced(value: unknown, keys: readonly (string | number)[], next: unknown): unknown {
	const [key, ...rest] = keys;
	if (key === undefined) return next;
	if (Array.isArray(value)) {
		const index = Number(key);
		if (!Number.isInteger(index) || index < 0 || index > value.length)
			throw new ExpectedError(`There is no place ${String(key)} in this list.`);
		const items: unknown[] = [...(value as readonly unknown[])];
		items[index] = replaced(items[index], rest, next);
		return items;
	}
	if (typeof value !== 'object' || value === null || rawJson.isRawJSON(value))
		throw new ExpectedError(`There is no "${String(key)}" here: the value has no parts.`);
	// Checked in the line above.
	const members = value as Readonly<Record<string, unknown>>;
	return { ...members, [key]: replaced(members[key], rest, next) };
}
