import { DocumentLink, EventEmitter, Range, Uri } from 'vscode';
import type { Disposable } from 'vscode';
import { DisposableStore } from '../core/base/lifecycle.ts';
import { commandIds } from './ids.ts';
import type { Log } from './log.ts';
import type { SessionInView, SessionKey } from './sessionInView.ts';
import type { SessionHold, Sessions } from './sessions.ts';
import { Throttle } from './throttle.ts';

/** Where "line 12" stands in a text, and what it leads to; all of it counts from 0. */
export interface TranscriptLink {
	readonly line: number;
	readonly column: number;
	readonly length: number;
	readonly path: string;
	readonly targetLine: number;
}

/** A text that is made of a session, as it was made last. */
export interface SessionText {
	readonly text: string;
	readonly links: readonly TranscriptLink[];
}

interface Shown<Text> {
	readonly uri: Uri;
	readonly hold: SessionHold;
	readonly listening: Disposable;
	text: Text | undefined;
}

/** Read-only documents that are made of sessions: each session is followed for as long as its document is open, which is made again as it grows. */
export class SessionDocuments<Text extends SessionText> implements Disposable {
	private readonly changed = new EventEmitter<Uri>();
	readonly onDidChange = this.changed.event;
	private readonly sessions: Sessions;
	private readonly log: Log;
	private readonly shown = new Map<string, Shown<Text>>();

	constructor(sessions: Sessions, log: Log) {
		this.sessions = sessions;
		this.log = log;
	}

	/** The session of a document, read to its end; `undefined`: it is no longer there. */
	async open(uri: Uri, key: SessionKey): Promise<SessionInView | undefined> {
		const session = (await this.take(uri, key))?.hold.session;
		await session?.whenRead;
		return session;
	}

	sessionOf(uri: Uri): SessionInView | undefined {
		return this.shown.get(uri.toString())?.hold.session;
	}

	textOf(uri: Uri): Text | undefined {
		return this.shown.get(uri.toString())?.text;
	}

	/** Notes what was made for a document; it may have been closed meanwhile. */
	setText(uri: Uri, text: Text): void {
		const shown = this.shown.get(uri.toString());
		if (shown !== undefined) shown.text = text;
	}

	links(uri: Uri): DocumentLink[] {
		return (this.textOf(uri)?.links ?? []).map(({ line, column, length, path, targetLine }) => {
			const values = encodeURIComponent(JSON.stringify([path, targetLine, 0]));
			const link = new DocumentLink(
				new Range(line, column, line, column + length),
				Uri.parse(`command:${commandIds.revealPlace}?${values}`),
			);
			link.tooltip = 'Reveal in the transcript';
			return link;
		});
	}

	/** All of them are made again. */
	refresh(): void {
		for (const { uri } of this.shown.values()) this.changed.fire(uri);
	}

	/** Whether it was one of these. */
	close(uri: Uri): boolean {
		const id = uri.toString();
		const shown = this.shown.get(id);
		if (shown === undefined) return false;
		this.shown.delete(id);
		shown.listening.dispose();
		shown.hold.dispose();
		return true;
	}

	dispose(): void {
		for (const { uri } of this.shown.values()) this.close(uri);
		this.changed.dispose();
	}

	private async take(uri: Uri, key: SessionKey): Promise<Shown<Text> | undefined> {
		const id = uri.toString();
		const known = this.shown.get(id);
		if (known !== undefined) return known;
		const { sessions, log } = this;
		// A window that is opened again shows its editors before anybody has looked for sessions.
		await sessions.keyFor(key).catch((error: unknown) => log.failure(key, error));
		const hold = sessions.hold(key);
		if (hold === undefined) return undefined;
		const listening = new DisposableStore();
		const refreshing = listening.add(new Throttle(1000, () => this.changed.fire(uri)));
		listening.add(
			hold.session.onDidUpdate(() => {
				if (hold.session.isRead) refreshing.request();
			}),
		);
		const shown: Shown<Text> = { uri, hold, listening, text: undefined };
		this.shown.set(id, shown);
		return shown;
	}
}
