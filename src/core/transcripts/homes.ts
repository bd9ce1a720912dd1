import { joinPath } from './files.ts';
import type { TranscriptFiles } from './files.ts';
import type { TranscriptFormatId } from './transcriptFormat.ts';

/** A folder in which an agent keeps its sessions. */
export interface AgentHome {
	readonly format: TranscriptFormatId;
	/** The folder to search and to watch. */
	readonly path: string;
}

/** Where agents keep their sessions, by their own rules. @param home The user's home folder. */
export function agentHomes(
	files: TranscriptFiles,
	home: string,
	environment: Readonly<Record<string, string | undefined>>,
): readonly AgentHome[] {
	const claude = environment['CLAUDE_CONFIG_DIR'] || joinPath(files, home, '.claude');
	const codexHome = environment['CODEX_HOME'] || joinPath(files, home, '.codex');
	return [
		{ format: 'claude-code', path: joinPath(files, claude, 'projects') },
		{ format: 'codex', path: joinPath(files, codexHome, 'sessions') },
		{ format: 'codex', path: joinPath(files, codexHome, 'archived_sessions') },
	];
}
