import { EventEmitter } from 'vscode';
import { DisposableStore } from '../core/base/lifecycle.ts';
import type { HostConnection } from './hostConnection.ts';
import type { RowSource } from './rowTree.ts';
import { serverRows } from './serverRows.ts';

/** The servers of the host. */
export function createServersSource(connection: HostConnection): RowSource {
	const disposables = new DisposableStore();
	const changed = disposables.add(new EventEmitter<void>());
	disposables.add(connection.onDidChange(() => changed.fire()));
	return {
		rows: () => (connection.status === undefined ? [] : serverRows(connection.status)),
		onDidChange: changed.event,
		setVisible: () => undefined,
		dispose: () => disposables.dispose(),
	};
}
