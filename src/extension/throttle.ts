import type { Disposable } from '../core/base/lifecycle.ts';

/** Calls at once, and then at most once in `intervalMs`, with one last call for what came in between. */
export class Throttle implements Disposable {
	private readonly call: () => void;
	private readonly intervalMs: number;
	private timer: NodeJS.Timeout | undefined;
	private isWanted = false;

	constructor(intervalMs: number, call: () => void) {
		this.call = call;
		this.intervalMs = intervalMs;
	}

	request(): void {
		if (this.timer !== undefined) {
			this.isWanted = true;
			return;
		}
		this.isWanted = false;
		this.timer = setTimeout(() => {
			this.timer = undefined;
			if (this.isWanted) this.request();
		}, this.intervalMs);
		this.call();
	}

	dispose(): void {
		clearTimeout(this.timer);
		this.timer = undefined;
	}
}

/**
 * How often a tree view is told that its rows are others. VS Code hands on the first of several such events at once, and begins to wait anew
 * with every further one that comes within 200 ms: told faster, it would show nothing until all is quiet.
 */
export const viewEveryMs = 220;

export function delay(milliseconds: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
