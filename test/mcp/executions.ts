import { existsSync, readFileSync } from 'node:fs';
import { completeJsonLines } from '../jsonLines.ts';

/** One line of the fault server's log. */
export interface Noted {
	readonly at: number;
	readonly pid: number;
	readonly event:
		| 'boot'
		| 'exit'
		| 'stdin-end'
		| 'initialize'
		| 'ping'
		| 'list'
		| 'level'
		| 'notification'
		| 'start'
		| 'end'
		| 'cancelled'
		| 'cancelled-unknown'
		| 'failed'
		| 'stream-closed';
	readonly tool?: string;
	readonly key?: string;
}

/** What a fault server has executed, by its own account. */
export class Executions {
	readonly path: string;

	constructor(path: string) {
		this.path = path;
	}

	all(): readonly Noted[] {
		if (!existsSync(this.path)) return [];
		return completeJsonLines(readFileSync(this.path, 'utf8')) as Noted[]; // written by the fault server
	}

	of(event: Noted['event'], key?: string): readonly Noted[] {
		return this.all().filter((noted) => noted.event === event && (key === undefined || noted.key === key));
	}

	/** How often each key was begun. */
	counts(): ReadonlyMap<string, number> {
		const counts = new Map<string, number>();
		for (const { key } of this.of('start')) {
			if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1);
		}
		return counts;
	}

	get pids(): readonly number[] {
		return this.of('boot').map(({ pid }) => pid);
	}
}
