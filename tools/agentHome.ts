import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from './process.ts';

export interface AgentHome {
	readonly path: string;
	/** Leads whatever looks for agents' files into this home, and away from the user's own. */
	readonly environment: Readonly<Record<string, string>>;
}

/** A copy of the recorded home of examples/, since whoever lives in a home also writes to it. */
export async function copyRecordedHome(stage: string): Promise<AgentHome> {
	const path = join(stage, 'recorded');
	await cp(join(root, 'examples', 'recorded'), path, { recursive: true });
	return {
		path,
		environment: {
			HOME: path,
			USERPROFILE: path,
			// Variables of the user's would outweigh the folder.
			CLAUDE_CONFIG_DIR: join(path, '.claude'),
			CODEX_HOME: join(path, '.codex'),
			XDG_CACHE_HOME: join(stage, 'cache'),
		},
	};
}
