import type { FailOn, LintResult, LintedFile, ReportedDiagnostic, ReportedInconclusive } from './lintResult.ts';
import { isFailure } from './lintResult.ts';
import { pathFrom, wellFormed } from './paths.ts';
import type { ReportBase } from './paths.ts';

export interface JunitOptions {
	readonly base: ReportBase;
	readonly failOn: FailOn;
}

/**
 * One suite a file, one case a finding; a clean file is one case that passes. What does not make the command fail does not fail here
 * either: it is told as the output of a case that passes.
 */
export function formatJunit(result: LintResult, options: JunitOptions): string {
	const diagnostics = groupedByPath(result.diagnostics);
	const inconclusive = groupedByPath(result.inconclusive);
	const suites = result.files.map((file) =>
		suite(file, diagnostics.get(file.path) ?? [], inconclusive.get(file.path) ?? [], options),
	);
	const total = (count: (one: Suite) => number) => suites.reduce((sum, one) => sum + count(one), 0);
	return [
		'<?xml version="1.0" encoding="UTF-8"?>',
		`<testsuites name="Crosstalk" tests="${total((one) => one.cases.length)}" failures="${total((one) => one.failures)}" errors="${total((one) => one.errors)}" skipped="${total((one) => one.skipped)}">`,
		...suites.flatMap(({ name, cases, failures, errors, skipped }) => [
			`\t<testsuite name="${escaped(name)}" tests="${cases.length}" failures="${failures}" errors="${errors}" skipped="${skipped}">`,
			...cases,
			'\t</testsuite>',
		]),
		'</testsuites>',
		'',
	].join('\n');
}

interface Suite {
	readonly name: string;
	readonly cases: readonly string[];
	readonly failures: number;
	readonly errors: number;
	readonly skipped: number;
}

function groupedByPath<T extends { readonly path: string }>(items: readonly T[]): ReadonlyMap<string, readonly T[]> {
	const groups = new Map<string, T[]>();
	for (const item of items) {
		const group = groups.get(item.path);
		if (group === undefined) groups.set(item.path, [item]);
		else group.push(item);
	}
	return groups;
}

function suite(
	file: LintedFile,
	diagnostics: readonly ReportedDiagnostic[],
	inconclusive: readonly ReportedInconclusive[],
	options: JunitOptions,
): Suite {
	const name = pathFrom(options.base, file.path);
	// Damaged lines have a rule of their own.
	const problems = file.problems.filter(({ kind }) => kind === 'unreadable' || kind === 'unsupported-version');
	const cases = [
		...problems.map(({ line, kind, message }) =>
			testCase(name, `${kind} at line ${line}`, `<error type="${kind}" message="${escaped(message)}"/>`),
		),
		...diagnostics.map((diagnostic) => diagnosticCase(name, diagnostic, options)),
		...inconclusive.map((entry) => inconclusiveCase(name, entry)),
	];
	return {
		name,
		cases: cases.length === 0 ? [testCase(name, file.format, '')] : cases,
		failures: diagnostics.filter(({ severity }) => isFailure(severity, options.failOn)).length,
		errors: problems.length,
		skipped: inconclusive.length,
	};
}

function diagnosticCase(suiteName: string, diagnostic: ReportedDiagnostic, { base, failOn }: JunitOptions): string {
	const { ruleId, severity, line, column, message, related } = diagnostic;
	const places = [
		`${suiteName}:${line}:${column}: ${severity}: ${message}`,
		...related.map(
			(other) => `${pathFrom(base, other.path)}:${other.line}:${other.column}: note: ${other.message}`,
		),
	].join('\n');
	const body = isFailure(severity, failOn)
		? `<failure type="${severity}" message="${escaped(message)}">${escaped(places)}</failure>`
		: `<system-out>${escaped(places)}</system-out>`;
	return testCase(suiteName, `${ruleId} at ${line}:${column}`, body);
}

function inconclusiveCase(suiteName: string, { ruleId, line, message }: ReportedInconclusive): string {
	return testCase(suiteName, `${ruleId} at line ${line}`, `<skipped message="${escaped(message)}"/>`);
}

function testCase(className: string, name: string, body: string): string {
	const head = `\t\t<testcase classname="${escaped(className)}" name="${escaped(name)}"`;
	return body === '' ? `${head}/>` : `${head}>${body}</testcase>`;
}

function escaped(text: string): string {
	return (
		wellFormed(text)
			// XML 1.0 has no way to write these.
			// eslint-disable-next-line no-control-regex
			.replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
			.replaceAll('&', '&amp;')
			.replaceAll('<', '&lt;')
			.replaceAll('>', '&gt;')
			.replaceAll('"', '&quot;')
	);
}
