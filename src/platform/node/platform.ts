import type { Platform } from '../../core/platform.ts';
import { BlockingNodeFiles, NodeFiles } from './files.ts';
import { NodeLivenessProbe } from './liveness.ts';
import { NodeToolCatalogue } from './toolCatalogue.ts';

/**
 * The ports on Node.
 * @param isBlocking Whether the process may stand still while files are read: a command that does nothing else is faster for it.
 * @param catalogue Where a host keeps its data, and who is told when what it says of tools cannot be read. Without it only transcripts tell of tools.
 */
export function createNodePlatform(
	isBlocking: boolean,
	catalogue?: { readonly directory: () => string; readonly warn: (sentence: string) => void },
): Platform {
	return {
		toolCatalogue: catalogue === undefined ? undefined : new NodeToolCatalogue(catalogue.directory, catalogue.warn),
		files: isBlocking ? new BlockingNodeFiles() : new NodeFiles(),
		liveness: new NodeLivenessProbe(),
		clock: { now: () => Date.now() },
	};
}
