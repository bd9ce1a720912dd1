/** Agents that can be run under the debugger. */
export type AgentProgram = 'claude' | 'codex';

/** Which agent a command is, by its name alone; `undefined`: none that is known. */
export function agentOfCommand(command: string): AgentProgram | undefined {
	const name = command.slice(Math.max(command.lastIndexOf('/'), command.lastIndexOf('\\')) + 1);
	const bare = name.replace(/\.(?:exe|cmd|bat|ps1|js)$/i, '');
	return bare === 'claude' || bare === 'codex' ? bare : undefined;
}
