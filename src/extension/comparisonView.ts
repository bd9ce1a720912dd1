import { DocumentLink, EventEmitter, Range, Uri, languages, window, workspace } from 'vscode';
import type {
	Disposable,
	DocumentLinkProvider,
	QuickPickItem,
	TextDocument,
	TextDocumentContentProvider,
} from 'vscode';
import { ExpectedError } from '../core/base/errors.ts';
import { DisposableStore } from '../core/base/lifecycle.ts';
import type { ComparisonLine } from '../core/runs/comparisonText.ts';
import { agentOf } from './agentsView.ts';
import type { AgentsView } from './agentsView.ts';
import { registerCommand } from './commands.ts';
import { filePlace } from './convert.ts';
import { agentInEditor } from './conversationView.ts';
import { commandIds, comparisonScheme } from './ids.ts';
import type { Log } from './log.ts';
import type { OpenTranscripts } from './openTranscripts.ts';
import { folderOf } from './paths.ts';
import type { SessionKey } from './sessionInView.ts';
import type { SessionHold, Sessions } from './sessions.ts';
import { ago, formatNames, shortened, titleOf } from './words.ts';

interface ComparisonOptions {
	readonly sessions: Sessions;
	readonly transcripts: OpenTranscripts;
	readonly agents: AgentsView;
	readonly log: Log;
}

/** Two sessions beside each other, as text in an editor. */
export function registerComparisonView({ sessions, transcripts, agents, log }: ComparisonOptions): Disposable {
	const disposables = new DisposableStore();
	const documents = disposables.add(new ComparisonDocuments(sessions));
	disposables.add(workspace.registerTextDocumentContentProvider(comparisonScheme, documents));
	disposables.add(languages.registerDocumentLinkProvider({ scheme: comparisonScheme }, documents));
	disposables.add(workspace.onDidCloseTextDocument(({ uri }) => documents.close(uri)));
	disposables.add(
		registerCommand(
			log,
			commandIds.compareSessions,
			'The sessions could not be compared',
			async (value?: unknown, other?: unknown) => {
				const first =
					agentOf(agents.isNode(value) ? value : undefined) ??
					(await agentInEditor(transcripts)) ??
					agentOf(agents.nodeOf(undefined));
				if (first === undefined) {
					void window.showInformationMessage(
						'Select a session in the Crosstalk view, or open a transcript, to compare it with another.',
					);
					return;
				}
				const second =
					agentOf(agents.isNode(other) ? other : undefined)?.key ?? (await askForOther(sessions, first.key));
				if (second === undefined) return;
				const names = [first.key, second].map((key) => shortened(titleOf(sessions.entry(key)), 30));
				const uri = Uri.from({
					scheme: comparisonScheme,
					// The path is what the tab says; the query tells what it is.
					path: `/${names
						.join(' ↔ ')
						.replaceAll(/[/\\?#:*"<>|]/g, '_')
						.replace(/\.+$/, '')}.txt`,
					query: JSON.stringify([first.key, second]),
				});
				documents.refresh(uri);
				await window.showTextDocument(await workspace.openTextDocument(uri), { preview: true });
			},
		),
	);
	return { dispose: () => disposables.dispose() };
}

async function askForOther(sessions: Sessions, first: SessionKey): Promise<SessionKey | undefined> {
	interface Choice extends QuickPickItem {
		/** `undefined`: a file that is still to be chosen. */
		readonly key: SessionKey | undefined;
	}
	await sessions.search();
	const now = Date.now();
	const choices: Choice[] = [
		{ label: '$(folder-opened) A Transcript or Session File…', alwaysShow: true, key: undefined },
		...sessions.list
			.filter(({ key }) => key !== first)
			.map((entry) => ({
				label: titleOf(entry),
				description: `${formatNames[entry.files.format] ?? entry.files.format} · ${ago(entry.details?.lastEventAt ?? entry.modifiedAt, now)}`,
				detail: entry.files.nativeId,
				key: entry.key,
			})),
	];
	const chosen = await window.showQuickPick(choices, {
		title: `Compare “${titleOf(sessions.entry(first))}” with…`,
		matchOnDescription: true,
		matchOnDetail: true,
	});
	if (chosen === undefined || chosen.key !== undefined) return chosen?.key;
	const [uri] =
		(await window.showOpenDialog({
			title: 'Compare with',
			filters: { 'Transcripts and Session Files': ['jsonl', 'crosstalk'] },
		})) ?? [];
	return uri === undefined ? undefined : sessions.open(uri.fsPath);
}

class ComparisonDocuments implements TextDocumentContentProvider, DocumentLinkProvider, Disposable {
	private readonly changed = new EventEmitter<Uri>();
	readonly onDidChange = this.changed.event;
	private readonly sessions: Sessions;
	private readonly shown = new Map<string, readonly ComparisonLine[]>();

	constructor(sessions: Sessions) {
		this.sessions = sessions;
	}

	async provideTextDocumentContent(uri: Uri): Promise<string> {
		const [one, other] = keysIn(uri);
		const holds: SessionHold[] = [];
		try {
			for (const key of [one, other]) {
				// A window that is opened again shows its editors before anybody has looked for sessions.
				const hold = this.sessions.hold(await this.sessions.keyFor(key));
				if (hold === undefined) return `The session is no longer there: ${key}`;
				holds.push(hold);
				await hold.session.whenRead;
			}
			const [first, second] = holds.map(({ session }) => session);
			if (first === undefined || second === undefined) return '';
			// Loaded when somebody compares.
			const { compareRuns } = await import('../core/runs/compareRuns.ts');
			const { comparisonLines } = await import('../core/runs/comparisonText.ts');
			const comparison = await compareRuns(this.sessions.platform.files, first, second);
			const lines = comparisonLines(comparison, {
				names: [titleOf(this.sessions.entry(one)), titleOf(this.sessions.entry(other))],
				placeText: (place) => {
					const at = filePlace(place);
					return at === undefined
						? ''
						: `${at.path.slice(folderOf(at.path).length + 1)}:${at.range.start.line + 1}`;
				},
			});
			this.shown.set(uri.toString(), lines);
			return `${lines.map(({ text }) => text).join('\n')}\n`;
		} catch (error) {
			if (!(error instanceof ExpectedError)) throw error;
			return `${error.message}\n`;
		} finally {
			for (const hold of holds) hold.dispose();
		}
	}

	provideDocumentLinks({ uri }: TextDocument): DocumentLink[] {
		return (this.shown.get(uri.toString()) ?? []).flatMap(({ text, place }, line) => {
			const at = place === undefined ? undefined : filePlace(place);
			if (at === undefined) return [];
			const values = encodeURIComponent(JSON.stringify([at.path, at.range.start.line, at.range.start.character]));
			const link = new DocumentLink(
				new Range(line, text.lastIndexOf('  ') + 2, line, text.length),
				Uri.parse(`command:${commandIds.revealPlace}?${values}`),
			);
			link.tooltip = 'Reveal in the transcript';
			return [link];
		});
	}

	/** Made anew, should it be open already. */
	refresh(uri: Uri): void {
		if (this.shown.has(uri.toString())) this.changed.fire(uri);
	}

	close(uri: Uri): void {
		this.shown.delete(uri.toString());
	}

	dispose(): void {
		this.changed.dispose();
	}
}

function keysIn(uri: Uri): readonly [SessionKey, SessionKey] {
	try {
		const [one, other] = JSON.parse(uri.query) as unknown[]; // anybody can make such an address
		return [String(one), String(other)];
	} catch {
		// No address of ours.
		return ['', ''];
	}
}
