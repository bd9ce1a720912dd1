// What the host records, told to the sessions of this window while it happens, for as long as somebody looks at them.

import { DisposableStore } from '../core/base/lifecycle.ts';
import type { Disposable } from '../core/base/lifecycle.ts';
import type { AppendedEvents } from '../core/host/control.ts';
import type { ControlClient } from '../platform/node/host/controlClient.ts';
import { sessionIn } from '../platform/node/host/eventFeed.ts';
import type { HostConnection } from './hostConnection.ts';
import type { Log } from './log.ts';
import type { Sessions } from './sessions.ts';

export function followEvents(connection: HostConnection, sessions: Sessions, log: Log): Disposable {
	const disposables = new DisposableStore();
	let following: { readonly client: ControlClient; readonly listening: Disposable } | undefined;
	const update = () => {
		const client = sessions.isInUse ? connection.client : undefined;
		if (following?.client === client) return;
		following?.listening.dispose();
		if (following !== undefined && following.client === connection.client)
			void following.client.request('events/unfollow', {}).catch(() => undefined); // it has ended, then
		following = undefined;
		if (client === undefined) return;
		following = { client, listening: client.onDidAppend((appended) => take(appended, sessions)) };
		void client.request('events/follow', { sessions: null }).then(
			// What came before is read where it is written.
			() => sessions.missedLive(),
			(error: unknown) => log.info(`What happens is read from the host's store: ${String(error)}`),
		);
	};
	disposables.add(connection.onDidChange(update));
	disposables.add(sessions.onDidChangeUse(update));
	disposables.add({ dispose: () => following?.listening.dispose() });
	update();
	return disposables;
}

function take({ lines, lost }: AppendedEvents, sessions: Sessions): void {
	if (lost > 0) void sessions.missedLive(); // its failures are logged
	if (lines === '') return;
	const bySession = new Map<string, string[]>();
	const telling = new Set<string>();
	for (const line of lines.split('\n')) {
		const id = sessionIn(line);
		if (id === undefined) continue;
		const known = bySession.get(id);
		if (known === undefined) bySession.set(id, [line]);
		else known.push(line);
		if (isTelling(line)) telling.add(id);
	}
	for (const [id, some] of bySession) sessions.takeLive(id, some.join('\n'), telling.has(id));
}

/** An agent's hook, or a call of a tool. The recorder names the type before anything that comes from outside. */
function isTelling(line: string): boolean {
	return /"type":"(?:hook"|call-|wire-message","kind":"request","server":"[^"]*","method":"tools\/call")/.test(line);
}
