import { Uri, commands, languages, window, workspace } from 'vscode';
import type { Disposable, TextDocumentContentProvider } from 'vscode';
import { ExpectedError } from '../core/base/errors.ts';
import { stateScheme } from './ids.ts';
import type { StoreTarget } from './row.ts';
import type { StoreInView } from './storeView.ts';
import { shortened } from './words.ts';

/** States of sessions as read-only documents, and the difference between two of them. A checkpoint never changes, so neither do these. */
export class SessionStates implements TextDocumentContentProvider, Disposable {
	private readonly store: StoreInView;
	private readonly registration: Disposable;
	private readonly texts = new Map<string, string>();

	constructor(store: StoreInView) {
		this.store = store;
		const provider = workspace.registerTextDocumentContentProvider(stateScheme, this);
		const closing = workspace.onDidCloseTextDocument(({ uri }) => this.texts.delete(uri.toString()));
		this.registration = {
			dispose: () => {
				provider.dispose();
				closing.dispose();
			},
		};
	}

	async show({ sessionId, seq }: StoreTarget): Promise<void> {
		if (sessionId === undefined) return;
		const uri = await this.document(sessionId, seq ?? (await this.latest(sessionId)));
		const document = await workspace.openTextDocument(uri);
		await languages.setTextDocumentLanguage(document, 'json');
		await window.showTextDocument(document, { preview: true });
	}

	/** With the checkpoint before. */
	async compare({ sessionId, seq }: StoreTarget): Promise<void> {
		if (sessionId === undefined) return;
		const checkpoints = await this.store.checkpointsOf(sessionId);
		const index = seq === undefined ? 0 : checkpoints.findIndex((checkpoint) => checkpoint.seq === seq);
		const [newer, older] = [checkpoints[index], checkpoints[index + 1]];
		if (newer === undefined || older === undefined || !newer.hasState || !older.hasState) {
			throw new ExpectedError('The state of the checkpoint before is no longer kept.');
		}
		await commands.executeCommand(
			'vscode.diff',
			await this.document(sessionId, older.seq),
			await this.document(sessionId, newer.seq),
			`${shortened(sessionId, 40)}: checkpoint ${older.seq} ↔ ${newer.seq} (${newer.tool})`,
			{ preview: true },
		);
	}

	async provideTextDocumentContent(uri: Uri): Promise<string> {
		const known = this.texts.get(uri.toString());
		if (known !== undefined) return known;
		const { sessionId, seq } = JSON.parse(uri.query) as { sessionId: string; seq: number }; // an address of ours
		return this.store.stateText(sessionId, seq);
	}

	dispose(): void {
		this.registration.dispose();
	}

	private async latest(sessionId: string): Promise<number> {
		const [newest] = await this.store.checkpointsOf(sessionId);
		if (newest === undefined) throw new ExpectedError(`Session ${sessionId} has no checkpoint.`);
		return newest.seq;
	}

	/** Read before it is opened: a person who asks is told why it cannot be had; a document would only be empty. */
	private async document(sessionId: string, seq: number): Promise<Uri> {
		const name = shortened(sessionId, 40).replaceAll(/[/\\?#:*"<>|]/g, '_');
		const uri = Uri.from({
			scheme: stateScheme,
			path: `/${name} ${seq}.json`,
			query: JSON.stringify({ sessionId, seq }),
		});
		this.texts.set(uri.toString(), await this.store.stateText(sessionId, seq));
		return uri;
	}
}
