import type { StopPoint } from '../core/debug/index.ts';

/**
 * The name of a function breakpoint: a pattern of tools, which stops before the call; with ` after` behind it, after the call and before
 * its agent sees the result; with ` on error`, where the result is an error. No tool's name has a space.
 */
export function functionBreakpoint(name: string): { readonly tool: string; readonly at: StopPoint } {
	const found = /^(.*\S)\s+(before|after|on error)\s*$/i.exec(name);
	const [, tool, point] = found ?? [];
	if (tool === undefined || point === undefined) return { tool: name.trim(), at: 'before' };
	const at = point.toLowerCase();
	return { tool: tool.trim(), at: at === 'after' ? 'after' : at === 'before' ? 'before' : 'error' };
}
