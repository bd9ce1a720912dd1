// The shared MCP host in this window. All of it but this file is loaded when a host runs, or when somebody asks for one.

import { EventEmitter, Uri, lm, window, workspace } from 'vscode';
import type { McpHttpServerDefinition, SecretStorage, TreeView } from 'vscode';
import { DisposableStore } from '../core/base/lifecycle.ts';
import type { Disposable } from '../core/base/lifecycle.ts';
import { joinPath } from '../core/transcripts/files.ts';
import type { TranscriptFiles } from '../core/transcripts/files.ts';
import type * as clientImports from './clientImports.ts';
import type * as hookCommands from './hookCommands.ts';
import { registerCommand } from './commands.ts';
import type * as faultCommands from './faultCommands.ts';
import type { MarkedView } from './faultMarks.ts';
import type * as hostCommands from './hostCommands.ts';
import type { HostParts } from './hostParts.ts';
import { watchHostFile } from './hostFile.ts';
import { commandIds, mcpProviderId, viewIds } from './ids.ts';
import type { Log } from './log.ts';
import { MarkedTree } from './markedTree.ts';
import type * as remoteStoreCommands from './remoteStoreCommands.ts';
import { RowTree } from './rowTree.ts';
import type { RowNode, RowSource } from './rowTree.ts';
import type { Sessions } from './sessions.ts';
import { hostDirectory, hostIdleSeconds, isProvidingServers, section } from './settings.ts';

export interface HostFeature extends Disposable {
	readonly inFlight: HostView;
	readonly servers: HostView;
	readonly load: () => Promise<HostParts>;
	/** Whether anything has asked for it yet. */
	readonly isLoaded: boolean;
}

export interface HostView {
	readonly tree: RowTree;
	/** The tree as the view has it. */
	readonly marked: MarkedTree<RowNode>;
	readonly view: TreeView<RowNode>;
}

type Commands = typeof hostCommands;

interface HostOptions {
	readonly extension: Uri;
	readonly sessions: Sessions;
	readonly secrets: SecretStorage;
	/** Beside its own, those that say so when something is armed to go wrong on purpose. */
	readonly markedViews: readonly MarkedView[];
	readonly log: Log;
}

export function registerHost({ extension, sessions, secrets, markedViews, log }: HostOptions): HostFeature {
	const disposables = new DisposableStore();
	const commandLine = Uri.joinPath(extension, 'dist', 'cli.js').fsPath;
	const definitionsChanged = disposables.add(new EventEmitter<void>());
	let loading: Promise<HostParts> | undefined;
	const load = (): Promise<HostParts> => {
		loading ??= loadParts();
		return loading;
	};
	const loadParts = async (): Promise<HostParts> => {
		const [{ createHostParts }, { createHostAccess, createRemoteAccess, createStoreAccess }] = await Promise.all([
			import('./hostParts.ts'),
			import('./hostAccess.ts'),
		]);
		const access = createHostAccess(commandLine, hostIdleSeconds);
		const parts = disposables.add(
			createHostParts({
				access,
				storeAccess: createStoreAccess(log),
				remoteAccess: createRemoteAccess(log),
				secrets,
				directory: hostDirectory(sessions.platform.files),
				sessions,
				markedViews: [...markedViews, inFlight.marked, servers.marked],
				log,
			}),
		);
		disposables.add(parts.mcpServers.onDidChange(() => isProvidingServers() && definitionsChanged.fire()));
		await parts.connection.look();
		return parts;
	};

	const createView = (id: string, source: (parts: HostParts) => RowSource): HostView => {
		const tree = disposables.add(new RowTree(async () => source(await load())));
		const marked = disposables.add(new MarkedTree<RowNode>(tree));
		const view = disposables.add(window.createTreeView(id, { treeDataProvider: marked }));
		disposables.add(view.onDidChangeVisibility(({ visible }) => tree.setVisible(visible)));
		disposables.add(view.onDidExpandElement(({ element }) => tree.expanded(element)));
		tree.setVisible(view.visible);
		return { tree, marked, view };
	};
	const inFlight = createView(viewIds.inFlight, (parts) => parts.inFlightSource());
	const servers = createView(viewIds.servers, (parts) => parts.serversSource());

	// What only shows something takes the row that is selected; what changes something asks rather than guesses which is meant.
	const inFlightRow = (row: unknown): unknown => row ?? inFlight.view.selection[0];
	const serverRow = (row: unknown): unknown => row ?? servers.view.selection[0] ?? inFlight.view.selection[0];
	const add = (id: string, failure: string, run: (commands: Commands, parts: HostParts, row: unknown) => unknown) => {
		disposables.add(
			registerCommand(log, id, failure, async (row: unknown) =>
				run(await import('./hostCommands.ts'), await load(), row),
			),
		);
	};
	add(commandIds.startHost, 'The host could not be started', (commands, parts) => commands.startHost(parts));
	add(commandIds.stopHost, 'The host could not be stopped', (commands, parts) => commands.stopHost(parts));
	add(commandIds.reconnectServer, 'The server could not be reconnected', (commands, parts, row) =>
		commands.reconnectServer(parts, row),
	);
	add(commandIds.showServerOutput, 'The output could not be shown', (commands, parts, row) =>
		commands.showServerOutput(parts, serverRow(row)),
	);
	add(commandIds.showSessionState, 'The state could not be shown', (commands, parts, row) =>
		commands.showSessionState(parts, serverRow(row)),
	);
	add(commandIds.compareCheckpoints, 'The checkpoints could not be compared', (commands, parts, row) =>
		commands.compareCheckpoints(parts, serverRow(row)),
	);
	add(commandIds.copyServerAddress, 'The address could not be copied', (commands, parts, row) =>
		commands.copyServerAddress(parts, serverRow(row)),
	);
	add(commandIds.cancelCall, 'The call could not be cancelled', (commands, parts, row) =>
		commands.cancelCall(parts, row),
	);
	add(commandIds.revealCall, 'The call could not be shown', (commands, parts, row) =>
		commands.revealCall(parts, inFlightRow(row)),
	);
	add(commandIds.runAgent, 'The agent could not be run', (commands, parts) => commands.runAgent(parts, commandLine));
	const addFault = (
		id: string,
		failure: string,
		run: (commands: typeof faultCommands, value: unknown) => unknown,
	) => {
		disposables.add(
			registerCommand(log, id, failure, async (value: unknown) => run(await import('./faultCommands.ts'), value)),
		);
	};
	addFault(commandIds.injectFault, 'The fault could not be armed', async (commands, row) =>
		commands.injectFault(await load(), sessions, row),
	);
	addFault(commandIds.disarmAllFaults, 'The faults could not be disarmed', async (commands) =>
		commands.disarmAllFaults(await load()),
	);
	addFault(commandIds.reproduceBug, 'The bug could not be reproduced', (commands, name) =>
		commands.reproduceBug(sessions, commandLine, hostDirectory(sessions.platform.files), name),
	);
	const addRemote = (
		id: string,
		failure: string,
		run: (commands: typeof remoteStoreCommands, parts: HostParts) => unknown,
	) => {
		disposables.add(
			registerCommand(log, id, failure, async () => run(await import('./remoteStoreCommands.ts'), await load())),
		);
	};
	addRemote(commandIds.connectRemoteStore, 'The session store could not be connected to', (commands, parts) =>
		commands.connectRemoteStore(parts),
	);
	addRemote(commandIds.disconnectRemoteStore, 'The session store could not be forgotten', (commands, parts) =>
		commands.disconnectRemoteStore(parts),
	);
	addRemote(commandIds.refreshRemoteStore, 'The session store could not be read', (_, { remote }) =>
		remote.refresh(),
	);
	const addImport = (
		id: string,
		failure: string,
		run: (imports: typeof clientImports, setting: Parameters<typeof clientImports.importServers>[0]) => unknown,
	) => {
		const directory = () => hostDirectory(sessions.platform.files);
		disposables.add(
			registerCommand(log, id, failure, async () =>
				run(await import('./clientImports.ts'), { directory: directory(), commandLine, log }),
			),
		);
	};
	addImport(commandIds.importServers, 'The servers could not be imported', (imports, setting) =>
		imports.importServers(setting),
	);
	addImport(commandIds.restoreServers, 'The servers could not be restored', (imports, setting) =>
		imports.restoreServers(setting),
	);
	const addHooks = (
		id: string,
		failure: string,
		run: (hooks: typeof hookCommands, setting: Parameters<typeof hookCommands.installHooks>[0]) => unknown,
	) => {
		disposables.add(
			registerCommand(log, id, failure, async () =>
				run(await import('./hookCommands.ts'), {
					directory: hostDirectory(sessions.platform.files),
					commandLine,
					log,
				}),
			),
		);
	};
	addHooks(commandIds.installHooks, 'The hooks could not be installed', (hooks, setting) =>
		hooks.installHooks(setting),
	);
	addHooks(commandIds.removeHooks, 'The hooks could not be removed', (hooks, setting) =>
		hooks.uninstallHooks(setting),
	);
	add(commandIds.openEventLog, 'The event log could not be opened', (commands, parts) =>
		commands.openEventLog(parts),
	);

	disposables.add(
		lm.registerMcpServerDefinitionProvider(mcpProviderId, {
			onDidChangeMcpServerDefinitions: definitionsChanged.event,
			async provideMcpServerDefinitions(): Promise<McpHttpServerDefinition[]> {
				if (!isProvidingServers()) return [];
				try {
					return await (await load()).mcpServers.provide();
				} catch (error) {
					// VS Code asks by itself, often and for everything; the log is where somebody looks who misses a server.
					log.failure('The servers of the host could not be provided', error);
					return [];
				}
			},
			resolveMcpServerDefinition: async (definition: McpHttpServerDefinition) =>
				(await load()).mcpServers.resolve(definition),
		}),
	);

	let watched: Disposable | undefined;
	const watch = () => {
		watched?.dispose();
		// A host that was started elsewhere is met as soon as it has said where it is.
		watched = watchHostFile(sessions.platform.files, hostDirectory(sessions.platform.files), () => {
			void load().then(({ connection }) => connection.look()); // its failures are logged
		});
	};
	watch();
	disposables.add({ dispose: () => watched?.dispose() });
	disposables.add(
		workspace.onDidChangeConfiguration((event) => {
			if (event.affectsConfiguration(`${section}.mcp`)) definitionsChanged.fire();
			if (!event.affectsConfiguration(`${section}.host.dataDirectory`)) return;
			watch();
			void loading?.then(({ connection }) => connection.setDirectory(hostDirectory(sessions.platform.files)));
		}),
	);

	// What import has written into the files of clients starts a program that may have moved with this version of it.
	void keepLauncher(sessions.platform.files, commandLine, log);

	return {
		inFlight,
		servers,
		load,
		get isLoaded() {
			return loading !== undefined;
		},
		dispose: () => disposables.dispose(),
	};
}

async function keepLauncher(files: TranscriptFiles, commandLine: string, log: Log): Promise<void> {
	const directory = hostDirectory(files);
	try {
		if ((await files.stat(joinPath(files, directory, 'bin'))) === undefined) return;
		const { refreshLauncher } = await import('../platform/node/host/lastingLauncher.ts');
		const { programIn } = await import('../platform/node/host/attach.ts');
		await refreshLauncher(directory, programIn(commandLine));
	} catch (error) {
		log.failure('What starts Crosstalk for other programs could not be looked after', error);
	}
}
