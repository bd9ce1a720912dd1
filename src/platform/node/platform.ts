import type { Platform } from '../../core/platform.ts';
import { BlockingNodeFiles, NodeFiles } from './files.ts';
import { NodeLivenessProbe } from './liveness.ts';

/**
 * The ports on Node.
 * @param isBlocking Whether the process may stand still while files are read: a command that does nothing else is faster for it.
 */
export function createNodePlatform(isBlocking: boolean): Platform {
	return {
		files: isBlocking ? new BlockingNodeFiles() : new NodeFiles(),
		liveness: new NodeLivenessProbe(),
		clock: { now: () => Date.now() },
	};
}
