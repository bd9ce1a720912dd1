import { DebugConfigurationProviderTriggerKind, debug, window, workspace } from 'vscode';
import type { DebugConfiguration, DebugConfigurationProvider, Disposable, WorkspaceFolder } from 'vscode';
import { ExpectedError } from '../core/base/errors.ts';
import { DisposableStore } from '../core/base/lifecycle.ts';
import { debugType, languageId } from './ids.ts';
import type { Log } from './log.ts';

/** What a person may start without a launch.json, and what is filled in where one says nothing. */
export function registerDebugConfigurations(directory: () => string, log: Log): Disposable {
	const disposables = new DisposableStore();
	disposables.add(debug.registerDebugConfigurationProvider(debugType, new Configurations(directory, log)));
	disposables.add(
		debug.registerDebugConfigurationProvider(
			debugType,
			{ provideDebugConfigurations: (folder) => [...offered(folder)] },
			DebugConfigurationProviderTriggerKind.Dynamic,
		),
	);
	return disposables;
}

/** @param folder The agent's working folder; `undefined`: the first of the window. */
export function launchConfiguration(agent: string, folder?: WorkspaceFolder): DebugConfiguration {
	return {
		type: debugType,
		request: 'launch',
		name: `Debug ${agent}`,
		program: agent,
		args: [],
		...((folder ?? workspace.workspaceFolders?.[0]) === undefined ? {} : { cwd: '${workspaceFolder}' }),
	};
}

export function attachConfiguration(): DebugConfiguration {
	return { type: debugType, request: 'attach', name: 'Attach to the host' };
}

export function replayConfiguration(transcript: string): DebugConfiguration {
	return { type: debugType, request: 'launch', name: 'Replay', transcript, stopOnEntry: true };
}

function* offered(folder: WorkspaceFolder | undefined): Iterable<DebugConfiguration> {
	const transcript = openTranscript();
	if (transcript !== undefined)
		yield { ...replayConfiguration(transcript), name: 'Replay the transcript in the editor' };
	yield launchConfiguration('claude', folder);
	yield launchConfiguration('codex', folder);
	yield attachConfiguration();
}

class Configurations implements DebugConfigurationProvider {
	private readonly directory: () => string;
	private readonly log: Log;

	constructor(directory: () => string, log: Log) {
		this.directory = directory;
		this.log = log;
	}

	provideDebugConfigurations(folder: WorkspaceFolder | undefined): DebugConfiguration[] {
		return [launchConfiguration('claude', folder), attachConfiguration()];
	}

	/** F5 without a launch.json comes with nothing; `null` has VS Code offer to make one. */
	resolveDebugConfiguration(
		_folder: WorkspaceFolder | undefined,
		given: DebugConfiguration,
	): DebugConfiguration | null {
		// VS Code's type says that there is a type; of F5 there is not.
		const isEmpty = !given.type && !given.request && !given.name;
		if (!isEmpty) return given;
		const transcript = openTranscript();
		return transcript === undefined ? null : replayConfiguration(transcript);
	}

	resolveDebugConfigurationWithSubstitutedVariables(
		folder: WorkspaceFolder | undefined,
		given: DebugConfiguration,
	): DebugConfiguration | undefined {
		const isLaunch = given.request === 'launch' && given['transcript'] === undefined;
		if (isLaunch && !workspace.isTrusted) {
			void this.log.tell(
				'The agent could not be debugged',
				new ExpectedError(
					'This workspace is not trusted. An agent would start the servers that it configures; trust the workspace first.',
				),
			);
			return undefined;
		}
		const cwd = folder?.uri.fsPath ?? workspace.workspaceFolders?.[0]?.uri.fsPath;
		return {
			...given,
			data: (given['data'] as unknown) ?? this.directory(),
			...(isLaunch && given['cwd'] === undefined && cwd !== undefined ? { cwd } : {}),
		};
	}
}

function openTranscript(): string | undefined {
	const document = window.activeTextEditor?.document;
	return document?.languageId === languageId ? document.uri.fsPath : undefined;
}
