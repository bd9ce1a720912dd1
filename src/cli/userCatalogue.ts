import { homedir } from 'node:os';
import { defaultDataDirectory } from '../platform/node/host/defaultDataDirectory.ts';

/** What the user's own host knows of tools. Threads have their own platform and say the same once more, so only the main one warns. */
export const userCatalogue = {
	directory: () =>
		defaultDataDirectory({ platform: process.platform, environment: process.env, homeFolder: homedir() }),
	warn: (sentence: string) => void process.stderr.write(`crosstalk: ${sentence}\n`),
};
