// Breakpoints on the tool calls of agents, in VS Code's own debug views. All of it but this file and the configurations is loaded when somebody
// debugs.

import { DebugAdapterInlineImplementation, EventEmitter, debug } from 'vscode';
import type { Disposable, Event, Uri } from 'vscode';
import { DisposableStore } from '../core/base/lifecycle.ts';
import type { AgentsView } from './agentsView.ts';
import { registerCommand } from './commands.ts';
import type { ConversationView } from './conversationView.ts';
import type * as debugCommands from './debugCommands.ts';
import { registerDebugConfigurations } from './debugConfigurations.ts';
import type { DebugParts } from './debugParts.ts';
import type { HostFeature } from './host.ts';
import { commandIds, debugType } from './ids.ts';
import type { Log } from './log.ts';
import type { OpenTranscripts } from './openTranscripts.ts';
import type { Sessions } from './sessions.ts';
import { hostDirectory, hostIdleSeconds } from './settings.ts';

export interface DebugFeature extends Disposable {
	load(): Promise<DebugParts>;
	/** `undefined`: nobody has debugged anything yet. */
	readonly parts: DebugParts | undefined;
	/** Fires when a call is held by a debugger of this window, goes on, or was edited. */
	readonly onDidChangeHeld: Event<void>;
}

export interface DebugOptions {
	readonly extension: Uri;
	readonly sessions: Sessions;
	readonly transcripts: OpenTranscripts;
	readonly agents: AgentsView;
	readonly conversation: ConversationView;
	readonly host: HostFeature;
	readonly log: Log;
}

type Commands = typeof debugCommands;

export function registerDebug(options: DebugOptions): DebugFeature {
	const { extension, sessions, log } = options;
	const disposables = new DisposableStore();
	const heldChanged = disposables.add(new EventEmitter<void>());
	const directory = () => hostDirectory(sessions.platform.files);
	let parts: DebugParts | undefined;
	let loading: Promise<DebugParts> | undefined;
	const load = async (): Promise<DebugParts> => {
		loading ??= import('./debugParts.ts').then(({ createDebugParts }) => {
			parts = disposables.add(
				createDebugParts({ extension, sessions, directory, idleSeconds: hostIdleSeconds, log }),
			);
			disposables.add(parts.onDidChangeHeld(() => heldChanged.fire()));
			return parts;
		});
		return loading;
	};
	disposables.add(registerDebugConfigurations(directory, log));
	disposables.add(
		debug.registerDebugAdapterDescriptorFactory(debugType, {
			createDebugAdapterDescriptor: async () =>
				new DebugAdapterInlineImplementation((await load()).createAdapter()),
		}),
	);
	const add = (
		id: string,
		failure: string,
		run: (commands: Commands, context: debugCommands.CommandContext, row: unknown) => unknown,
	) => {
		disposables.add(
			registerCommand(log, id, failure, async (row: unknown) =>
				run(await import('./debugCommands.ts'), { ...options, parts: await load() }, row),
			),
		);
	};
	add(commandIds.debugAgent, 'The agent could not be debugged', (commands) => commands.debugAgent());
	add(commandIds.attachDebugger, 'The debugger could not be attached', (commands, context) =>
		commands.attachDebugger(context),
	);
	add(commandIds.replayTranscript, 'The transcript could not be replayed', (commands, context, row) =>
		commands.replayTranscript(context, row),
	);
	add(commandIds.breakOnTool, 'The breakpoint could not be set', (commands, context, row) =>
		commands.breakOnTool(context, row),
	);
	add(commandIds.pauseAgents, 'The agents could not be paused', (commands, context) => commands.pauseAgents(context));
	add(commandIds.pauseAgent, 'The agent could not be paused', (commands, context, row) =>
		commands.pauseAgent(context, row),
	);
	add(commandIds.continueCall, 'The call could not go on', (commands, context, row) =>
		commands.continueCall(context, row),
	);
	add(commandIds.editArguments, 'The call could not be edited', (commands, context, row) =>
		commands.editArguments(context, row),
	);
	add(commandIds.answerCall, 'The call could not be answered', (commands, context, row) =>
		commands.answerCall(context, row),
	);
	return {
		load,
		get parts() {
			return parts;
		},
		onDidChangeHeld: heldChanged.event,
		dispose: () => disposables.dispose(),
	};
}
