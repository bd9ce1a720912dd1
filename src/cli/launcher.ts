import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Launcher } from '../platform/node/host/config/routing.ts';
import type { CommandIo } from './io.ts';

/** How a client, which knows nothing of where we are, starts this program. */
export function launcherOf(io: CommandIo): Launcher {
	// Clients start no command files on Windows, and that is what npm makes there.
	if (process.platform !== 'win32' && isOnPath(io)) return { command: 'crosstalk', args: [], env: {} };
	const isEditor = process.versions['electron'] !== undefined;
	return {
		command: process.execPath,
		args: [fileURLToPath(new URL('dist/cli.js', io.installation))],
		env: isEditor ? { ELECTRON_RUN_AS_NODE: '1' } : {},
	};
}

function isOnPath({ environment }: CommandIo): boolean {
	return (environment['PATH'] ?? '').split(delimiter).some((folder) => {
		// What is relative means another file for each client.
		if (!isAbsolute(folder)) return false;
		const path = join(folder, 'crosstalk');
		try {
			accessSync(path, constants.X_OK);
			return statSync(path).isFile();
		} catch {
			return false;
		}
	});
}
