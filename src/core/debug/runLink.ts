import type { SessionId } from '../base/ids.ts';

/**
 * What `crosstalk run` and the debugger that has started it say to each other, over a local socket that the debugger listens at
 * (`--debugger`): JSON, one message a line. A run whose debugger is gone goes on as one without.
 */
export type RunMessage =
	/** First. The agent is started when the debugger has said `go`, or is gone. */
	| {
			readonly type: 'begin';
			readonly dataDirectory: string;
			/** Of the run itself. */
			readonly pid: number;
			/** `null`: the agent names its session only when it begins. */
			readonly sessionId: SessionId | null;
			/** What comes to the host of this run says that it does. */
			readonly source: string;
	  }
	/** The last. */
	| { readonly type: 'ended'; readonly exitCode: number }
	/** A sentence: why the agent was not started. The last, too. */
	| { readonly type: 'failed'; readonly message: string };

export type RunOrder =
	| { readonly type: 'go' }
	/** Ends the agent, as a person would who closes its terminal. */
	| { readonly type: 'terminate' };

/** A message by itself, without the end of its line; `undefined`: nothing that the two say to each other. */
export function parseRunLine<Message extends RunMessage | RunOrder>(
	line: string,
	types: readonly Message['type'][],
): Message | undefined {
	try {
		const value: unknown = JSON.parse(line);
		const isKnown =
			typeof value === 'object' && value !== null && 'type' in value && types.some((type) => type === value.type);
		// Both sides are of the same build: the debugger starts the run with its own program.
		return isKnown ? (value as Message) : undefined;
	} catch {
		// Somebody else has found the socket; that nothing was understood is the answer.
		return undefined;
	}
}

/** Cuts what arrives into lines. */
export function linesOf(onLine: (line: string) => void): (text: string) => void {
	let rest = '';
	return (text) => {
		const lines = (rest + text).split('\n');
		rest = lines.pop() ?? '';
		for (const line of lines) onLine(line);
	};
}
