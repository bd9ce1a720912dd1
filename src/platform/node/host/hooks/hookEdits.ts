// Changes of a settings file that leave every other byte as it is.

import { applyEdits, modify } from 'jsonc-parser';
import type { FormattingOptions, JSONPath } from 'jsonc-parser';
import { canonical } from '../../../../core/host/config/configValue.ts';
import type { PlainValue } from '../../../../core/host/config/configValue.ts';
import { record } from '../../../../core/host/hooks/hookFacts.ts';
import type { Json } from '../../../../core/host/hooks/hookFacts.ts';
import { handlersIn, isOurHandler } from './claudeCodeSettings.ts';

/**
 * The text with these handlers, each behind the others of its event, and without those of ours that were there.
 * @param text An object of JSON.
 * @returns `undefined`: it is written in a way that cannot be changed safely.
 */
export function withHandlers(text: string, handlers: ReadonlyMap<string, Json>): string | undefined {
	const without = withoutHandlers(text);
	if (without === undefined) return undefined;
	let changed = without;
	const expected = structuredClone(objectIn(changed));
	const hooks = (expected['hooks'] ??= {}) as Record<string, unknown[]>; // looked at by `wrongHooks` before
	const lines: string[] = [];
	for (const [event, handler] of handlers) {
		const group = { hooks: [handler] };
		const isThere = hooks[event] !== undefined;
		(hooks[event] ??= []).push(group);
		// Each on a line of its own: three dozen objects with all their members below each other would fill the file.
		const mark = `${placeholder}${lines.length}`;
		changed = edited(changed, isThere ? ['hooks', event, -1] : ['hooks', event], mark, isThere);
		lines.push(oneLine(isThere ? group : [group]));
	}
	changed = changed.replaceAll(new RegExp(`"${placeholder}(\\d+)"`, 'g'), (_, index) => lines[Number(index)] ?? '');
	return isSameAs(changed, expected) ? changed : undefined;
}

/** The text without any handler of ours; what becomes empty by that goes as well. */
export function withoutHandlers(text: string): string | undefined {
	const expected = structuredClone(objectIn(text));
	if (record(expected['hooks']) === undefined) return text;
	const hooks = expected['hooks'] as Record<string, unknown>; // seen in the line above; a copy of our own
	let changed = text;
	const events = Object.entries(hooks);
	for (const [event, groups] of events) {
		if (!Array.isArray(groups)) continue;
		// From the back, so that what is before keeps its place.
		for (let index = groups.length - 1; index >= 0; index--) {
			const handlers: unknown = record(groups[index])?.['hooks'];
			if (!Array.isArray(handlers) || !handlers.some(isOurHandler)) continue;
			if (handlers.every(isOurHandler)) {
				groups.splice(index, 1);
				if (groups.length > 0) changed = edited(changed, ['hooks', event, index], undefined);
				continue;
			}
			for (let at = handlers.length - 1; at >= 0; at--) {
				if (!isOurHandler(handlers[at])) continue;
				handlers.splice(at, 1);
				changed = edited(changed, ['hooks', event, index, 'hooks', at], undefined);
			}
		}
		if (groups.length > 0 || !hasOurs(text, event)) continue;
		delete hooks[event];
		if (Object.keys(hooks).length > 0) changed = edited(changed, ['hooks', event], undefined);
	}
	if (events.length > 0 && Object.keys(hooks).length === 0) {
		delete expected['hooks'];
		changed = edited(changed, ['hooks'], undefined);
	}
	return isSameAs(changed, expected) ? changed : undefined;
}

/** A sentence, where hooks are not written as Claude Code wants them. */
export function wrongHooks(settings: Json): string | undefined {
	const hooks = settings['hooks'];
	if (hooks === undefined) return undefined;
	const events = record(hooks);
	if (events === undefined) return 'Its "hooks" is no object.';
	const wrong = Object.entries(events).find(([, groups]) => !Array.isArray(groups));
	return wrong === undefined ? undefined : `Its hooks for "${wrong[0]}" are no list.`;
}

function hasOurs(text: string, event: string): boolean {
	return handlersIn(objectIn(text)).some((entry) => entry.event === event && isOurHandler(entry.handler));
}

function edited(text: string, path: JSONPath, value: unknown, isInsertion = false): string {
	const edits = modify(text, path, value, { formattingOptions: formatOf(text), isArrayInsertion: isInsertion });
	return applyEdits(text, edits);
}

const placeholder = 'crosstalk-hook-to-be-put-in-';

/** JSON with a space where people put one. */
function oneLine(value: unknown): string {
	if (Array.isArray(value)) return `[${value.map(oneLine).join(', ')}]`;
	const object = record(value);
	if (object === undefined) return JSON.stringify(value);
	return `{ ${Object.entries(object)
		.map(([key, member]) => `${JSON.stringify(key)}: ${oneLine(member)}`)
		.join(', ')} }`;
}

/** As the file is written already. */
function formatOf(text: string): FormattingOptions {
	const indent = /\n([ \t]+)"/.exec(text)?.[1] ?? '  ';
	const isTabs = indent.startsWith('\t');
	return {
		insertSpaces: !isTabs,
		tabSize: isTabs ? 4 : indent.length,
		eol: text.includes('\r\n') ? '\r\n' : '\n',
	};
}

function objectIn(text: string): Record<string, unknown> {
	// Who calls has seen that it is an object.
	return JSON.parse(text) as Record<string, unknown>;
}

function isSameAs(text: string, expected: Json): boolean {
	try {
		// What comes of JSON is plain.
		return canonical(JSON.parse(text) as PlainValue) === canonical(expected as PlainValue);
	} catch {
		// The edit has broken it; it is not used.
		return false;
	}
}
