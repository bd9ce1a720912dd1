/**
 * Splits `mcp__<server>__<tool>`, the name that agents give an MCP tool, on the first `__` after the prefix: a tool's name may itself
 * contain underscores. Any other name is the tool's own.
 */
export function splitMcpName(name: string): { readonly name: string; readonly server: string | undefined } {
	if (!name.startsWith('mcp__')) return { name, server: undefined };
	const separator = name.indexOf('__', 5);
	if (separator === -1 || separator === 5 || separator + 2 >= name.length) return { name, server: undefined };
	return { name: name.slice(separator + 2), server: name.slice(5, separator) };
}
