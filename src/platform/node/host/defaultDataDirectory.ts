import { posix, win32 } from 'node:path';

export interface Surroundings {
	readonly platform: NodeJS.Platform;
	readonly environment: Readonly<Record<string, string | undefined>>;
	readonly homeFolder: string;
}

/** Where a person's host keeps its data when nobody says otherwise. */
export function defaultDataDirectory({ platform, environment, homeFolder }: Surroundings): string {
	switch (platform) {
		case 'win32': {
			const local = environment['LOCALAPPDATA'];
			const base =
				local !== undefined && win32.isAbsolute(local) ? local : win32.join(homeFolder, 'AppData', 'Local');
			return win32.join(base, 'crosstalk');
		}
		case 'darwin':
			return posix.join(homeFolder, 'Library', 'Application Support', 'crosstalk');
		default: {
			const state = environment['XDG_STATE_HOME'];
			// The standard says that a relative path is to be ignored.
			const base =
				state !== undefined && posix.isAbsolute(state) ? state : posix.join(homeFolder, '.local', 'state');
			return posix.join(base, 'crosstalk');
		}
	}
}
