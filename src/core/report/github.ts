import type { Severity } from '../rules/rule.ts';
import type { LintResult } from './lintResult.ts';
import { pathFrom } from './paths.ts';
import type { ReportBase } from './paths.ts';

/** Workflow commands, which GitHub shows as annotations on the lines of a pull request. */
export function formatGithub(result: LintResult, base: ReportBase): string {
	const lines: string[] = [];
	// Paths are those of the repository, with slashes.
	const fileOf = (path: string) => pathFrom(base, path).replaceAll(base.separator, '/');
	for (const { path, line, column, endLine, endColumn, severity, message, ruleId, related } of result.diagnostics) {
		const told = [
			message,
			...related.map((other) => `${fileOf(other.path)}:${other.line}:${other.column}: ${other.message}`),
		].join('\n');
		lines.push(
			command(
				commands[severity],
				{ file: fileOf(path), line, endLine, col: column, endColumn, title: ruleId },
				told,
			),
		);
	}
	for (const { path, problems } of result.files) {
		for (const { line, kind, message } of problems) {
			// Damaged lines have a rule of their own.
			if (kind === 'unreadable' || kind === 'unsupported-version')
				lines.push(command('warning', { file: fileOf(path), line, title: kind }, message));
		}
	}
	return lines.map((line) => `${line}\n`).join('');
}

const commands: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', note: 'notice' };

function command(name: string, properties: Readonly<Record<string, string | number>>, message: string): string {
	const written = Object.entries(properties).map(([key, value]) => `${key}=${escapedProperty(String(value))}`);
	return `::${name} ${written.join(',')}::${escapedData(message)}`;
}

function escapedData(text: string): string {
	return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapedProperty(text: string): string {
	return escapedData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
