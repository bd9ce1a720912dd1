import { fileURLToPath } from 'node:url';
import { programIn } from '../platform/node/host/attach.ts';
import type { Program } from '../platform/node/host/attach.ts';
import type { CommandIo } from './io.ts';

/** How this very program is started again. */
export function ownProgram(io: CommandIo): Program {
	// The module that worker threads start with is the program itself.
	return programIn(fileURLToPath(io.workerEntry ?? new URL('dist/cli.js', io.installation)));
}
