import type { AgentOutcome } from '../events/sessionEvent.ts';

export interface TaskNotification {
	/** Agents or background commands; one notification may name several. */
	readonly taskIds: readonly string[];
	readonly toolUseId: string | undefined;
	readonly outcome: AgentOutcome;
}

/**
 * Reads the `<task-notification>` that Claude Code puts into the conversation when a background task ends (since 2.1.x).
 * `stopped` is written on resume for agents that the previous process left unfinished.
 */
export function parseTaskNotification(text: string): TaskNotification | undefined {
	if (!text.includes('<task-notification>')) return undefined;
	// What the task said comes last and may itself quote tags.
	const head = text.split('<result>', 1)[0] ?? text;
	const taskIds = [...head.matchAll(/<task-id>([^<]+)<\/task-id>/g)].map((match) => (match[1] ?? '').trim());
	const status = /<status>([^<]+)<\/status>/.exec(head)?.[1]?.trim();
	if (taskIds.length === 0 || status === undefined) return undefined;
	return {
		taskIds,
		toolUseId: /<tool-use-id>([^<]+)<\/tool-use-id>/.exec(head)?.[1]?.trim(),
		outcome: outcomeOf(status),
	};
}

function outcomeOf(status: string): AgentOutcome {
	switch (status) {
		case 'completed':
			return 'completed';
		case 'failed':
			return 'failed';
		case 'killed':
		case 'stopped':
			return 'killed';
		default:
			return 'ended';
	}
}
