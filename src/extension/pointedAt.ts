import type { Position, Range } from 'vscode';
import type { Conversation, Result, ToolCall } from '../core/conversation/index.ts';
import { filePlace } from './convert.ts';
import { transcriptLines } from './transcriptLines.ts';

/** A call or a result, and the columns that stand for it. */
export type PointedAt =
	| { readonly kind: 'call'; readonly call: ToolCall; readonly range: Range }
	| { readonly kind: 'result'; readonly result: Result; readonly call: ToolCall | undefined; readonly range: Range };

/** What stands at a position: the block itself or, in a line that has only one, that one wherever one points. */
export function pointedAt(conversation: Conversation, path: string, position: Position): PointedAt | undefined {
	const contents = transcriptLines(conversation, path).lines.get(position.line);
	if (contents === undefined) return undefined;
	const found: PointedAt[] = [];
	for (const call of contents.calls) {
		const place = filePlace(call.place);
		if (place !== undefined) found.push({ kind: 'call', call, range: place.range });
	}
	for (const { result, call } of contents.results) {
		const place = filePlace(result.place);
		if (place !== undefined) found.push({ kind: 'result', result, call, range: place.range });
	}
	return found.find(({ range }) => range.contains(position)) ?? (found.length === 1 ? found[0] : undefined);
}
