import { languages } from 'vscode';
import type { Disposable } from 'vscode';
import type { TranscriptFiles } from '../core/transcripts/files.ts';
import { TranscriptCodeLenses } from './codeLenses.ts';
import { TranscriptDefinitions } from './definitions.ts';
import { TranscriptFolding } from './folding.ts';
import { TranscriptHovers } from './hovers.ts';
import { languageId } from './ids.ts';
import type { Log } from './log.ts';
import type { OpenTranscripts } from './openTranscripts.ts';
import { registerScopeFixes } from './scopeFixes.ts';
import { ScopeHints } from './scopeHints.ts';
import { registerScopeProblems } from './scopeProblems.ts';
import { TranscriptSymbols } from './symbols.ts';
import { DisposableStore } from '../core/base/lifecycle.ts';

/** What an editor offers on a transcript. */
export function registerTranscriptFeatures(files: TranscriptFiles, transcripts: OpenTranscripts, log: Log): Disposable {
	const disposables = new DisposableStore();
	const selector = { language: languageId };
	disposables.add(languages.registerDefinitionProvider(selector, new TranscriptDefinitions(transcripts)));
	disposables.add(languages.registerHoverProvider(selector, new TranscriptHovers(files, transcripts)));
	disposables.add(
		languages.registerDocumentSymbolProvider(selector, new TranscriptSymbols(transcripts), {
			label: 'Conversation',
		}),
	);
	disposables.add(languages.registerFoldingRangeProvider(selector, new TranscriptFolding(transcripts)));
	const lenses = disposables.add(new TranscriptCodeLenses(transcripts));
	disposables.add(languages.registerCodeLensProvider(selector, lenses));
	const hints = disposables.add(new ScopeHints(transcripts));
	disposables.add(languages.registerInlayHintsProvider(selector, hints));
	disposables.add(registerScopeFixes(selector, files, transcripts, log));
	disposables.add(registerScopeProblems(log));
	return { dispose: () => disposables.dispose() };
}
