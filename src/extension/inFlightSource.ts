import { EventEmitter } from 'vscode';
import { DisposableStore } from '../core/base/lifecycle.ts';
import type { Disposable } from '../core/base/lifecycle.ts';
import { callState } from '../core/conversation/index.ts';
import type { HookedCallStatus } from '../core/host/status.ts';
import { hookedCallsOf, hookedRows } from './hookedRows.ts';
import type { HostConnection } from './hostConnection.ts';
import { inFlightRows } from './inFlightRows.ts';
import type { RecordedCalls } from './recordedCalls.ts';
import type { Row } from './row.ts';
import type { RowSource } from './rowTree.ts';
import type { Sessions } from './sessions.ts';

/** The calls of the host, with the names that transcripts give to their agents. */
export function createInFlightSource(connection: HostConnection, calls: RecordedCalls, sessions: Sessions): RowSource {
	const disposables = new DisposableStore();
	const changed = disposables.add(new EventEmitter<void>());
	let isVisible = false;
	let watching: Disposable | undefined;
	disposables.add({ dispose: () => watching?.dispose() });
	const follow = () => {
		const { calls: passing = [], hooked = [] } = connection.status ?? {};
		const shown = isVisible ? [...passing, ...hooked] : [];
		// Whoever looks at calls wants to know whose they are, also of a session that has just begun.
		if (shown.length > 0) {
			watching ??= sessions.watch();
			void sessions.search(); // its failures are logged
		} else {
			watching?.dispose();
			watching = undefined;
		}
		calls.follow(shown);
	};
	// Of an agent that is killed no hook tells; its session does, or its result that is written.
	const isOver = ({ sessionId, toolUseId }: HookedCallStatus) => {
		const found = calls.callOf(sessionId, toolUseId);
		return found !== undefined && callState(found.conversation, found.call).state !== 'pending';
	};
	disposables.add(connection.onDidChange(() => changed.fire()));
	disposables.add(sessions.onDidChange(() => watching !== undefined && changed.fire()));
	return {
		rows(now): readonly Row[] {
			follow();
			const { status } = connection;
			if (status === undefined) return [];
			const hooked = hookedCallsOf(status, isOver, now);
			return [...inFlightRows(status, calls.nameOf, now), ...hookedRows(hooked, calls.nameOf, now)];
		},
		onDidChange: changed.event,
		setVisible(visible) {
			isVisible = visible;
			follow();
		},
		dispose: () => disposables.dispose(),
	};
}
