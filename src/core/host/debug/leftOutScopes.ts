import { jsonText } from '../../base/jsonText.ts';
import {
	fallsBack,
	isAtHand,
	isChoosing,
	isPlainlyChoosing,
	leftOut,
	mattering,
	mayChoose,
	nounOf,
	scopeParametersOf,
} from '../../scope/index.ts';
import type { DescribedTool, ScopeParameter, ToolScopeSettings, UnknownScopes } from '../../scope/index.ts';
import { isObject } from '../rpc.ts';
import { policiesOf } from '../scopes/scopeBook.ts';
import type { ScopeBook } from '../scopes/scopeBook.ts';

/** As of recorded calls: so many members, so deep, are looked at. */
const mostMembers = 64;
const mostLevels = 3;
const valueLength = 200;

interface KnownTool {
	readonly described: DescribedTool;
	readonly settings: ToolScopeSettings;
	readonly scopes: readonly ScopeParameter[] | UnknownScopes;
	/** Tools of the same server that may say what is the current one. */
	readonly choosers: readonly string[];
}

/** Finds what the rule `default-scope-query` would find in a call, before it is made. */
export class LeftOutScopes {
	private readonly book: ScopeBook;
	/** By tool, for as long as neither the tools nor the settings are others. */
	private readonly known = new Map<string, KnownTool>();
	private revision = -1;

	constructor(book: ScopeBook) {
		this.book = book;
	}

	/** The tools of the server are others, or may be. */
	forget(): void {
		this.known.clear();
	}

	/**
	 * @param names Every name of the server.
	 * @param tools All that the server has listed, this one among them.
	 * @returns A sentence; `null`: nothing is left out; `undefined`: that is not known.
	 */
	of(
		names: readonly string[],
		tool: string,
		tools: () => readonly DescribedTool[],
		args: unknown,
	): string | null | undefined {
		const known = this.toolOf(names, tool, tools);
		if (known === undefined || 'reason' in known.scopes) return undefined;
		const { described, settings, scopes, choosers } = known;
		const values: { path: string; value: string }[] = [];
		if (!isWholly(args ?? {}, '', 1, values)) return undefined;
		const call = {
			given: new Map(values.map(({ path, value }) => [path, value])),
			leftOut: leftOut(scopes, { range: nowhere, values, isPartial: false }),
		};
		const isFilled = ({ path }: ScopeParameter) =>
			settings.values?.[path] !== undefined && Object.values(policiesOf(settings.policy)).includes('fill');
		const missing = mattering({ name: tool, description: described, settings, parameters: scopes }, call, isFilled);
		const found = missing.filter(
			// Whether its agent has chosen the current one before is not known here.
			(parameter) => fallsBack(parameter) && !choosers.some((name) => hasChosen(name, parameter)),
		);
		const [first] = found;
		if (first === undefined) return null;
		const paths = found.map(({ path }) => `"${path}"`).join(', ');
		const instead = first.fallback === undefined ? '' : `; the tool takes ${first.fallback.value} for it`;
		return `The call does not say ${paths}${instead}.`;
	}

	private toolOf(
		names: readonly string[],
		tool: string,
		tools: () => readonly DescribedTool[],
	): KnownTool | undefined {
		if (this.revision !== this.book.revision) {
			this.known.clear();
			this.revision = this.book.revision;
		}
		const known = this.known.get(tool);
		if (known !== undefined) return known;
		const all = tools();
		const described = all.find(({ name }) => name === tool);
		if (described === undefined) return undefined;
		const settings = this.book.lookUp(names, tool, undefined);
		const own = { [described.server]: { [tool]: settings } };
		const scopes = scopeParametersOf(described, own, undefined, all);
		const choosers = all.map(({ name }) => name).filter((name) => name !== tool && mayChoose(name));
		const found = { described, settings, scopes, choosers };
		this.known.set(tool, found);
		return found;
	}
}

function hasChosen(chooser: string, parameter: ScopeParameter): boolean {
	if (parameter.fallback?.words.includes(chooser) === true) return true;
	return isAtHand(parameter) && (isChoosing(chooser, nounOf(parameter)) || isPlainlyChoosing(chooser));
}

/** Notes what is given, by path. `false`: there is more than is looked at. */
function isWholly(value: unknown, prefix: string, level: number, values: { path: string; value: string }[]): boolean {
	if (!isObject(value)) return level > 1;
	for (const [name, member] of Object.entries(value)) {
		if (level > mostLevels || values.length >= mostMembers) return false;
		const path = prefix + name;
		values.push({ path, value: jsonText(member).slice(0, valueLength) });
		if (isObject(member) && !isWholly(member, `${path}.`, level + 1, values)) return false;
		if (!Array.isArray(member)) continue;
		for (const one of member as readonly unknown[])
			if (isObject(one) && !isWholly(one, `${path}[].`, level + 1, values)) return false;
	}
	return true;
}

/** The wire has no columns. */
const nowhere = { column: 1, endColumn: 1 };
