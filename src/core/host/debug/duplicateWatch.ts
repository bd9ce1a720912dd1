/** A call whose outcome is unknown is remembered so long. */
const memoryMs = 10 * 60_000;
const mostCalls = 1_000;

interface Watched {
	readonly what: string;
	/** `undefined`: it is out. */
	unknownSince: number | undefined;
}

/** Finds a call that is made again while nobody knows what came of it the first time. */
export class DuplicateWatch {
	/** By call, the oldest first. */
	private readonly calls = new Map<string, Watched>();

	/**
	 * A call is about to be made.
	 * @param call Its key.
	 * @param target Whose call of which tool.
	 * @param argumentsText JSON.
	 * @param now In milliseconds of any clock that does not go back.
	 * @returns Whether it is the same as one that is out, or whose outcome is unknown.
	 */
	begins(call: string, target: string, argumentsText: string, now: number): boolean {
		const what = `${target} ${canonical(argumentsText)}`;
		let isDuplicate = false;
		for (const [key, watched] of this.calls) {
			if (watched.unknownSince !== undefined && now - watched.unknownSince > memoryMs) this.calls.delete(key);
			else if (key !== call && watched.what === what) isDuplicate = true;
		}
		const [oldest] = this.calls.keys();
		if (this.calls.size >= mostCalls && oldest !== undefined) this.calls.delete(oldest);
		this.calls.set(call, { what, unknownSince: undefined });
		return isDuplicate;
	}

	ended(call: string, isUnknown: boolean, now: number): void {
		const watched = this.calls.get(call);
		if (watched === undefined) return;
		if (isUnknown) watched.unknownSince = now;
		else this.calls.delete(call);
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
