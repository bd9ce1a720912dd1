import type { Disposable } from '../base/lifecycle.ts';
import type { SqlDatabase } from './sqlDatabase.ts';

/** What the session store asks of the world. */
export interface StorePlatform {
	readonly database: SqlDatabase;
	readonly clock: StoreClock;
	readonly digest: Digest;
	/** An id that has not been given before, of letters and digits. */
	readonly randomId: () => string;
	/** A listener of an event of the store threw. */
	readonly onError: (error: unknown) => void;
}

export interface StoreClock {
	/** Epoch milliseconds. Only shown and kept; nothing that must hold rests on it. */
	now(): number;
	/** Milliseconds from any fixed point, never going back: for durations. */
	elapsed(): number;
	/** Calls back once, after so many milliseconds, unless disposed before. */
	after(milliseconds: number, callback: () => void): Disposable;
}

export interface Digest {
	/** SHA-256 of the text's UTF-8, as 64 hexadecimal digits. */
	sha256(text: string): string;
	/** The same of two texts, one behind the other: without putting them together, where the second is long. */
	sha256Of(head: string, text: string): string;
}
