import { ExpectedError } from '../../core/base/errors.ts';
import { createCore } from '../../core/core.ts';
import type { Core } from '../../core/core.ts';
import type { Platform } from '../../core/platform.ts';
import type { StoredCallReader } from '../../core/store/storedCalls.ts';
import { pathsOf } from '../../core/transcripts/sessionFiles.ts';
import type { SessionFiles } from '../../core/transcripts/sessionFiles.ts';
import type { DebugTarget, TargetClient } from '../debugTarget.ts';
import type { ReplayConfiguration } from './replayConfiguration.ts';
import { ReplayTarget } from './replayTarget.ts';

/** What a replay needs of the shell that it runs in. */
export interface ReplayShell {
	readonly platform: Platform;
	/** The session that a configuration names, by path or id, with what a host has recorded of it. Rejects with an `ExpectedError`. */
	findSession(core: Core, configuration: ReplayConfiguration, signal: AbortSignal): Promise<SessionFiles>;
	/** Reads what the session store of a data directory keeps of calls. `undefined`: there is none. */
	storedCalls(data: string | undefined): StoredCallReader | undefined;
	/** For listeners that throw. */
	readonly onError: (error: unknown) => void;
}

/** Reads a session and makes it something to debug. Rejects with one sentence where there is none that could be. */
export async function openReplay(
	shell: ReplayShell,
	configuration: ReplayConfiguration,
	client: TargetClient,
	signal: AbortSignal,
): Promise<DebugTarget> {
	const { platform, onError } = shell;
	const core = createCore(platform);
	const progress = client.progress('Reading the session');
	try {
		const session = await shell.findSession(core, configuration, signal);
		const read = await core.readSession(session, { assume: 'auto', rules: {}, withPreviews: true, signal });
		if (read.readings.every(({ lines, problem }) => lines === 0 && problem !== undefined))
			throw new ExpectedError(
				`${pathsOf(session)[0] ?? ''}: ${read.readings[0]?.problem ?? 'Nothing could be read.'}`,
			);
		return new ReplayTarget(read, {
			files: platform.files,
			stopOnEntry: configuration.stopOnEntry,
			states: shell.storedCalls(configuration.data),
			onError,
		});
	} finally {
		progress.dispose();
	}
}
