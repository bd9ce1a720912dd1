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

export function delay(milliseconds: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
