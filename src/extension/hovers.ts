import { Hover, MarkdownString } from 'vscode';
import type { HoverProvider, Position, TextDocument } from 'vscode';
import { agentName, callState } from '../core/conversation/index.ts';
import type { Conversation, Place, ToolCall } from '../core/conversation/index.ts';
import type { BodyRef } from '../core/events/sessionEvent.ts';
import type { TranscriptFiles } from '../core/transcripts/files.ts';
import { cutLines, readBody } from './bodies.ts';
import { commandIds } from './ids.ts';
import type { OpenTranscripts } from './openTranscripts.ts';
import { pointedAt } from './pointedAt.ts';
import { readableUri } from './readableUri.ts';
import { scopeWords } from './scopeHints.ts';
import { scopesOf } from './scopes.ts';
import type { SessionKey } from './sessionInView.ts';
import { scopeSettings } from './settings.ts';
import { callDuration, duration, orphanWords, timeOfDay, toolLabel } from './words.ts';

const shownLines = 40;
const bodyLimitBytes = 128 * 1024;

/** A call and its result as a table, with both bodies below. */
export class TranscriptHovers implements HoverProvider {
	private readonly files: TranscriptFiles;
	private readonly transcripts: OpenTranscripts;

	constructor(files: TranscriptFiles, transcripts: OpenTranscripts) {
		this.files = files;
		this.transcripts = transcripts;
	}

	async provideHover(document: TextDocument, position: Position): Promise<Hover | undefined> {
		const session = await this.transcripts.sessionOf(document);
		if (session === undefined) return undefined;
		const { conversation } = session;
		const target = pointedAt(conversation, document.uri.fsPath, position);
		if (target === undefined) return undefined;
		const { call } = target;
		const contents: MarkdownString[] = [];
		if (call !== undefined) {
			contents.push(callTable(conversation, session.key, call));
			contents.push(await this.body('Arguments', call.place, call.arguments));
			const scopes = scopesOf(conversation, call, scopeSettings());
			for (const parameter of scopes?.missing ?? []) contents.push(scopeWords(parameter));
		}
		const result = target.kind === 'result' ? target.result : target.call.result;
		if (result !== undefined)
			contents.push(await this.body(result.isError ? 'Error' : 'Result', result.place, result.body));
		if (call === undefined)
			contents.unshift(new MarkdownString().appendText('The call of this result is not in the transcript.'));
		return new Hover(contents, target.range);
	}

	private async body(title: string, place: Place, body: BodyRef): Promise<MarkdownString> {
		const read = cutLines(await readBody(this.files, place, body, bodyLimitBytes), shownLines);
		const markdown = new MarkdownString(`**${title}**\n`).appendCodeblock(read.text, read.language);
		if (read.cut !== undefined) markdown.appendText(read.cut);
		return markdown;
	}
}

function callTable(conversation: Conversation, key: SessionKey, call: ToolCall): MarkdownString {
	const now = Date.now();
	const state = callState(conversation, call);
	const took = callDuration(call, state, now);
	const { tokens } = call.message;
	const markdown = new MarkdownString(undefined, true);
	markdown.isTrusted = { enabledCommands: [commandIds.openReadableView, commandIds.revealInAgents] };
	markdown.appendMarkdown('| Agent | Tool | State | Started | Took | Tokens |\n|---|---|---|---|---|---|\n|');
	const cells = [
		agentName(call.agent),
		toolLabel(call),
		state.state === 'orphaned'
			? `orphaned: ${orphanWords[state.cause]}`
			: state.state === 'pending'
				? state.isCertain
					? 'in flight'
					: 'no result yet'
				: state.state,
		call.startedAt === undefined ? '–' : timeOfDay(call.startedAt),
		took === undefined ? '–' : duration(took),
		tokens === undefined ? '–' : `${tokens.input} in, ${tokens.output} out`,
	];
	for (const cell of cells) markdown.appendMarkdown(' ').appendText(cell.replaceAll('|', '¦')).appendMarkdown(' |');
	markdown.appendMarkdown('\n\n');
	if (state.state === 'orphaned' || state.state === 'pending' || state.state === 'abandoned')
		markdown.appendText(state.evidence).appendMarkdown('\n\n');
	const readable = JSON.stringify([readableUri(conversation, key, call.agent, call.id).toString()]);
	const agent = JSON.stringify([key, call.agent.id]);
	markdown.appendMarkdown(
		`[$(book) Readable view](command:${commandIds.openReadableView}?${encodeURIComponent(readable)} "Open the conversation as text") · [$(list-tree) In the tree](command:${commandIds.revealInAgents}?${encodeURIComponent(agent)} "Show the agent in the sidebar")`,
	);
	return markdown;
}
