import { Range, TextEditorRevealType, commands, window, workspace } from 'vscode';
import type { Disposable, TextDocumentContentProvider, Uri } from 'vscode';
import { ExpectedError } from '../core/base/errors.ts';
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
		disposables.add(workspace.registerTextDocumentContentProvider(scheme, new RecordedText(files)));
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

/** As much as an editor shows of a document that is no file. */
const longestText = 32 * 1024 * 1024;

/** What a host has recorded of a session, or a file of a session that was saved, as it is when it is opened. */
class RecordedText implements TextDocumentContentProvider {
	private readonly files: TranscriptFiles;

	constructor(files: TranscriptFiles) {
		this.files = files;
	}

	async provideTextDocumentContent(uri: Uri): Promise<string> {
		const path = uri.with({ scheme: 'file' }).fsPath;
		const size = (await this.files.stat(path))?.size ?? 0;
		if (size > longestText)
			throw new ExpectedError(
				uri.scheme === savedScheme
					? 'It is too long for an editor; unpack the session file, which is a zip archive.'
					: 'It is too long for an editor; open the event log of its host instead.',
			);
		const file = await this.files.open(path);
		try {
			const bytes = new Uint8Array(size);
			let filled = 0;
			while (filled < size) {
				const length = await file.read(bytes.subarray(filled), filled);
				if (length === 0) break;
				filled += length;
			}
			return new TextDecoder().decode(bytes.subarray(0, filled));
		} finally {
			await file.close();
		}
	}
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
