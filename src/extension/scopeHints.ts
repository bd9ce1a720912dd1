import { EventEmitter, InlayHint, InlayHintKind, MarkdownString, Position, Range, workspace } from 'vscode';
import type { CancellationToken, Disposable, InlayHintsProvider, TextDocument } from 'vscode';
import { DisposableStore } from '../core/base/lifecycle.ts';
import type { GivenArguments } from '../core/events/sessionEvent.ts';
import type { ScopeParameter } from '../core/scope/index.ts';
import { lineIn } from './convert.ts';
import type { OpenTranscripts } from './openTranscripts.ts';
import { fallbackWords, scopesOf } from './scopes.ts';
import { scopeSettings, section } from './settings.ts';
import type { SessionInView } from './sessionInView.ts';
import { Throttle } from './throttle.ts';
import { transcriptLines } from './transcriptLines.ts';

/** In the arguments of a call: the scopes that it leaves out, with what the tool takes instead. */
export class ScopeHints implements InlayHintsProvider, Disposable {
	private readonly changed = new EventEmitter<void>();
	readonly onDidChangeInlayHints = this.changed.event;
	private readonly transcripts: OpenTranscripts;
	private readonly disposables = new DisposableStore();
	private readonly followed = new WeakSet<SessionInView>();
	private readonly refreshing: Throttle;

	constructor(transcripts: OpenTranscripts) {
		this.transcripts = transcripts;
		this.disposables.add(this.changed);
		this.refreshing = this.disposables.add(new Throttle(300, () => this.changed.fire()));
		this.disposables.add(
			workspace.onDidChangeConfiguration((event) => {
				if (event.affectsConfiguration(`${section}.scope`)) this.refreshing.request();
			}),
		);
	}

	async provideInlayHints(document: TextDocument, range: Range, token: CancellationToken): Promise<InlayHint[]> {
		const session = await this.transcripts.sessionOf(document);
		if (session === undefined || token.isCancellationRequested) return [];
		this.follow(session);
		const { conversation } = session;
		const settings = scopeSettings();
		const path = document.uri.fsPath;
		const { lines } = transcriptLines(conversation, path);
		const hints: InlayHint[] = [];
		for (let line = range.start.line; line <= Math.min(range.end.line, document.lineCount - 1); line++) {
			for (const call of lines.get(line)?.calls ?? []) {
				const missing = scopesOf(conversation, call, settings)?.missing ?? [];
				if (missing.length === 0 || call.given === undefined) continue;
				if (lineIn(call.place, path) !== line) continue;
				const position = insertionPoint(document, line, call.given);
				if (range.contains(position)) hints.push(...missing.map((parameter) => hintAt(position, parameter)));
			}
		}
		return hints;
	}

	dispose(): void {
		this.disposables.dispose();
	}

	private follow(session: SessionInView): void {
		if (this.followed.has(session)) return;
		this.followed.add(session);
		// The session itself ends the subscription when nobody holds it any more.
		session.onDidUpdate(() => this.refreshing.request());
	}
}

/** Behind the brace that opens the arguments. Codex writes them as a string: behind its quote, too. */
function insertionPoint(document: TextDocument, line: number, { range }: GivenArguments): Position {
	const start = range.column - 1;
	const opening = document.getText(new Range(line, start, line, start + 1));
	return new Position(line, start + (opening === '"' ? 2 : 1));
}

function hintAt(position: Position, parameter: ScopeParameter): InlayHint {
	const hint = new InlayHint(position, `${parameter.path}: (${fallbackWords(parameter)})`, InlayHintKind.Parameter);
	hint.paddingLeft = true;
	hint.paddingRight = true;
	hint.tooltip = scopeWords(parameter);
	return hint;
}

/** What a scope parameter is, in the schema's words, and why it is taken for one. */
export function scopeWords(parameter: ScopeParameter): MarkdownString {
	const { path, description, fallback, evidence, allowed } = parameter;
	const markdown = new MarkdownString();
	markdown.appendMarkdown('**').appendText(path).appendMarkdown('** says where the tool looks.\n\n');
	if (description !== undefined && description.trim() !== '')
		markdown.appendMarkdown('> ').appendText(description.trim().replaceAll(/\s+/g, ' ')).appendMarkdown('\n\n');
	if (fallback !== undefined)
		markdown.appendText(`Without it the tool takes ${fallback.value} (${fallbackSources[fallback.source]}).`);
	else markdown.appendText('What the tool takes without it is not known.');
	markdown.appendMarkdown('\n\n');
	if (allowed.length > 0) {
		const more = allowed.length > shownValues ? ', …' : '';
		markdown.appendText(`It may be ${allowed.slice(0, shownValues).join(', ')}${more}.`).appendMarkdown('\n\n');
	}
	for (const { sentence } of evidence) markdown.appendMarkdown('- ').appendText(sentence).appendMarkdown('\n');
	return markdown;
}

const shownValues = 12;

const fallbackSources = {
	schema: 'the default in its schema',
	description: 'so its description says',
	caller: "the caller's own, so its description says",
} as const;
