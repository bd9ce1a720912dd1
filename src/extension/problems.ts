import { Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, Uri, languages, workspace } from 'vscode';
import type { Disposable } from 'vscode';
import { DisposableStore } from '../core/base/lifecycle.ts';
import type { Diagnostic as Finding } from '../core/rules/linter.ts';
import { filePlace, locationOf, uriOf } from './convert.ts';
import { diagnosticSource } from './ids.ts';
import type { SessionKey } from './sessionInView.ts';
import type { Sessions } from './sessions.ts';
import { diagnosticsScope, section } from './settings.ts';
import type { OpenTranscripts } from './openTranscripts.ts';
import { rulePage } from './rulePages.ts';

const severities = {
	error: DiagnosticSeverity.Error,
	warning: DiagnosticSeverity.Warning,
	note: DiagnosticSeverity.Information,
} as const;

export function toDiagnostic(extension: Uri, finding: Finding): Diagnostic | undefined {
	const place = filePlace(finding.place);
	if (place === undefined) return undefined;
	const diagnostic = new Diagnostic(place.range, finding.message, severities[finding.severity]);
	diagnostic.source = diagnosticSource;
	diagnostic.code = { value: finding.ruleId, target: rulePage(extension, finding.ruleId) };
	diagnostic.relatedInformation = finding.related.flatMap(({ place: at, message }) => {
		const location = locationOf(at);
		return location === undefined ? [] : [new DiagnosticRelatedInformation(location, message)];
	});
	return diagnostic;
}

/** What rules have found, in the Problems panel: of transcripts that are open, and of the sessions that the settings ask for. */
export function registerProblems(extension: Uri, sessions: Sessions, transcripts: OpenTranscripts): Disposable {
	const disposables = new DisposableStore();
	const collection = disposables.add(languages.createDiagnosticCollection(diagnosticSource));
	/** Paths that a session has problems in, and those in each. */
	const published = new Map<SessionKey, ReadonlyMap<string, readonly Diagnostic[]>>();

	/** As they were when something was published for them: of a file that is gone nobody can tell any more what it was. */
	const uris = new Map<string, Uri>();

	const publish = (key: SessionKey): void => {
		const findings = findingsOf(sessions, transcripts, key);
		const before = published.get(key);
		if (before === undefined && findings.length === 0) return;
		const now = byPath(extension, findings);
		published.set(key, now);
		for (const path of new Set([...(before?.keys() ?? []), ...now.keys()])) {
			// Copies of a session may share the files of its subagents.
			const uri = uris.get(path) ?? uriOf(path);
			uris.set(path, uri);
			collection.set(
				uri,
				[...published.values()].flatMap((paths) => paths.get(path) ?? []),
			);
		}
		if (now.size === 0) published.delete(key);
	};
	const publishAll = (): void => {
		for (const key of new Set([...published.keys(), ...sessions.list.map((entry) => entry.key)])) publish(key);
	};
	disposables.add(sessions.onDidChange((key) => (key === undefined ? publishAll() : publish(key))));
	disposables.add(transcripts.onDidChange((key) => publish(key)));
	disposables.add(
		workspace.onDidChangeConfiguration((event) => {
			if (event.affectsConfiguration(`${section}.diagnostics`)) publishAll();
		}),
	);
	disposables.add(workspace.onDidChangeWorkspaceFolders(publishAll));
	return { dispose: () => disposables.dispose() };
}

function findingsOf(sessions: Sessions, transcripts: OpenTranscripts, key: SessionKey): readonly Finding[] {
	const entry = sessions.entry(key);
	if (entry === undefined) return [];
	const scope = diagnosticsScope();
	const isWanted =
		transcripts.isOpen(key) ||
		entry.isOpened ||
		scope === 'found' ||
		(scope === 'project' && isOfWorkspace(entry.details?.cwd));
	return isWanted ? (sessions.inView(key)?.diagnostics ?? entry.details?.diagnostics ?? []) : [];
}

function isOfWorkspace(cwd: string | undefined): boolean {
	return cwd !== undefined && workspace.getWorkspaceFolder(Uri.file(cwd)) !== undefined;
}

function byPath(extension: Uri, findings: readonly Finding[]): ReadonlyMap<string, readonly Diagnostic[]> {
	const paths = new Map<string, Diagnostic[]>();
	for (const finding of findings) {
		const diagnostic = toDiagnostic(extension, finding);
		const path = filePlace(finding.place)?.path;
		if (diagnostic === undefined || path === undefined) continue;
		const known = paths.get(path);
		if (known === undefined) paths.set(path, [diagnostic]);
		else known.push(diagnostic);
	}
	return paths;
}
