// What hooks tell of a session and its agents beside their calls. Only the latest of each kind counts, so that order does not matter.

import type { HookEvent } from '../events/sessionEvent.ts';
import type { AgentReport, SessionReport } from './model.ts';

/** What an agent's hooks tell of the agent itself. */
export class AgentReportState implements AgentReport {
	startedAt: number | undefined;
	stopped: AgentReport['stopped'];
	transcriptPath: string | undefined;
	compaction: { readonly beganAt: number; readonly trigger: string | undefined } | undefined;
	compactedAt: number | undefined;
	notification: AgentReport['notification'];
	/** Of any event but a notification. */
	lastAt: number | undefined;

	take(event: HookEvent): void {
		const { words, trigger } = event;
		const at = event.at ?? -Infinity;
		if (event.event !== 'Notification') this.lastAt = later(this.lastAt, at);
		switch (event.event) {
			case 'SubagentStart':
				this.startedAt = earlier(this.startedAt, at);
				break;
			case 'SubagentStop':
			case 'Stop':
			case 'StopFailure':
				if (at >= (this.stopped?.at ?? -Infinity))
					this.stopped = { at, isFailure: event.event === 'StopFailure', lastMessage: words };
				break;
			case 'PreCompact':
				if (at >= (this.compaction?.beganAt ?? -Infinity)) this.compaction = { beganAt: at, trigger };
				break;
			case 'PostCompact':
				this.compactedAt = later(this.compactedAt, at);
				break;
			case 'Notification':
				if (at >= (this.notification?.at ?? -Infinity)) this.notification = { at, words: words ?? '' };
				break;
			default:
			// Calls are told of elsewhere; the rest is somebody else's.
		}
		this.transcriptPath ??= event.agentTranscriptPath;
	}

	get compactingSince(): number | undefined {
		const { compaction, compactedAt } = this;
		if (compaction === undefined) return undefined;
		// Whatever the agent does next shows that it is over, should its hook not come.
		const overAt = Math.max(compactedAt ?? -Infinity, this.lastAt ?? -Infinity);
		return overAt > compaction.beganAt || compactedAt === compaction.beganAt ? undefined : compaction.beganAt;
	}

	get hasStopped(): boolean {
		return this.stopped !== undefined && this.stopped.at >= (this.lastAt ?? -Infinity);
	}
}

/** What hooks tell of the session. */
export class SessionReportState implements SessionReport {
	startedAt: number | undefined;
	ended: { readonly at: number; readonly reason: string | undefined } | undefined;
	lastAt: number | undefined;
	transcriptPath: string | undefined;
	cwd: string | undefined;
	private cwdAt = -Infinity;
	prompt: string | undefined;
	private promptAt = Infinity;

	take(event: HookEvent): void {
		const at = event.at ?? -Infinity;
		if (event.event === 'SessionEnd') {
			if (at >= (this.ended?.at ?? -Infinity)) this.ended = { at, reason: event.trigger };
		} else this.lastAt = later(this.lastAt, at);
		if (event.event === 'SessionStart') this.startedAt = later(this.startedAt, at);
		if (event.event === 'UserPromptSubmit' && event.words !== undefined && at < this.promptAt) {
			this.promptAt = at;
			this.prompt = event.words;
		}
		this.transcriptPath ??= event.transcriptPath;
		if (event.cwd !== undefined && at > this.cwdAt) {
			this.cwdAt = at;
			this.cwd = event.cwd;
		}
	}

	get isEnded(): boolean {
		return this.ended !== undefined && this.ended.at >= (this.lastAt ?? -Infinity);
	}
}

function later(known: number | undefined, at: number): number {
	return known === undefined ? at : Math.max(known, at);
}

function earlier(known: number | undefined, at: number): number {
	return known === undefined ? at : Math.min(known, at);
}
