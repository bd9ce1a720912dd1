import type { SessionObject } from './sessionObject.ts';

/** What the worker is bound to: see wrangler.jsonc. */
export interface Environment {
	/** One object for each session, by the hash of its id. */
	readonly SESSIONS: DurableObjectNamespace<SessionObject>;
	/** Which sessions there are, and nothing else. */
	readonly INDEX: KVNamespace;
	/** A secret. Without one nobody is let in. */
	readonly TOKEN?: string;
	/** A part of `StoreLimits`, where it is to differ. */
	readonly LIMITS?: unknown;
}
