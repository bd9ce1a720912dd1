import type { Disposable } from './lifecycle.ts';

export type Event<T> = (listener: (value: T) => void) => Disposable;

/**
 * Tells listeners that something has happened, after the state is true.
 * A listener that throws does not stop the others; `onError` is told, so that a bug is not swallowed.
 */
export class Emitter<T> implements Disposable {
	private readonly listeners = new Set<(value: T) => void>();
	private readonly onError: (error: unknown) => void;

	constructor(onError: (error: unknown) => void) {
		this.onError = onError;
	}

	readonly event: Event<T> = (listener) => {
		// Wrapped, so that the same function registered twice is two registrations.
		const registered = (value: T) => listener(value);
		this.listeners.add(registered);
		return { dispose: () => void this.listeners.delete(registered) };
	};

	fire(value: T): void {
		for (const listener of [...this.listeners]) {
			try {
				listener(value);
			} catch (error) {
				this.onError(error);
			}
		}
	}

	dispose(): void {
		this.listeners.clear();
	}
}
