import { Range, TextEditorRevealType, commands, window, workspace } from 'vscode';
import type { Disposable } from 'vscode';
import { DisposableStore } from '../core/base/lifecycle.ts';
import type { TranscriptFiles } from '../core/transcripts/files.ts';
import { registerCommand } from './commands.ts';
import { recordingScheme, savedScheme, uriOf } from './convert.ts';
import { commandIds } from './ids.ts';
import type { Log } from './log.ts';

/** Shows a file at a range. Files too large for extensions to see open too: VS Code does it itself. */
export async function openPlace(path: string, range: Range | undefined): Promise<void> {
	await commands.executeCommand('vscode.open', uriOf(path), {
		preview: true,
		preserveFocus: true,
		...(range === undefined ? {} : { selection: startOf(range) }),
	});
	// On a long line that leaves the beginning at the very edge of the window, and all that belongs to it outside.
	const editor = window.visibleTextEditors.find(({ document }) => document.uri.fsPath === path);
	if (range !== undefined) editor?.revealRange(firstOf(range), TextEditorRevealType.InCenterIfOutsideViewport);
}

/** Links in hovers and virtual documents lead to a place: the path, and line and column, both 0-based. */
export function registerReveal(log: Log, files: TranscriptFiles): Disposable {
	const disposables = new DisposableStore();
	for (const scheme of [recordingScheme, savedScheme])
		disposables.add(
			workspace.registerTextDocumentContentProvider(scheme, {
				async provideTextDocumentContent(uri) {
					// Loaded when somebody reads.
					const { recordedText } = await import('./recordedText.ts');
					return recordedText(files, uri);
				},
			}),
		);
	disposables.add(
		registerCommand(
			log,
			commandIds.revealPlace,
			'The place could not be shown',
			async (path: unknown, line: unknown, column: unknown) => {
				if (typeof path !== 'string' || typeof line !== 'number') return;
				const at = typeof column === 'number' ? column : 0;
				await openPlace(path, new Range(line, at, line, at));
			},
		),
	);
	return disposables;
}

/** What of a block is to be seen without scrolling. */
function firstOf({ start }: Range): Range {
	return new Range(start, start.translate(0, shownColumns));
}

const shownColumns = 60;

/** A block may be longer than a screen: its beginning is what is to be seen. */
function startOf(range: Range): Range {
	return new Range(range.start, range.start);
}
