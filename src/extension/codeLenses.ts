import { CodeLens, EventEmitter, Range, window } from 'vscode';
import type { CodeLensProvider, Disposable, TextDocument } from 'vscode';
import { DisposableStore } from '../core/base/lifecycle.ts';
import { agentName, callState } from '../core/conversation/index.ts';
import { lineIn } from './convert.ts';
import { commandIds, languageId } from './ids.ts';
import type { OpenTranscripts } from './openTranscripts.ts';
import type { SessionInView } from './sessionInView.ts';
import { Throttle } from './throttle.ts';
import { transcriptLines } from './transcriptLines.ts';
import { callWords } from './words.ts';

/** Above every call whose result is missed: how long it has been out, or why it never came back. */
export class TranscriptCodeLenses implements CodeLensProvider, Disposable {
	private readonly changed = new EventEmitter<void>();
	readonly onDidChangeCodeLenses = this.changed.event;
	private readonly transcripts: OpenTranscripts;
	private readonly disposables = new DisposableStore();
	private readonly followed = new WeakSet<SessionInView>();
	private readonly refreshing: Throttle;
	/** Lenses of calls that are in flight grow older. */
	private ticking: NodeJS.Timeout | undefined;

	constructor(transcripts: OpenTranscripts) {
		this.transcripts = transcripts;
		this.disposables.add(this.changed);
		this.refreshing = this.disposables.add(new Throttle(300, () => this.changed.fire()));
	}

	async provideCodeLenses(document: TextDocument): Promise<CodeLens[]> {
		const session = await this.transcripts.sessionOf(document);
		if (session === undefined) return [];
		this.follow(session);
		const { conversation } = session;
		const path = document.uri.fsPath;
		const now = Date.now();
		let isTicking = false;
		const lenses = transcriptLines(conversation, path).unanswered.flatMap((call) => {
			const line = lineIn(call.place, path);
			const state = callState(conversation, call);
			if (line === undefined || call.answeredBy === 'provider' || state.state === 'abandoned') return [];
			if (state.state === 'pending' && state.isCertain) isTicking = true;
			const words = callWords(conversation, call, now);
			const title =
				state.state === 'orphaned'
					? `$(warning) ${words}`
					: `$(clock) ${words} · agent ${agentName(call.agent)}`;
			return [
				new CodeLens(new Range(line, 0, line, 0), {
					title,
					tooltip: state.state === 'pending' || state.state === 'orphaned' ? state.evidence : '',
					command: commandIds.revealInAgents,
					arguments: [session.key, call.agent.id],
				}),
			];
		});
		if (isTicking) this.tickOnce();
		return lenses;
	}

	dispose(): void {
		clearTimeout(this.ticking);
		this.disposables.dispose();
	}

	private follow(session: SessionInView): void {
		if (this.followed.has(session)) return;
		this.followed.add(session);
		// The session itself ends the subscription when nobody holds it any more.
		session.onDidUpdate(() => this.refreshing.request());
	}

	private tickOnce(): void {
		this.ticking ??= setTimeout(() => {
			this.ticking = undefined;
			if (window.visibleTextEditors.some(({ document }) => document.languageId === languageId))
				this.changed.fire();
		}, 1000);
	}
}
