import { CodeActionKind, languages } from 'vscode';
import type { Disposable, DocumentSelector } from 'vscode';
import { DisposableStore } from '../core/base/lifecycle.ts';
import type { TranscriptFiles } from '../core/transcripts/files.ts';
import { registerCommand } from './commands.ts';
import { commandIds } from './ids.ts';
import type { Log } from './log.ts';
import type { OpenTranscripts } from './openTranscripts.ts';

/** What can be done about a scope that was left out, and the commands behind that. They are not in the palette, because they need a call to be about. */
export function registerScopeFixes(
	selector: DocumentSelector,
	files: TranscriptFiles,
	transcripts: OpenTranscripts,
	log: Log,
): Disposable {
	const disposables = new DisposableStore();
	// Loaded when a problem is looked at.
	const load = () => import('./scopeActions.ts');
	disposables.add(
		languages.registerCodeActionsProvider(
			selector,
			{
				provideCodeActions: async (document, _range, { diagnostics }) =>
					diagnostics.length === 0 ? [] : (await load()).scopeActions(transcripts, document, diagnostics),
			},
			{ providedCodeActionKinds: [CodeActionKind.QuickFix] },
		),
	);
	const add = (id: string, failure: string) =>
		disposables.add(
			registerCommand(log, id, failure, async (target: unknown, path: unknown) =>
				(await load()).runScopeCommand(id, files, transcripts, target, path),
			),
		);
	add(commandIds.copyExplicitCall, 'The call could not be copied');
	add(commandIds.acceptScopeDefault, 'The setting could not be written');
	add(commandIds.declareScopes, 'The setting could not be written');
	return { dispose: () => disposables.dispose() };
}
