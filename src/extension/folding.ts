import { FoldingRange, FoldingRangeKind } from 'vscode';
import type { FoldingRangeProvider, TextDocument } from 'vscode';
import { lineIn } from './convert.ts';
import type { OpenTranscripts } from './openTranscripts.ts';
import { transcriptLines } from './transcriptLines.ts';

/** Every turn folds down to its prompt. */
export class TranscriptFolding implements FoldingRangeProvider {
	private readonly transcripts: OpenTranscripts;

	constructor(transcripts: OpenTranscripts) {
		this.transcripts = transcripts;
	}

	async provideFoldingRanges(document: TextDocument): Promise<FoldingRange[]> {
		const session = await this.transcripts.sessionOf(document);
		if (session === undefined) return [];
		const path = document.uri.fsPath;
		const { agents } = transcriptLines(session.conversation, path);
		const starts = [...agents.values()]
			.flatMap(({ messages }) =>
				messages.filter(({ kind }) => kind === 'prompt').map(({ place }) => lineIn(place, path)),
			)
			.filter((line) => line !== undefined)
			.sort((one, other) => one - other);
		const ranges: FoldingRange[] = [];
		for (const [index, start] of starts.entries()) {
			const end = (starts[index + 1] ?? lastLine(document) + 1) - 1;
			if (end > start) ranges.push(new FoldingRange(start, end, FoldingRangeKind.Region));
		}
		return ranges;
	}
}

/** A transcript ends with a line end, behind which an editor shows one line more. */
function lastLine(document: TextDocument): number {
	const last = document.lineCount - 1;
	return last > 0 && document.lineAt(last).isEmptyOrWhitespace ? last - 1 : last;
}
