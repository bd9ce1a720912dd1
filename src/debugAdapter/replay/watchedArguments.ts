// Data breakpoints of a replay: an argument that is another one than the last time the tool was called.

import { serverOf } from '../../core/conversation/index.ts';
import type { ToolCall } from '../../core/conversation/index.ts';
import type { Replay } from '../../core/conversation/replay.ts';
import { valueAt } from '../assignments.ts';
import type { WatchedValue } from '../debugTarget.ts';
import { accessTo, shown } from '../valueTree.ts';
import type { Keys } from '../valueTree.ts';
import type { ReplayBodies } from './replayBodies.ts';

interface WatchedArgument {
	readonly server: string | null;
	readonly tool: string;
	readonly keys: Keys;
}

const prefix = 'argument ';

export function argumentWatched(call: ToolCall, keys: Keys): WatchedValue {
	const watched: WatchedArgument = { server: serverOf(call) ?? null, tool: call.name, keys };
	return { dataId: prefix + JSON.stringify(watched), description: descriptionOf(watched) };
}

/** `arguments.page of analytics/query`. */
function descriptionOf({ server, tool, keys }: WatchedArgument): string {
	return `arguments${keys.map(accessTo).join('')} of ${server === null ? tool : `${server}/${tool}`}`;
}

/** Finds where a watched argument changes. */
export class ArgumentWatch {
	readonly description: string;
	private readonly watched: WatchedArgument;
	private readonly replay: Replay;
	private readonly bodies: ReplayBodies;
	/** Of the tool's calls, ascending; made when somebody looks. */
	private indexes: readonly number[] | undefined;

	constructor(watched: WatchedArgument, replay: Replay, bodies: ReplayBodies) {
		this.watched = watched;
		this.replay = replay;
		this.bodies = bodies;
		this.description = descriptionOf(watched);
	}

	/** Whether the step is a call of the tool, and not its first. */
	mayChangeAt(index: number): boolean {
		const step = this.replay.steps[index];
		return step?.kind === 'call' && this.isOfTool(step.call) && index !== this.calls()[0];
	}

	/** `2 → 3`; `undefined`: it is as it was. */
	async changeAt(index: number): Promise<string | undefined> {
		const calls = this.calls();
		const before = calls[calls.indexOf(index) - 1];
		if (before === undefined) return undefined;
		const [was, is] = [await this.valueOf(before), await this.valueOf(index)];
		return JSON.stringify(was) === JSON.stringify(is) ? undefined : `${shown(was)} → ${shown(is)}`;
	}

	private calls(): readonly number[] {
		this.indexes ??= this.replay.steps.flatMap((step) =>
			step.kind === 'call' && this.isOfTool(step.call) ? [step.index] : [],
		);
		return this.indexes;
	}

	private isOfTool(call: ToolCall): boolean {
		return call.name === this.watched.tool && (serverOf(call) ?? null) === this.watched.server;
	}

	private async valueOf(index: number): Promise<unknown> {
		const step = this.replay.steps[index];
		return step?.kind === 'call' ? valueAt(await this.bodies.argumentsOf(step.call), this.watched.keys) : undefined;
	}
}

/** @returns `undefined`: the text is no data breakpoint of a replay. */
export function argumentWatch(dataId: string, replay: Replay, bodies: ReplayBodies): ArgumentWatch | undefined {
	if (!dataId.startsWith(prefix)) return undefined;
	try {
		// What another version has written may be anything.
		const value = JSON.parse(dataId.slice(prefix.length)) as Partial<WatchedArgument> | null;
		if (value === null || typeof value.tool !== 'string' || !Array.isArray(value.keys)) return undefined;
		const { server = null, tool, keys } = value;
		return new ArgumentWatch({ server, tool, keys }, replay, bodies);
	} catch {
		return undefined;
	}
}
