import { nearest } from '../base/nearest.ts';

/**
 * Remarks on names of servers that somebody has written and that are nearly those of servers that there are. Of other names nothing is said:
 * their servers may come with the next run.
 * @param written Names, or patterns, which may mean whatever they like.
 */
export function misspeltServers(written: Iterable<string>, known: readonly string[]): readonly string[] {
	const remarks: string[] = [];
	for (const name of new Set(written)) {
		const meant = /[*{}]/.test(name) ? undefined : nearest(name, known);
		if (meant !== undefined) remarks.push(`There is no server "${name}"; did you mean "${meant}"?`);
	}
	return remarks;
}

/** The server that a glob over names of tools names: `server/tool`, or `mcp__server__tool` as agents have it. */
export function serverOfPattern(pattern: string): string | undefined {
	const [, plain, forAgents] = /^(?:([^/]+)\/|mcp__(.+?)__)/.exec(pattern) ?? [];
	return plain ?? forAgents;
}
