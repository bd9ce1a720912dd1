import { checkScopeSettings } from '../../scope/index.ts';
import type { ScopeSettings } from '../../scope/index.ts';
import { memberOf, plainOf, valueAt } from './configValue.ts';
import type { ConfigObject, ConfigValue } from './configValue.ts';
import type { Report } from './serverEntry.ts';

/** Where a file may say something of scopes; the last is how VS Code's own settings write it. */
const places: readonly (readonly string[])[] = [['scope'], ['crosstalk', 'scope'], ['crosstalk.scope']];

/**
 * What a file says of the scopes of tools. Whatever is wrong with it is reported, and costs no more than itself.
 * @returns `undefined`: the file says nothing of them.
 */
export function readScopes(root: ConfigObject, report: Report): ScopeSettings | undefined {
	let found: ScopeSettings | undefined;
	for (const place of places) {
		const value = valueAt(root, place);
		if (value === undefined) continue;
		const { settings, problems } = checkScopeSettings(plainOf(value));
		for (const { path, message } of problems) report(offsetOf(value, path), message);
		found = found === undefined ? settings : merged(found, settings);
	}
	return found;
}

function merged(one: ScopeSettings, other: ScopeSettings): ScopeSettings {
	const servers = Object.entries(other).map(([server, tools]) => [server, { ...one[server], ...tools }] as const);
	return { ...one, ...Object.fromEntries(servers) };
}

/** Of the name, or of the element, that a path leads to; as near to it as there is something. */
function offsetOf(value: ConfigValue, path: readonly string[]): number {
	let at = value;
	let { offset } = value;
	for (const name of path) {
		if (at.kind === 'object') {
			const member = memberOf(at, name);
			if (member === undefined) break;
			({ offset } = member);
			at = member.value;
		} else {
			const item: ConfigValue | undefined = at.kind === 'array' ? at.items[Number(name)] : undefined;
			if (item === undefined) break;
			({ offset } = item);
			at = item;
		}
	}
	return offset;
}
