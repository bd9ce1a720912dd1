import { statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { windowsStartCommand } from './upstreams/startCommand.ts';
import type { StartCommand, WindowsFiles } from './upstreams/startCommand.ts';

export interface AgentCommand {
	readonly command: string;
	readonly args: readonly string[];
	readonly cwd?: string | undefined;
}

/**
 * An agent's program as the system takes it. On Windows npm makes of `claude` and `codex` batch files, which the system neither finds by that name
 * nor starts by itself.
 * @returns A sentence when it cannot be started.
 */
export function agentStart(
	agent: AgentCommand,
	environment: Readonly<Record<string, string | undefined>>,
	platform: NodeJS.Platform = process.platform,
	files: WindowsFiles = { isFile },
): StartCommand | string {
	if (platform !== 'win32') return { file: agent.command, args: agent.args, isVerbatim: false };
	const known = Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined);
	return windowsStartCommand(agent, Object.fromEntries(known), files);
}

function isFile(path: string): boolean {
	return isAbsolute(path) && (statSync(path, { throwIfNoEntry: false })?.isFile() ?? false);
}
