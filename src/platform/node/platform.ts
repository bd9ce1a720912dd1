import type { Platform } from '../../core/platform.ts';
import { NodeFiles } from './files.ts';
import { NodeLivenessProbe } from './liveness.ts';

/** The ports on Node: the command line's and the extension's. */
export function createNodePlatform(): Platform {
	return { files: new NodeFiles(), liveness: new NodeLivenessProbe(), clock: { now: () => Date.now() } };
}
