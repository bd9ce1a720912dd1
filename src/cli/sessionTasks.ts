import type { Assume, Core } from '../core/core.ts';
import type { Platform } from '../core/platform.ts';
import type { SessionFindings } from '../core/report/index.ts';
import type { RuleSettings } from '../core/rules/linter.ts';
import type { ScopeSettings } from '../core/scope/index.ts';
import type { SessionFiles } from '../core/transcripts/sessionFiles.ts';
import { findingsOf } from './findings.ts';
import { summaryOf } from './summary.ts';
import type { SessionSummary } from './summary.ts';

/** Work on one whole session. A task and its result are plain data: they cross threads. */
export type SessionTask = LintTask | SummaryTask;

export interface LintTask {
	readonly kind: 'lint';
	readonly session: SessionFiles;
	readonly assume: Assume;
	readonly rules: RuleSettings;
	readonly scope: ScopeSettings;
	/** The files that were asked for; `undefined`: all of the session. */
	readonly only: readonly string[] | undefined;
}

export interface SummaryTask {
	readonly kind: 'summary';
	readonly session: SessionFiles;
	readonly assume: Assume;
}

export type TaskResult<Task extends SessionTask> = Task extends LintTask ? SessionFindings : SummaryResult;

export interface SummaryResult {
	readonly summary: SessionSummary;
	/** What of the session could not be read, or not whole. */
	readonly unread: readonly { readonly path: string; readonly message: string }[];
}

export interface TaskOptions {
	readonly onProgress: (bytes: number) => void;
	readonly signal?: AbortSignal | undefined;
}

export async function runTask(
	core: Core,
	platform: Platform,
	task: SessionTask,
	options: TaskOptions,
): Promise<SessionFindings | SummaryResult> {
	const { rules, scope } = task.kind === 'lint' ? task : { rules: {}, scope: {} };
	const read = await core.readSession(task.session, {
		assume: task.assume,
		rules,
		scope,
		withPreviews: false,
		...options,
	});
	if (task.kind === 'lint') return findingsOf(read, platform.files, task.only);
	return {
		summary: summaryOf(task.session, read.conversation),
		unread: read.readings.flatMap(({ path, problem }) =>
			problem === undefined ? [] : [{ path, message: problem }],
		),
	};
}
