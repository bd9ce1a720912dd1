/** As the rule `duplicate-execution`: a retry follows soon; later the same call is rather a new intention. */
const memoryMs = 10 * 60_000;
const mostCalls = 1_000;
/** A key that says by itself which calls are one: the server can tell. */
const idempotencyKey = /(?:idempotency|dedup\w*|client_?token|request_?id|nonce|transaction_?id)/i;

interface Watched {
	/** The agent and the server. */
	readonly whose: string;
	/** The tool and the arguments. */
	readonly what: string;
	/** `undefined`: it is out. */
	unknownSince: number | undefined;
}

/** Finds a call that is made again while nobody knows what came of it the first time. */
export class DuplicateWatch {
	/** By call, the oldest first. */
	private readonly calls = new Map<string, Watched>();

	/**
	 * A call of a tool that does something new each time is about to be made.
	 * @param call Its key.
	 * @param whose The agent and the server, as in `looked`.
	 * @param now In milliseconds of any clock that does not go back.
	 * @returns Whether it is the same as one that may or may not have been carried out.
	 */
	begins(call: string, whose: string, tool: string, argumentsText: string, now: number): boolean {
		if (idempotencyKey.test(argumentsText)) return false;
		const what = `${tool} ${canonical(argumentsText)}`;
		let isDuplicate = false;
		for (const [key, watched] of this.calls) {
			if (watched.unknownSince === undefined) continue;
			if (now - watched.unknownSince > memoryMs) this.calls.delete(key);
			else if (key !== call && watched.whose === whose && watched.what === what) isDuplicate = true;
		}
		const [oldest] = this.calls.keys();
		if (this.calls.size >= mostCalls && oldest !== undefined) this.calls.delete(oldest);
		this.calls.set(call, { whose, what, unknownSince: undefined });
		return isDuplicate;
	}

	ended(call: string, isUnknown: boolean, now: number): void {
		const watched = this.calls.get(call);
		if (watched === undefined) return;
		if (isUnknown) watched.unknownSince = now;
		else this.calls.delete(call);
	}

	/** The agent has had an answer of a tool that only reads: what it does from now on it does knowingly. */
	looked(whose: string): void {
		for (const [key, watched] of this.calls)
			if (watched.whose === whose && watched.unknownSince !== undefined) this.calls.delete(key);
	}
}

/** The same text for the same arguments, however their keys are ordered. */
function canonical(json: string): string {
	try {
		return JSON.stringify(JSON.parse(json), (_key, value: unknown) =>
			typeof value === 'object' && value !== null && !Array.isArray(value)
				? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
				: value,
		);
	} catch {
		// What is no JSON, or nested beyond all measure, is the same only as itself.
		return json;
	}
}
