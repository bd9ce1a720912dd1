import { ExpectedError } from '../../core/base/errors.ts';
import { createCore } from '../../core/core.ts';
import type { Core } from '../../core/core.ts';
import type { Platform } from '../../core/platform.ts';
import type { StoredCall } from '../../core/store/storedCalls.ts';
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
	/** What the session store of the data directory keeps of calls. */
	readonly storedCalls?:
		| ((data: string | undefined, toolUseIds: ReadonlySet<string>) => Promise<readonly StoredCall[]>)
		| undefined;
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
		const { storedCalls } = shell;
		return new ReplayTarget(read, {
			files: platform.files,
			stopOnEntry: configuration.stopOnEntry,
			states: storedCalls === undefined ? undefined : (ids) => storedCalls(configuration.data, ids),
			onError,
		});
	} finally {
		progress.dispose();
	}
}
