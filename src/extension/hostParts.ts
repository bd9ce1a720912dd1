// What there is to the host in this window, loaded when one runs or somebody asks for it.

import { commands } from 'vscode';
import type { Disposable, SecretStorage } from 'vscode';
import { DisposableStore } from '../core/base/lifecycle.ts';
import { HostConnection } from './hostConnection.ts';
import type { HostAccess } from './hostConnection.ts';
import { markFaults } from './faultMarks.ts';
import type { MarkedView } from './faultMarks.ts';
import { createHostStatusBar } from './hostStatusBar.ts';
import type { HostStatusBar } from './hostStatusBar.ts';
import { contextKeys } from './ids.ts';
import { createInFlightSource } from './inFlightSource.ts';
import { followEvents } from './liveEvents.ts';
import type { Log } from './log.ts';
import { McpServers } from './mcpServers.ts';
import { RecordedCalls } from './recordedCalls.ts';
import type { RowSource } from './rowTree.ts';
import { ServerOutput } from './serverOutput.ts';
import { RemoteStore } from './remoteStore.ts';
import type { RemoteAccess } from './remoteStore.ts';
import { hostStore } from './row.ts';
import { createServersSource } from './serversSource.ts';
import { SessionStates } from './sessionStates.ts';
import type { Sessions } from './sessions.ts';
import { StoreInView } from './storeView.ts';
import type { StoreAccess } from './storeView.ts';

export interface HostParts extends Disposable {
	readonly connection: HostConnection;
	readonly calls: RecordedCalls;
	readonly output: ServerOutput;
	readonly statusBar: HostStatusBar;
	readonly mcpServers: McpServers;
	readonly store: StoreInView;
	readonly remote: RemoteStore;
	readonly states: SessionStates;
	inFlightSource(): RowSource;
	serversSource(): RowSource;
}

export interface HostPartsOptions {
	readonly access: HostAccess;
	readonly storeAccess: StoreAccess;
	readonly remoteAccess: RemoteAccess;
	readonly secrets: SecretStorage;
	readonly directory: string;
	readonly sessions: Sessions;
	/** That say so when something is armed to go wrong on purpose. */
	readonly markedViews: readonly MarkedView[];
	readonly log: Log;
}

export function createHostParts(options: HostPartsOptions): HostParts {
	const { access, storeAccess, remoteAccess, secrets, directory, sessions, log } = options;
	const disposables = new DisposableStore();
	const connection = disposables.add(new HostConnection(access, directory, log));
	const calls = disposables.add(new RecordedCalls(sessions));
	const output = disposables.add(new ServerOutput(connection, log));
	const statusBar = disposables.add(createHostStatusBar(connection, calls.nameOf));
	const mcpServers = disposables.add(new McpServers(connection));
	const store = disposables.add(new StoreInView(connection, storeAccess, log));
	const remote = disposables.add(new RemoteStore({ access: remoteAccess, secrets, log }));
	const states = disposables.add(new SessionStates((name) => (name === hostStore ? store : remote.readerOf(name))));

	disposables.add(markFaults(connection, options.markedViews));
	disposables.add(followEvents(connection, sessions, log));

	let told: string | undefined;
	const tellState = () => {
		if (connection.state === told) return;
		told = connection.state;
		void commands.executeCommand('setContext', contextKeys.hostState, told);
	};
	disposables.add(connection.onDidChange(tellState));
	tellState();
	return {
		connection,
		calls,
		output,
		statusBar,
		mcpServers,
		store,
		remote,
		states,
		inFlightSource: () => createInFlightSource(connection, calls, sessions),
		serversSource: () => createServersSource(connection, store, remote),
		dispose: () => disposables.dispose(),
	};
}
