import { defaultDataDirectory } from '../platform/node/host/defaultDataDirectory.ts';
import type { CommandIo } from './io.ts';
import { UsageError, absolutePath } from './usage.ts';

/** The data directory that `--data` names, or the user's. Absolute. */
export function dataDirectory(io: CommandIo, option: string | undefined): string {
	if (option === '') throw new UsageError('The option --data needs a value.');
	if (option !== undefined) return absolutePath(io, option);
	const { environment, homeFolder } = io;
	return defaultDataDirectory({ platform: process.platform, environment, homeFolder });
}
