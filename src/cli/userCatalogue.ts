import { defaultDataDirectory } from '../platform/node/host/defaultDataDirectory.ts';
import { userHome } from '../platform/node/userHome.ts';

/** What the user's own host knows of tools. Threads have their own platform and say the same once more, so only the main one warns. */
export const userCatalogue = {
	directory: () =>
		defaultDataDirectory({ platform: process.platform, environment: process.env, homeFolder: userHome() }),
	warn: (sentence: string) => void process.stderr.write(`crosstalk: ${sentence}\n`),
};
