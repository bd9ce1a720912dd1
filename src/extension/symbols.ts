import { DocumentSymbol, Range, SymbolKind } from 'vscode';
import type { DocumentSymbolProvider, TextDocument } from 'vscode';
import { agentName } from '../core/conversation/index.ts';
import type { Agent, Conversation, Message, Place } from '../core/conversation/index.ts';
import type { TranscriptFiles } from '../core/transcripts/files.ts';
import { filePlace, lineIn } from './convert.ts';
import { compactionWords, firstWords, placeOf, speakerOf, turnsOf } from './conversationRows.ts';
import type { Row } from './conversationRows.ts';
import { readWords } from './notifications.ts';
import type { OpenTranscripts } from './openTranscripts.ts';
import { transcriptLines } from './transcriptLines.ts';
import { callWords, shortened, toolLabel } from './words.ts';

/** Turns with their calls; in a file of several agents the agents above them. */
export class TranscriptSymbols implements DocumentSymbolProvider {
	private readonly files: TranscriptFiles;
	private readonly transcripts: OpenTranscripts;

	constructor(files: TranscriptFiles, transcripts: OpenTranscripts) {
		this.files = files;
		this.transcripts = transcripts;
	}

	async provideDocumentSymbols(document: TextDocument): Promise<DocumentSymbol[]> {
		const session = await this.transcripts.sessionOf(document);
		if (session === undefined) return [];
		const { conversation } = session;
		const path = document.uri.fsPath;
		const words = new WeakMap<Message, string>();
		const agents = [...transcriptLines(conversation, path).agents.values()].map(({ agent }) => agent);
		for (const { messages } of agents) await readWords(this.files, messages, words);
		if (agents.length === 1) return agents.flatMap((agent) => turnSymbols(conversation, agent, path, words));
		return agents.flatMap((agent) =>
			enclosing(
				agentName(agent),
				agent.type ?? '',
				SymbolKind.Class,
				turnSymbols(conversation, agent, path, words),
			),
		);
	}
}

function turnSymbols(
	conversation: Conversation,
	agent: Agent,
	path: string,
	words: WeakMap<Message, string>,
): DocumentSymbol[] {
	return turnsOf(agent).flatMap((turn) => {
		const children = turn.rows.flatMap((row) => rowSymbol(conversation, row, path, words));
		const name = turn.number === 0 ? 'Before the first turn' : `Turn ${turn.number}`;
		return enclosing(name, shortened(firstWords(turn.prompt, words), 80), SymbolKind.Namespace, children);
	});
}

function rowSymbol(
	conversation: Conversation,
	row: Row,
	path: string,
	words: WeakMap<Message, string>,
): DocumentSymbol[] {
	const place = placeOf(row);
	switch (row.kind) {
		case 'call':
			return symbol(
				toolLabel(row.call),
				callWords(conversation, row.call, Date.now()),
				SymbolKind.Method,
				place,
				path,
			);
		case 'compaction':
			return symbol(compactionWords(row.compaction), '', SymbolKind.Constant, place, path);
		case 'stray':
			return symbol(row.result.toolUseId, 'a result without its call', SymbolKind.Event, place, path);
		case 'server':
			// It stands in no transcript.
			return [];
		case 'message':
			return symbol(
				shortened(firstWords(row.message, words), 80) || '…',
				speakerOf(row.message),
				SymbolKind.String,
				place,
				path,
			);
	}
}

function symbol(name: string, detail: string, kind: SymbolKind, place: Place, path: string): DocumentSymbol[] {
	const found = filePlace(place);
	if (found === undefined || lineIn(place, path) === undefined) return [];
	return [new DocumentSymbol(name, detail, kind, found.range, found.range)];
}

/** A symbol around others: none of them may reach out of it. */
function enclosing(name: string, detail: string, kind: SymbolKind, children: DocumentSymbol[]): DocumentSymbol[] {
	const [first] = children;
	if (first === undefined) return [];
	const range = children.reduce((all, child) => all.union(child.range), first.range);
	const enclosed = new DocumentSymbol(
		name,
		detail,
		kind,
		new Range(range.start.line, 0, range.end.line, range.end.character),
		first.range,
	);
	enclosed.children = children;
	return [enclosed];
}
