import type { Disposable } from './lifecycle.ts';

/** Subscribes to something that happens; `vscode.Event` has this shape too. */
export type Event<T> = (listener: (value: T) => void) => Disposable;

/** The side of an event that fires it. A listener that throws does not stop the others: what it threw goes to `onError`. */
export class Emitter<T> implements Disposable {
	private readonly listeners = new Set<{ readonly call: (value: T) => void }>();
	private readonly onError: (error: unknown) => void;

	constructor(onError: (error: unknown) => void) {
		this.onError = onError;
	}

	readonly event: Event<T> = (listener) => {
		const entry = { call: listener };
		this.listeners.add(entry);
		return { dispose: () => void this.listeners.delete(entry) };
	};

	fire(value: T): void {
		for (const listener of this.listeners) {
			try {
				listener.call(value);
			} catch (error) {
				this.onError(error);
			}
		}
	}

	dispose(): void {
		this.listeners.clear();
	}
}
