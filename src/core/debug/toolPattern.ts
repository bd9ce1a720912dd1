import { anyGlob } from './glob.ts';

/** What a breakpoint names: tools, and perhaps agents. */
export interface ToolPattern {
	/**
	 * @param names Every name of the tool: `server/tool`, `mcp__server__tool`, `Bash`.
	 * @param agent What its agent may be called by, as far as that is known (`callerNames`); a pattern that names agents does not match others.
	 */
	matches(names: readonly string[], agent: readonly string[]): boolean;
}

/** In characters. */
const longestPattern = 500;

/** @returns A sentence where the text is no pattern. */
export function toolPattern(text: string): ToolPattern | string {
	const trimmed = text.trim();
	if (trimmed === '') return 'A breakpoint needs the name of a tool, for example "analytics/query", "Bash" or "*".';
	if (trimmed.length > longestPattern) return `A tool pattern has at most ${longestPattern} characters.`;
	// Names and types of agents may hold a colon (`plugin:reviewer`), names of tools do not.
	const colon = trimmed.lastIndexOf(':');
	const tool = trimmed.slice(colon + 1).trim();
	const agent = colon === -1 ? undefined : trimmed.slice(0, colon).trim();
	if (tool === '') return `"${trimmed}" names no tool: write one behind the colon, or "*".`;
	if (agent === '') return `"${trimmed}" names no agents before the colon.`;
	const tools = anyGlob(tool);
	if (typeof tools === 'string') return `"${tool}" is no pattern: ${tools}`;
	const agents = agent === undefined ? undefined : anyGlob(agent);
	if (typeof agents === 'string') return `"${agent ?? ''}" is no pattern: ${agents}`;
	return {
		matches: (names, callers) => (agents === undefined || callers.some(agents)) && names.some(tools),
	};
}

/** What people may call an agent by in a pattern: its type, its name and its id; `null`: not known. */
export function callerNames(caller: {
	readonly agentType: string | null;
	readonly agentName: string | null;
	readonly agentId: string | null;
}): readonly string[] {
	const { agentType, agentName, agentId } = caller;
	return [agentType, agentName, agentId].filter((name) => name !== null);
}

/** Every name that a breakpoint can have for a tool of an MCP server. */
export function mcpToolNames(server: string, tool: string): readonly string[] {
	const plain = `mcp__${server}__${tool}`;
	// Claude Code puts `_` for what its model's tool names may not hold.
	const legal = plain.replaceAll(/[^\w-]/g, '_');
	return legal === plain ? [`${server}/${tool}`, plain] : [`${server}/${tool}`, plain, legal];
}
