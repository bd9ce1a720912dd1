import { EventEmitter } from 'vscode';
import { DisposableStore } from '../core/base/lifecycle.ts';
import type { HostConnection } from './hostConnection.ts';
import { isStoreTarget } from './row.ts';
import type { RowSource } from './rowTree.ts';
import { serverRows } from './serverRows.ts';
import { storeRows } from './storeRows.ts';
import type { StoreInView } from './storeView.ts';

/** The servers of the host, and the sessions in its store. */
export function createServersSource(connection: HostConnection, store: StoreInView): RowSource {
	const disposables = new DisposableStore();
	const changed = disposables.add(new EventEmitter<void>());
	disposables.add(connection.onDidChange(() => changed.fire()));
	disposables.add(store.onDidChange(() => changed.fire()));
	return {
		rows: (now) =>
			connection.status === undefined ? [] : [...serverRows(connection.status), ...storeRows(store, now)],
		onDidChange: changed.event,
		setVisible: (isVisible) => store.setWatched(isVisible),
		expanded(target) {
			if (isStoreTarget(target) && target.sessionId !== undefined) store.open(target.sessionId);
		},
		dispose: () => disposables.dispose(),
	};
}
