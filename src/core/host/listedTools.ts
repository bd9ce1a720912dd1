import { jsonText } from '../base/jsonText.ts';
import { isObject, stringAt } from './rpc.ts';
import type { JsonObject } from './rpc.ts';

/** A change in what a server says of its tools. */
export interface ToolChange {
	readonly tool: string;
	readonly description: string | undefined;
	/** JSON text. */
	readonly inputSchema: string | undefined;
	readonly isRemoved: boolean;
}

/** Longer schemas are not kept, nor are more tools. */
const mostSchemaLength = 64 * 1024;
const mostTools = 5_000;
/** Lists of several pages that somebody is in the middle of. */
const mostOpenLists = 64;

/** A tool as it was listed last. */
interface Listed {
	readonly description: string | undefined;
	readonly inputSchema: string | undefined;
	/** Whom the connection was for that it was listed on: others may be shown less. */
	owner: string;
}

/** What one server has listed of its tools: finds out what has changed, however many agents ask for the same list. */
export class ListedTools {
	private readonly tools = new Map<string, Listed>();
	/** Names that a host before this one has known, and that nobody has listed since. */
	private readonly before: Set<string>;
	/** By owner and cursor: the names on the pages before. */
	private readonly openLists = new Map<string, ReadonlySet<string>>();

	/** @param before What was known of the server when the host started. */
	constructor(before: readonly string[]) {
		this.before = new Set(before);
	}

	/**
	 * Takes one answer to `tools/list`.
	 * @param cursor The page that was asked for; `undefined`: the first.
	 * @param owner Whom the connection is for.
	 * @param isOpen Whether this owner still has a connection; without one nobody will ever list its tools again.
	 * @returns What is other than before. Tools are missed only when all pages were seen.
	 */
	take(
		result: JsonObject,
		cursor: string | undefined,
		owner: string,
		isOpen: (owner: string) => boolean,
	): readonly ToolChange[] {
		const { tools } = result;
		if (!Array.isArray(tools)) return [];
		const changes: ToolChange[] = [];
		const seen = cursor === undefined ? new Set<string>() : this.openLists.get(pageKey(owner, cursor));
		const names = seen === undefined ? undefined : new Set(seen);
		for (const tool of tools as readonly unknown[]) {
			const name = isObject(tool) ? stringAt(tool, 'name') : undefined;
			if (!isObject(tool) || name === undefined) continue;
			names?.add(name);
			const change = this.list(name, tool, owner);
			if (change !== undefined) changes.push(change);
		}
		const next = stringAt(result, 'nextCursor');
		if (names === undefined) return changes;
		if (next !== undefined) {
			if (this.openLists.size >= mostOpenLists) this.openLists.clear();
			this.openLists.set(pageKey(owner, next), names);
			return changes;
		}
		return [...changes, ...this.missing(names, owner, isOpen)];
	}

	/** What a tool was listed as last; whether it still is, whoever asks has to know. */
	of(tool: string): Pick<ToolChange, 'description' | 'inputSchema'> | undefined {
		return this.tools.get(tool);
	}

	get all(): readonly Pick<ToolChange, 'tool' | 'description' | 'inputSchema'>[] {
		return [...this.tools].map(([tool, { description, inputSchema }]) => ({ tool, description, inputSchema }));
	}

	private list(name: string, tool: JsonObject, owner: string): ToolChange | undefined {
		const description = stringAt(tool, 'description');
		const inputSchema = schemaText(tool['inputSchema']);
		const known = this.tools.get(name);
		if (known !== undefined && known.description === description && known.inputSchema === inputSchema) {
			known.owner = owner;
			return undefined;
		}
		if (known === undefined && this.tools.size >= mostTools) return undefined;
		this.tools.set(name, { description, inputSchema, owner });
		this.before.delete(name);
		return { tool: name, description, inputSchema, isRemoved: false };
	}

	private missing(
		names: ReadonlySet<string>,
		owner: string,
		isOpen: (owner: string) => boolean,
	): readonly ToolChange[] {
		const gone = [...this.before].filter((name) => !names.has(name));
		this.before.clear();
		for (const [name, tool] of this.tools) {
			if (names.has(name) || (tool.owner !== owner && isOpen(tool.owner))) continue;
			this.tools.delete(name);
			gone.push(name);
		}
		return gone.map((tool) => ({ tool, description: undefined, inputSchema: undefined, isRemoved: true }));
	}
}

function schemaText(schema: unknown): string | undefined {
	if (!isObject(schema)) return undefined;
	const text = jsonText(schema);
	return text.length > mostSchemaLength ? undefined : text;
}

function pageKey(owner: string, cursor: string): string {
	return `${owner} ${cursor}`;
}
