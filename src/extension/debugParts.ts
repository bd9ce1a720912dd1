// What there is to debugging in this window, loaded when somebody debugs.

import { EventEmitter, Uri } from 'vscode';
import type { DebugAdapter, Disposable, Event } from 'vscode';
import { ExpectedError } from '../core/base/errors.ts';
import { DisposableStore } from '../core/base/lifecycle.ts';
import { CrosstalkDebugSession } from '../debugAdapter/crosstalkDebugSession.ts';
import type { HeldView, LiveTarget } from '../debugAdapter/liveTarget.ts';
import { createLiveTargets } from '../debugAdapter/liveTargets.ts';
import { openReplay } from '../debugAdapter/replay/openReplay.ts';
import { debugLinks } from '../platform/node/host/debugLink.ts';
import type { SessionFiles } from '../core/transcripts/sessionFiles.ts';
import { storedCallsIn } from '../platform/node/store/readStoredCalls.ts';
import { programIn } from '../platform/node/host/attach.ts';
import { userHome } from '../platform/node/userHome.ts';
import type { Log } from './log.ts';
import type { Sessions } from './sessions.ts';

/** A call that a debugger of this window holds. */
export interface HeldHere extends HeldView {
	readonly target: LiveTarget;
}

export interface DebugParts extends Disposable {
	/** For one debug session. */
	createAdapter(): DebugAdapter;
	/** The oldest first. */
	readonly held: readonly HeldHere[];
	readonly targets: ReadonlySet<LiveTarget>;
	readonly onDidChangeHeld: Event<void>;
}

export interface DebugPartsOptions {
	readonly extension: Uri;
	readonly sessions: Sessions;
	/** The data directory of the setting. */
	readonly directory: () => string;
	readonly idleSeconds: () => number;
	readonly log: Log;
}

export function createDebugParts({ extension, sessions, directory, idleSeconds, log }: DebugPartsOptions): DebugParts {
	const disposables = new DisposableStore();
	const changed = disposables.add(new EventEmitter<void>());
	const targets = new Set<LiveTarget>();
	const program = programIn(Uri.joinPath(extension, 'dist', 'cli.js').fsPath);
	const onError = (error: unknown) => log.failure('The debugger', error);
	const live = createLiveTargets({
		...debugLinks({ client: 'VS Code', directory, program, idleSeconds, onError }),
		core: sessions.core,
		platform: sessions.platform,
		homeFolder: userHome(),
		environment: process.env,
		storedCalls: storedCallsIn,
		onError,
		onDidCreate: (target) => {
			targets.add(target);
			target.onDidChangeHeld(() => changed.fire());
			target.onDidDispose(() => {
				targets.delete(target);
				changed.fire();
			});
		},
	});
	return {
		createAdapter: () =>
			new CrosstalkDebugSession({
				openReplay: async (configuration, client, signal) =>
					openReplay(
						{
							platform: sessions.platform,
							findSession: async (_core, { transcript }) => sessionOf(sessions, transcript),
							storedCalls: () => storedCallsIn(directory()),
							onError,
						},
						configuration,
						client,
						signal,
					),
				live,
				log: (text) => log.channel.trace(text),
				onError,
				onDidClose: () => undefined,
			}),
		get held() {
			return [...targets]
				.flatMap((target) => target.heldCalls.map((held) => ({ ...held, target })))
				.sort((one, other) => one.call.heldSince - other.call.heldSince);
		},
		targets,
		onDidChangeHeld: changed.event,
		dispose: () => disposables.dispose(),
	};
}

/** With what a host has recorded of it. @param wanted A path, or the beginning of an id. */
async function sessionOf(sessions: Sessions, wanted: string): Promise<SessionFiles> {
	const { files } = sessions.platform;
	// Sessions that are recorded alone have a path that no file system knows.
	const isPath = wanted.includes(files.separator) || wanted.endsWith('.jsonl');
	await sessions.search();
	if (isPath) {
		const entry = sessions.entry(await sessions.keyFor(wanted));
		if (entry !== undefined) return entry.files;
		throw new ExpectedError(`No session of an agent was found at ${wanted}.`);
	}
	const found = sessions.list.filter(
		({ files: { format, nativeId } }) => nativeId.startsWith(wanted) || `${format}:${nativeId}`.startsWith(wanted),
	);
	const [first] = found;
	if (first === undefined) throw new ExpectedError(`No session with the id "${wanted}" was found.`);
	if (found.length > 1)
		throw new ExpectedError(`"${wanted}" is the beginning of ${found.length} session ids: write more of it.`);
	return first.files;
}
