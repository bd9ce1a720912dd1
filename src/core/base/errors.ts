/** A failure that a person caused or can mend. Its message is a finished sentence; shells print it and nothing else. */
export class ExpectedError extends Error {
	override readonly name: string = 'ExpectedError';
}

/** A stored event or transcript is newer than this build understands. Worded neutrally: the shell adds its own advice. */
export class UnsupportedVersionError extends ExpectedError {
	override readonly name = 'UnsupportedVersionError';
	readonly found: number;
	readonly newestKnown: number;

	constructor(found: number, newestKnown: number) {
		super(`The format version is ${found}; the newest known version is ${newestKnown}.`);
		this.found = found;
		this.newestKnown = newestKnown;
	}
}

/** Makes a switch over a union exhaustive: a new member fails to compile, and an impossible value is a bug. */
export function assertNever(value: never): never {
	throw new Error(`Unexpected value: ${JSON.stringify(value)}`);
}
