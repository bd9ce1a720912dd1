import { anyGlob } from './glob.ts';

/** What a breakpoint names: tools, and perhaps a type of agents. */
export interface ToolPattern {
	/**
	 * @param names Every name of the tool: `server/tool`, `mcp__server__tool`, `Bash`.
	 * @param agentType `null`: not known; a pattern that asks for one does not match then.
	 */
	matches(names: readonly string[], agentType: string | null): boolean;
}

/** In characters. */
const longestPattern = 500;

/** @returns A sentence where the text is no pattern. */
export function toolPattern(text: string): ToolPattern | string {
	const trimmed = text.trim();
	if (trimmed === '') return 'A breakpoint needs the name of a tool, for example "analytics/query", "Bash" or "*".';
	if (trimmed.length > longestPattern) return `A tool pattern has at most ${longestPattern} characters.`;
	// Types of agents may hold a colon (`plugin:reviewer`), names of tools do not.
	const colon = trimmed.lastIndexOf(':');
	const tool = trimmed.slice(colon + 1).trim();
	const type = colon === -1 ? undefined : trimmed.slice(0, colon).trim();
	if (tool === '') return `"${trimmed}" names no tool: write one behind the colon, or "*".`;
	if (type === '') return `"${trimmed}" names no type of agents before the colon.`;
	const tools = anyGlob(tool);
	if (typeof tools === 'string') return `"${tool}" is no pattern: ${tools}`;
	const types = type === undefined ? undefined : anyGlob(type);
	if (typeof types === 'string') return `"${type ?? ''}" is no pattern: ${types}`;
	return {
		matches: (names, agentType) =>
			(types === undefined || (agentType !== null && types(agentType))) && names.some(tools),
	};
}

/** Every name that a breakpoint can have for a tool of an MCP server. */
export function mcpToolNames(server: string, tool: string): readonly string[] {
	const plain = `mcp__${server}__${tool}`;
	// Claude Code puts `_` for what its model's tool names may not hold.
	const legal = plain.replaceAll(/[^\w-]/g, '_');
	return legal === plain ? [`${server}/${tool}`, plain] : [`${server}/${tool}`, plain, legal];
}
