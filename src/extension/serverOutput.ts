import { EventEmitter, Uri, languages, window, workspace } from 'vscode';
import type { Disposable, TextDocumentContentProvider } from 'vscode';
import { DisposableStore } from '../core/base/lifecycle.ts';
import type { HostConnection } from './hostConnection.ts';
import { outputScheme } from './ids.ts';
import type { Log } from './log.ts';

/** A server that prints all the time is looked at this often, while somebody reads. */
const readEveryMs = 2000;

/** What servers have printed, as read-only documents that follow them for as long as they are seen. */
export class ServerOutput implements TextDocumentContentProvider, Disposable {
	private readonly changed = new EventEmitter<Uri>();
	readonly onDidChange = this.changed.event;
	private readonly connection: HostConnection;
	private readonly log: Log;
	private readonly disposables = new DisposableStore();
	private readonly texts = new Map<string, string>();
	private timer: NodeJS.Timeout | undefined;

	constructor(connection: HostConnection, log: Log) {
		this.connection = connection;
		this.log = log;
		this.disposables.add(this.changed);
		this.disposables.add(workspace.registerTextDocumentContentProvider(outputScheme, this));
		this.disposables.add(window.onDidChangeVisibleTextEditors(() => this.follow()));
		this.disposables.add(workspace.onDidCloseTextDocument(({ uri }) => this.texts.delete(uri.toString())));
	}

	async show(server: string): Promise<void> {
		const uri = Uri.from({ scheme: outputScheme, path: `/${server.replaceAll(/[/\\]/g, '_')}.log`, query: server });
		const isKnown = this.texts.has(uri.toString());
		// A person who asks is told why it cannot be had; a document would only be empty.
		this.texts.set(uri.toString(), await this.read(server));
		if (isKnown) this.changed.fire(uri);
		const document = await workspace.openTextDocument(uri);
		await languages.setTextDocumentLanguage(document, 'log');
		await window.showTextDocument(document, { preview: true });
	}

	provideTextDocumentContent(uri: Uri): string {
		return this.texts.get(uri.toString()) ?? '';
	}

	dispose(): void {
		clearInterval(this.timer);
		this.disposables.dispose();
	}

	private async read(server: string): Promise<string> {
		const { text } = await this.connection.request('servers/output', { server });
		return text === '' ? `${server} has printed nothing but its messages.\n` : text;
	}

	private follow(): void {
		const isSeen = this.seen().length > 0;
		if (isSeen === (this.timer !== undefined)) return;
		clearInterval(this.timer);
		this.timer = isSeen ? setInterval(() => void this.readAgain(), readEveryMs) : undefined; // its failures are logged
	}

	private async readAgain(): Promise<void> {
		// What a server has printed stays readable when its host has gone.
		if (this.connection.state !== 'running') return;
		for (const uri of this.seen()) {
			try {
				const text = await this.read(uri.query);
				if (text === this.texts.get(uri.toString())) continue;
				this.texts.set(uri.toString(), text);
				this.changed.fire(uri);
			} catch (error) {
				this.log.failure(`The output of ${uri.query} could not be read`, error);
			}
		}
	}

	private seen(): readonly Uri[] {
		return window.visibleTextEditors
			.map(({ document }) => document.uri)
			.filter(({ scheme }) => scheme === outputScheme);
	}
}
