import { EventEmitter, languages, window, workspace } from 'vscode';
import type { Disposable, Event, TextDocument } from 'vscode';
import { ExpectedError } from '../core/base/errors.ts';
import { DisposableStore } from '../core/base/lifecycle.ts';
import { readHeader } from '../core/transcripts/sessionFiles.ts';
import { savedScheme } from './convert.ts';
import { languageId } from './ids.ts';
import type { Log } from './log.ts';
import type { SessionInView, SessionKey } from './sessionInView.ts';
import type { SessionHold, Sessions } from './sessions.ts';
import { lintSettings } from './settings.ts';

/** As many characters of a document tell whether it is a transcript. A first line may hold a whole screenshot. */
const headCharacters = 256 * 1024;
const headLines = 30;

/** Transcripts that are open in editors: recognised by what is in them, and followed for as long as they are open. */
export class OpenTranscripts implements Disposable {
	/** Fires when the first transcript of a session was opened, and when the last one was closed. */
	readonly onDidChange: Event<SessionKey>;
	private readonly changed = new EventEmitter<SessionKey>();
	private readonly sessions: Sessions;
	private readonly log: Log;
	private readonly disposables = new DisposableStore();
	private readonly open = new Map<string, Promise<SessionHold | undefined>>();
	private readonly openKeys = new Map<SessionKey, number>();

	constructor(sessions: Sessions, log: Log) {
		this.sessions = sessions;
		this.log = log;
		this.onDidChange = this.changed.event;
		this.disposables.add(this.changed);
		this.disposables.add(workspace.onDidOpenTextDocument((document) => void this.take(document)));
		this.disposables.add(workspace.onDidCloseTextDocument((document) => void this.letGo(document)));
		// What is as long as before, and was written to a moment ago, does not look different.
		this.disposables.add(workspace.onDidSaveTextDocument((document) => void this.readAgain(document)));
		for (const document of workspace.textDocuments) void this.take(document);
	}

	isOpen(key: SessionKey): boolean {
		return this.openKeys.has(key);
	}

	/** The session of an open transcript, once it has been read. */
	async sessionOf(document: TextDocument): Promise<SessionInView | undefined> {
		const hold = await this.open.get(document.uri.toString());
		await hold?.session.whenRead;
		return hold?.session;
	}

	dispose(): void {
		for (const hold of this.open.values()) void hold.then((held) => void held?.dispose());
		this.open.clear();
		this.disposables.dispose();
	}

	private async take(document: TextDocument): Promise<void> {
		const { uri } = document;
		if (uri.scheme !== 'file' && uri.scheme !== savedScheme) return;
		if (document.languageId !== languageId) {
			// The event comes again when the language is another.
			if (uri.path.endsWith('.jsonl') && isTranscript(document))
				await languages.setTextDocumentLanguage(document, languageId);
			return;
		}
		const id = uri.toString();
		if (this.open.has(id)) return;
		const holding = this.holdFor(uri.fsPath);
		this.open.set(id, holding);
		const hold = await holding;
		if (hold === undefined) return;
		const { key } = hold.session;
		this.openKeys.set(key, (this.openKeys.get(key) ?? 0) + 1);
		this.changed.fire(key);
	}

	private async readAgain(document: TextDocument): Promise<void> {
		const hold = await this.open.get(document.uri.toString());
		await hold?.session.restart(lintSettings());
	}

	private async letGo(document: TextDocument): Promise<void> {
		const id = document.uri.toString();
		const holding = this.open.get(id);
		if (holding === undefined) return;
		this.open.delete(id);
		const hold = await holding;
		if (hold === undefined) return;
		const { key } = hold.session;
		const count = (this.openKeys.get(key) ?? 1) - 1;
		if (count > 0) this.openKeys.set(key, count);
		else this.openKeys.delete(key);
		hold.dispose();
		this.changed.fire(key);
	}

	private async holdFor(path: string): Promise<SessionHold | undefined> {
		try {
			return this.sessions.hold(await this.sessions.keyFor(path));
		} catch (error) {
			// A person may give the language to any file.
			if (error instanceof ExpectedError) window.setStatusBarMessage(`Crosstalk: ${error.message}`, 8000);
			this.log.failure(path, error);
			return undefined;
		}
	}
}

function isTranscript(document: TextDocument): boolean {
	let head = '';
	for (let line = 0; line < Math.min(headLines, document.lineCount) && head.length < headCharacters; line++) {
		head += `${document.lineAt(line).text.slice(0, headCharacters)}\n`;
	}
	return readHeader(new TextEncoder().encode(head), document.uri.fsPath, undefined) !== undefined;
}
