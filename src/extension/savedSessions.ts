import { window } from 'vscode';
import type { CustomDocument, CustomReadonlyEditorProvider, Disposable, Uri, WebviewPanel } from 'vscode';
import { ExpectedError } from '../core/base/errors.ts';
import { DisposableStore } from '../core/base/lifecycle.ts';
import type { AgentsView } from './agentsView.ts';
import { registerCommand } from './commands.ts';
import { commandIds, savedEditorId } from './ids.ts';
import type { Log } from './log.ts';
import type { OpenTranscripts } from './openTranscripts.ts';
import type { Sessions } from './sessions.ts';

export interface SavedSessionsOptions {
	/** Of this extension. */
	readonly version: string;
	readonly sessions: Sessions;
	readonly transcripts: OpenTranscripts;
	readonly agents: AgentsView;
	readonly log: Log;
}

/** Sessions as single files: saving one, and what an editor shows of one. Both are loaded when somebody asks for them. */
export function registerSavedSessions(options: SavedSessionsOptions): Disposable {
	const { sessions, log } = options;
	const disposables = new DisposableStore();
	disposables.add(
		registerCommand(log, commandIds.saveSession, 'The session could not be saved', async (...values) =>
			(await import('./saveSession.ts')).saveSession(options, values),
		),
	);
	disposables.add(
		window.registerCustomEditorProvider(savedEditorId, new SavedSessionEditor(sessions), {
			supportsMultipleEditorsPerDocument: true,
		}),
	);
	return { dispose: () => disposables.dispose() };
}

/** Opening a session file puts it into the view, and shows what it is. */
class SavedSessionEditor implements CustomReadonlyEditorProvider {
	private readonly sessions: Sessions;

	constructor(sessions: Sessions) {
		this.sessions = sessions;
	}

	openCustomDocument(uri: Uri): CustomDocument {
		return { uri, dispose: () => undefined };
	}

	async resolveCustomEditor({ uri }: CustomDocument, panel: WebviewPanel): Promise<void> {
		const { savedSessionPage } = await import('./savedSessionPage.ts');
		const { webview } = panel;
		webview.options = {
			enableScripts: false,
			enableCommandUris: [commandIds.revealInAgents, commandIds.revealPlace, commandIds.openSession],
			localResourceRoots: [],
		};
		try {
			const key = await this.sessions.open(uri.fsPath);
			const hold = this.sessions.hold(key);
			await hold?.session.whenRead;
			webview.html = savedSessionPage(hold?.session, key);
			hold?.dispose();
		} catch (error) {
			if (!(error instanceof ExpectedError)) throw error;
			webview.html = savedSessionPage(undefined, error.message);
		}
	}
}
