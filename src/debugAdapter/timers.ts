import type { Disposable } from '../core/base/lifecycle.ts';

/** What is to be done in a while, as long as its owner is there. Nothing is kept of what has been done. */
export class Timers implements Disposable {
	private readonly waiting = new Set<NodeJS.Timeout>();
	private isDisposed = false;

	/** How much is still to be done. */
	get size(): number {
		return this.waiting.size;
	}

	after(milliseconds: number, act: () => void): void {
		if (this.isDisposed) return;
		const timer = setTimeout(() => {
			this.waiting.delete(timer);
			act();
		}, milliseconds);
		this.waiting.add(timer);
	}

	dispose(): void {
		this.isDisposed = true;
		for (const timer of this.waiting) clearTimeout(timer);
		this.waiting.clear();
	}
}
