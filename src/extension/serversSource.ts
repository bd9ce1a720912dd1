import { EventEmitter } from 'vscode';
import { DisposableStore } from '../core/base/lifecycle.ts';
import type { HostConnection } from './hostConnection.ts';
import { remoteStoreRows } from './remoteStoreRows.ts';
import type { RemoteStore } from './remoteStore.ts';
import { hostStore } from './row.ts';
import type { RowSource } from './rowTree.ts';
import { serverRows } from './serverRows.ts';
import { storeRows } from './storeRows.ts';
import type { StoreInView } from './storeView.ts';

/** The servers of the host, the sessions in its store, and those in a remote one, which is there without a host. */
export function createServersSource(connection: HostConnection, store: StoreInView, remote: RemoteStore): RowSource {
	const disposables = new DisposableStore();
	const changed = disposables.add(new EventEmitter<void>());
	disposables.add(connection.onDidChange(() => changed.fire()));
	disposables.add(store.onDidChange(() => changed.fire()));
	disposables.add(remote.onDidChange(() => changed.fire()));
	return {
		rows: (now) => [
			...(connection.status === undefined ? [] : [...serverRows(connection.status), ...storeRows(store, now)]),
			...remoteStoreRows(remote.view, now),
		],
		onDidChange: changed.event,
		setVisible: (isVisible) => store.setWatched(isVisible),
		expanded(target) {
			if (!('store' in target)) return;
			if (target.store !== hostStore) remote.open(target.store, target.sessionId);
			else if (target.sessionId !== undefined) store.open(target.sessionId);
		},
		dispose: () => disposables.dispose(),
	};
}
