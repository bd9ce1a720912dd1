import { attach, attachOrStart, programIn } from '../platform/node/host/attach.ts';
import type { HostAccess } from './hostConnection.ts';

const client = 'VS Code';

/**
 * @param commandLine Crosstalk's own, which is what a host that is started runs.
 * @param idleSeconds Asked whenever one is started.
 */
export function createHostAccess(commandLine: string, idleSeconds: () => number): HostAccess {
	return {
		attach: async (directory) => attach({ directory, client }),
		attachOrStart: async (directory) =>
			attachOrStart({ directory, client, program: programIn(commandLine), idleSeconds: idleSeconds() }),
	};
}
