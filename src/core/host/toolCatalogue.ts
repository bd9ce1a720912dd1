// What the servers of a host have said last of their tools, for whoever reads a transcript in which nobody says it.

import type { CataloguedTool } from '../events/sessionEvent.ts';
import { isObject, stringAt } from './rpc.ts';

/** The catalogue as the host keeps it. What comes in holds no secrets any more. */
export interface ToolCatalogue {
	/** The tools that it has of a server. */
	toolsOf(server: string): readonly string[];
	put(tool: CataloguedTool): void;
	remove(server: string, tool: string): void;
}

/** The version of the format in which it is stored. */
const CATALOGUE_VERSION = 1;

/** Of all servers together. What was said longest ago goes first. */
const mostTools = 5_000;
const mostCharacters = 8 * 1024 * 1024;

/** A catalogue in memory. */
export class MemoryToolCatalogue implements ToolCatalogue {
	/** In the order in which they were said. */
	private readonly tools = new Map<string, CataloguedTool>();
	private readonly onChange: () => void;
	private characters = 0;

	constructor(tools: readonly CataloguedTool[], onChange: () => void) {
		this.onChange = onChange;
		for (const tool of tools) this.add(tool);
	}

	toolsOf(server: string): readonly string[] {
		return [...this.tools.values()].filter((tool) => tool.server === server).map(({ tool }) => tool);
	}

	put(tool: CataloguedTool): void {
		const known = this.tools.get(keyOf(tool.server, tool.tool));
		if (known !== undefined && known.description === tool.description && known.inputSchema === tool.inputSchema)
			return;
		this.add(tool);
		this.onChange();
	}

	remove(server: string, tool: string): void {
		if (this.delete(keyOf(server, tool))) this.onChange();
	}

	/** One JSON object in one line. */
	get text(): string {
		return JSON.stringify({ version: CATALOGUE_VERSION, tools: [...this.tools.values()] });
	}

	private add(tool: CataloguedTool): void {
		const key = keyOf(tool.server, tool.tool);
		this.delete(key);
		this.tools.set(key, tool);
		this.characters += lengthOf(tool);
		for (const oldest of this.tools.keys()) {
			if (this.tools.size <= mostTools && this.characters <= mostCharacters) break;
			this.delete(oldest);
		}
	}

	private delete(key: string): boolean {
		const known = this.tools.get(key);
		if (known === undefined) return false;
		this.characters -= lengthOf(known);
		return this.tools.delete(key);
	}
}

/** @returns Its tools, or a sentence that says why it cannot be read. */
export function readCatalogue(text: string): readonly CataloguedTool[] | string {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		// The sentence says it.
		return 'It is not JSON.';
	}
	if (!isObject(value) || !Array.isArray(value['tools'])) return 'It is no catalogue of tools.';
	const { version, tools } = value;
	if (version !== CATALOGUE_VERSION)
		return typeof version === 'number' && version > CATALOGUE_VERSION
			? 'A newer version of Crosstalk has written it.'
			: 'It is no catalogue of tools.';
	// What is in a list of strangers is looked at one by one.
	return (tools as readonly unknown[]).flatMap((tool) => {
		if (!isObject(tool)) return [];
		const server = stringAt(tool, 'server');
		const name = stringAt(tool, 'tool');
		if (server === undefined || name === undefined) return [];
		const description = stringAt(tool, 'description');
		return [{ server, tool: name, description, inputSchema: stringAt(tool, 'inputSchema') }];
	});
}

function keyOf(server: string, tool: string): string {
	return JSON.stringify([server, tool]);
}

function lengthOf({ server, tool, description = '', inputSchema = '' }: CataloguedTool): number {
	return server.length + tool.length + description.length + inputSchema.length;
}
