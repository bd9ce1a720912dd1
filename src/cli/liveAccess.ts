import { createCore } from '../core/core.ts';
import type { LiveAccess } from '../debugAdapter/hostLink.ts';
import { debugLinks } from '../platform/node/host/debugLink.ts';
import { storedCallsIn } from '../platform/node/store/readStoredCalls.ts';
import { dataDirectory } from './dataOption.ts';
import type { CommandIo } from './io.ts';
import { ownProgram } from './ownProgram.ts';

/** How a debug adapter on the command line reaches the host and the transcripts. @param data The directory for configurations that name none. */
export function liveAccess(io: CommandIo, data: string | undefined, onError: (error: unknown) => void): LiveAccess {
	return {
		...debugLinks({
			client: 'crosstalk debug',
			directory: () => dataDirectory(io, data),
			program: ownProgram(io),
			onError,
		}),
		core: createCore(io.platform),
		platform: io.platform,
		homeFolder: io.homeFolder,
		environment: io.environment,
		storedCalls: storedCallsIn,
		onError,
	};
}
