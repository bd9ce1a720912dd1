import type { Severity } from '../rules/rule.ts';

/** What `lint` has found: the shape that scripts read as JSON. Fields may be added to it, none changes or goes. */
export interface LintResult {
	readonly version: 1;
	readonly files: readonly LintedFile[];
	readonly sessions: readonly LintedSession[];
	readonly diagnostics: readonly ReportedDiagnostic[];
	readonly inconclusive: readonly ReportedInconclusive[];
	readonly summary: LintSummary;
}

export interface LintedFile {
	readonly path: string;
	/** `unknown`: the path was named, and no transcript could be read there. */
	readonly format: string;
	readonly lines: number;
	readonly bytes: number;
	readonly problems: readonly FileProblem[];
}

export interface FileProblem {
	/** 1-based; 1 where the whole file is meant. */
	readonly line: number;
	readonly kind:
		| 'invalid-line'
		| 'truncated-line'
		| 'spliced-line'
		| 'nul-bytes'
		| 'unsupported-version'
		| 'unreadable';
	readonly message: string;
}

export interface LintedSession {
	readonly id: string;
	readonly format: string;
	readonly live: boolean;
	readonly agents: readonly LintedAgent[];
}

export interface LintedAgent {
	readonly id: string;
	/** `null`: the main agent, or one whose parent is not known. */
	readonly parentId: string | null;
	readonly name: string;
	/** `null`: it is only spoken of. */
	readonly path: string | null;
	readonly spawnToolUseId: string | null;
	readonly toolCalls: number;
	readonly completed: number;
	readonly failed: number;
	readonly pending: number;
	/** Unanswered for ever. */
	readonly orphaned: number;
	/** Of those: nobody misses the answer, which is no fault. */
	readonly abandoned: number;
}

/** Lines and columns are 1-based, columns in UTF-16 units, the end exclusive. */
export interface ReportedDiagnostic {
	readonly ruleId: string;
	readonly severity: Severity;
	readonly message: string;
	readonly path: string;
	readonly line: number;
	readonly column: number;
	readonly endLine: number;
	readonly endColumn: number;
	readonly sessionId: string;
	readonly agentId?: string | undefined;
	readonly toolUseId?: string | undefined;
	readonly toolName?: string | undefined;
	readonly cause?: string | undefined;
	readonly related: readonly RelatedPlace[];
}

export interface RelatedPlace {
	readonly path: string;
	readonly line: number;
	readonly column: number;
	readonly message: string;
}

export interface ReportedInconclusive {
	readonly ruleId: string;
	readonly path: string;
	readonly line: number;
	readonly message: string;
}

export interface LintSummary {
	readonly files: number;
	readonly lines: number;
	readonly bytes: number;
	readonly agents: number;
	readonly toolCalls: number;
	/** Calls that have a result, and results that have no call. */
	readonly toolResults: number;
	readonly pending: number;
	readonly orphaned: number;
	readonly abandoned: number;
	readonly byRule: Readonly<Record<string, number>>;
	readonly durationMs: number;
}

/** What one session adds to the result. */
export interface SessionFindings {
	readonly files: readonly LintedFile[];
	readonly session: LintedSession;
	readonly diagnostics: readonly ReportedDiagnostic[];
	readonly inconclusive: readonly ReportedInconclusive[];
	/** Results that answer no call of the session. */
	readonly strayResults: number;
}

/** From which severity on a diagnostic makes the command fail. */
export type FailOn = Severity | 'never';

/**
 * Puts together what the sessions have given, in an order that depends on paths and places alone.
 * @param unread Files and folders that were named and could not be read.
 */
export function createLintResult(
	sessions: readonly SessionFindings[],
	unread: readonly LintedFile[],
	durationMs: number,
): LintResult {
	const files = [...sessions.flatMap((session) => session.files), ...unread].sort(by((file) => [file.path]));
	const diagnostics = sessions
		.flatMap((session) => session.diagnostics)
		.sort(
			by(({ path, line, column, ruleId, toolUseId, message }) => [
				path,
				line,
				column,
				ruleId,
				toolUseId ?? '',
				message,
			]),
		);
	const agents = sessions.flatMap(({ session }) => session.agents);
	const strayResults = sum(sessions, (session) => session.strayResults);
	return {
		version: 1,
		files,
		sessions: [...sessions]
			.sort(by(({ session, files: [first] }) => [first?.path ?? '', session.id]))
			.map(({ session }) => session),
		diagnostics,
		inconclusive: sessions
			.flatMap((session) => session.inconclusive)
			.sort(by(({ path, line, ruleId, message }) => [path, line, ruleId, message])),
		summary: {
			files: files.length,
			lines: sum(files, (file) => file.lines),
			bytes: sum(files, (file) => file.bytes),
			agents: agents.length,
			toolCalls: sum(agents, (agent) => agent.toolCalls),
			toolResults: sum(agents, (agent) => agent.completed + agent.failed) + strayResults,
			pending: sum(agents, (agent) => agent.pending),
			orphaned: sum(agents, (agent) => agent.orphaned),
			abandoned: sum(agents, (agent) => agent.abandoned),
			byRule: countByRule(diagnostics),
			durationMs,
		},
	};
}

/** Whether a diagnostic of this severity makes the command fail. */
export function isFailure(severity: Severity, failOn: FailOn): boolean {
	return failOn !== 'never' && rank[severity] >= rank[failOn];
}

const rank: Readonly<Record<Severity, number>> = { note: 1, warning: 2, error: 3 };

function countByRule(diagnostics: readonly ReportedDiagnostic[]): Record<string, number> {
	const counts: Record<string, number> = {};
	for (const ruleId of diagnostics.map((diagnostic) => diagnostic.ruleId).sort())
		counts[ruleId] = (counts[ruleId] ?? 0) + 1;
	return counts;
}

function sum<T>(items: readonly T[], count: (item: T) => number): number {
	return items.reduce((total, item) => total + count(item), 0);
}

/** Compares by several keys. Texts go by their code units: the order must not depend on a locale. */
function by<T>(keysOf: (item: T) => readonly (string | number)[]): (one: T, other: T) => number {
	return (one, other) => {
		const others = keysOf(other);
		for (const [index, key] of keysOf(one).entries()) {
			const otherKey = others[index] ?? key;
			if (key !== otherKey) return key < otherKey ? -1 : 1;
		}
		return 0;
	};
}
