// What the shells may use: the result, and the ways to write it down.
export { formatGithub } from './github.ts';
export { formatJson, printableJson } from './json.ts';
export { formatJunit } from './junit.ts';
export { createLintResult, isFailure } from './lintResult.ts';
export type {
	FailOn,
	FileProblem,
	LintResult,
	LintedFile,
	LintedSession,
	ReportedDiagnostic,
	SessionFindings,
} from './lintResult.ts';
export { pathFrom, printable, printableLines } from './paths.ts';
export { formatSarif } from './sarif.ts';
export { formatText } from './text.ts';
