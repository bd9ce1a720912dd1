import { languages } from 'vscode';
import type { Disposable, DocumentSymbolProvider } from 'vscode';
import type { TranscriptFiles } from '../core/transcripts/files.ts';
import { TranscriptCodeLenses } from './codeLenses.ts';
import { TranscriptFolding } from './folding.ts';
import { languageId } from './ids.ts';
import type { Log } from './log.ts';
import type { OpenTranscripts } from './openTranscripts.ts';
import { registerScopeFixes } from './scopeFixes.ts';
import { ScopeHints } from './scopeHints.ts';
import { registerScopeProblems } from './scopeProblems.ts';
import { DisposableStore } from '../core/base/lifecycle.ts';

/** What an editor offers on a transcript. */
export function registerTranscriptFeatures(files: TranscriptFiles, transcripts: OpenTranscripts, log: Log): Disposable {
	const disposables = new DisposableStore();
	const selector = { language: languageId };
	// Of what nobody needs before a transcript is open, nothing is loaded before.
	disposables.add(
		languages.registerDefinitionProvider(selector, {
			async provideDefinition(document, position) {
				const { TranscriptDefinitions } = await import('./definitions.ts');
				return new TranscriptDefinitions(transcripts).provideDefinition(document, position);
			},
		}),
	);
	disposables.add(
		languages.registerHoverProvider(selector, {
			async provideHover(document, position) {
				const { TranscriptHovers } = await import('./hovers.ts');
				return new TranscriptHovers(files, transcripts).provideHover(document, position);
			},
		}),
	);
	const symbols: DocumentSymbolProvider = {
		async provideDocumentSymbols(document) {
			const { TranscriptSymbols } = await import('./symbols.ts');
			return new TranscriptSymbols(files, transcripts).provideDocumentSymbols(document);
		},
	};
	disposables.add(languages.registerDocumentSymbolProvider(selector, symbols, { label: 'Conversation' }));
	disposables.add(languages.registerFoldingRangeProvider(selector, new TranscriptFolding(transcripts)));
	const lenses = disposables.add(new TranscriptCodeLenses(transcripts));
	disposables.add(languages.registerCodeLensProvider(selector, lenses));
	const hints = disposables.add(new ScopeHints(transcripts));
	disposables.add(languages.registerInlayHintsProvider(selector, hints));
	disposables.add(registerScopeFixes(selector, files, transcripts, log));
	disposables.add(registerScopeProblems(log));
	return { dispose: () => disposables.dispose() };
}
