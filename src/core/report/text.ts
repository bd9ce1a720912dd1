import { counted, singleLine } from '../base/text.ts';
import type { Severity } from '../rules/rule.ts';
import type { LintResult, ReportedDiagnostic } from './lintResult.ts';
import { pathFrom, printable } from './paths.ts';
import type { ReportBase } from './paths.ts';

export interface TextOptions {
	readonly base: ReportBase;
	readonly hasColours: boolean;
}

/**
 * One line a finding, as compilers write it and problem matchers read it. What is inconclusive is no severity, so that no matcher
 * takes it for a finding.
 */
export function formatText(result: LintResult, { base, hasColours }: TextOptions): string {
	const paint = hasColours ? painted : (_: string, text: string) => text;
	const place = (path: string, line: number, column: number) =>
		paint('1', `${printable(pathFrom(base, path))}:${line}:${column}:`);
	const lines: string[] = [];
	for (const diagnostic of result.diagnostics) {
		const { path, line, column, severity, message, ruleId, related } = diagnostic;
		lines.push(
			`${place(path, line, column)} ${paint(colours[severity], `${severity}:`)} ${said(message)} ${paint('2', `[${ruleId}]`)}`,
		);
		for (const other of related)
			lines.push(
				`${place(other.path, other.line, other.column)} ${paint(colours.note, 'note:')} ${said(other.message)}`,
			);
	}
	for (const { path, line, message, ruleId } of result.inconclusive) {
		lines.push(
			`${place(path, line, 1)} ${paint('2', 'inconclusive:')} ${said(message)} ${paint('2', `[${ruleId}]`)}`,
		);
	}
	if (lines.length > 0) lines.push('');
	lines.push(verdict(result), contents(result));
	return `${lines.join('\n')}\n`;
}

const colours: Readonly<Record<Severity, string>> = { error: '31', warning: '33', note: '36' };

function painted(code: string, text: string): string {
	return `\u001b[${code}m${text}\u001b[0m`;
}

function said(message: string): string {
	return printable(singleLine(message));
}

function verdict({ diagnostics, inconclusive }: LintResult): string {
	const bySeverity = (severity: Severity) =>
		diagnostics.filter((diagnostic: ReportedDiagnostic) => diagnostic.severity === severity).length;
	const found = [
		counts(bySeverity('error'), 'error'),
		counts(bySeverity('warning'), 'warning'),
		counts(bySeverity('note'), 'note'),
	].flat();
	const open = inconclusive.length === 0 ? '' : ` ${inconclusive.length} inconclusive.`;
	return `${found.length === 0 ? 'Nothing found.' : `${found.join(', ')}.`}${open}`;
}

function contents({ sessions, summary }: LintResult): string {
	const agents = sessions.flatMap((session) => session.agents);
	const calls = [
		...some(
			agents.reduce((total, agent) => total + agent.completed, 0),
			'completed',
		),
		...some(
			agents.reduce((total, agent) => total + agent.failed, 0),
			'failed',
		),
		...some(summary.pending, 'pending'),
		...some(summary.orphaned - summary.abandoned, 'orphaned'),
		...some(summary.abandoned, 'abandoned'),
	];
	const states = calls.length === 0 ? '' : ` (${calls.join(', ')})`;
	return `${counted(sessions.length, 'session')}, ${counted(summary.agents, 'agent')}, ${counted(summary.toolCalls, 'tool call')}${states} in ${counted(summary.files, 'file')}, ${counted(summary.lines, 'line')}.`;
}

function counts(count: number, noun: string): string[] {
	return count === 0 ? [] : [counted(count, noun)];
}

function some(count: number, word: string): string[] {
	return count === 0 ? [] : [`${count} ${word}`];
}
