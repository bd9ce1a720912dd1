import { Uri, commands, languages, window, workspace } from 'vscode';
import type { Disposable, TextDocumentContentProvider } from 'vscode';
import { ExpectedError } from '../core/base/errors.ts';
import type { CheckpointSummary } from '../core/store/sessionStore.ts';
import { stateScheme } from './ids.ts';
import type { StoredTarget } from './row.ts';
import { shortened } from './words.ts';

/** What is read of a store for somebody who wants to see a state. Rejects with a sentence. */
export interface StoreReader {
	/** The state after a checkpoint, as indented JSON; of the latest for `undefined`. */
	stateText(sessionId: string, seq: number | undefined): Promise<string>;
	/** The newest first. */
	checkpointsOf(sessionId: string): Promise<readonly CheckpointSummary[]>;
}

/** States of sessions as read-only documents, and the difference between two of them. A checkpoint never changes, so neither do these. */
export class SessionStates implements TextDocumentContentProvider, Disposable {
	private readonly readerOf: (store: string) => StoreReader;
	private readonly registration: Disposable;
	private readonly texts = new Map<string, string>();

	/** @param readerOf Of the store of a `StoreTarget`. Throws `ExpectedError` for one that is no longer there. */
	constructor(readerOf: (store: string) => StoreReader) {
		this.readerOf = readerOf;
		const provider = workspace.registerTextDocumentContentProvider(stateScheme, this);
		const closing = workspace.onDidCloseTextDocument(({ uri }) => this.texts.delete(uri.toString()));
		this.registration = {
			dispose: () => {
				provider.dispose();
				closing.dispose();
			},
		};
	}

	async show({ store, sessionId, seq }: StoredTarget): Promise<void> {
		const uri = await this.document(store, sessionId, seq ?? (await this.latest(store, sessionId)));
		const document = await workspace.openTextDocument(uri);
		await languages.setTextDocumentLanguage(document, 'json');
		await window.showTextDocument(document, { preview: true });
	}

	/** With the checkpoint before. */
	async compare({ store, sessionId, seq }: StoredTarget): Promise<void> {
		const checkpoints = await this.readerOf(store).checkpointsOf(sessionId);
		const index = seq === undefined ? 0 : checkpoints.findIndex((checkpoint) => checkpoint.seq === seq);
		const [newer, older] = [checkpoints[index], checkpoints[index + 1]];
		if (newer === undefined || older === undefined || !newer.hasState || !older.hasState) {
			throw new ExpectedError('The state of the checkpoint before is no longer kept.');
		}
		await commands.executeCommand(
			'vscode.diff',
			await this.document(store, sessionId, older.seq),
			await this.document(store, sessionId, newer.seq),
			`${shortened(sessionId, 40)}: checkpoint ${older.seq} ↔ ${newer.seq} (${newer.tool})`,
			{ preview: true },
		);
	}

	async provideTextDocumentContent(uri: Uri): Promise<string> {
		const known = this.texts.get(uri.toString());
		if (known !== undefined) return known;
		// An address of ours.
		const { store, sessionId, seq } = JSON.parse(uri.query) as { store: string; sessionId: string; seq: number };
		return this.readerOf(store).stateText(sessionId, seq);
	}

	dispose(): void {
		this.registration.dispose();
	}

	private async latest(store: string, sessionId: string): Promise<number> {
		const [newest] = await this.readerOf(store).checkpointsOf(sessionId);
		if (newest === undefined) throw new ExpectedError(`Session ${sessionId} has no checkpoint.`);
		return newest.seq;
	}

	/** Read before it is opened: a person who asks is told why it cannot be had; a document would only be empty. */
	private async document(store: string, sessionId: string, seq: number): Promise<Uri> {
		const name = shortened(sessionId, 40).replaceAll(/[/\\?#:*"<>|]/g, '_');
		const uri = Uri.from({
			scheme: stateScheme,
			path: `/${name} ${seq}.json`,
			query: JSON.stringify({ store, sessionId, seq }),
		});
		this.texts.set(uri.toString(), await this.readerOf(store).stateText(sessionId, seq));
		return uri;
	}
}
