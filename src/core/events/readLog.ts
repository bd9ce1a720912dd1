import { ExpectedError } from '../base/errors.ts';
import { asciiOrUtf8, JsonScanner, MemberTable } from '../base/jsonScanner.ts';
import type { Span } from '../base/jsonScanner.ts';
import type { LinePosition } from '../base/lineSplitter.ts';
import { singleLine, truncated } from '../base/text.ts';
import { sessionEventSchema } from './schema.ts';
import type { BodyRef, DamageKind, HookEvent, SessionEvent } from './sessionEvent.ts';
import { liftEvent } from './upgrades.ts';
import type { StoredEvent } from './upgrades.ts';

/** A line of a log that is no event. */
export interface LogProblem {
	/** 1-based. */
	readonly line: number;
	readonly kind: DamageKind;
	/** A sentence without the place. */
	readonly message: string;
	/** It is what follows the last line end: a writer may still be at work, or was stopped in the middle. */
	readonly isAtEnd: boolean;
}

/** Receives what a log says, in its order. */
export interface LogSink {
	event(event: SessionEvent): void;
	problem(problem: LogProblem): void;
}

/**
 * Reads the host's log, one line at a time. The bodies of messages stay where they are: an event says at which place of the file its own
 * one begins.
 */
export class LogReader {
	private readonly sink: LogSink;
	private readonly scanner = new JsonScanner();
	private readonly span: Span = { start: -1, end: -1 };
	private readonly content: Span = { start: -1, end: -1 };

	constructor(sink: LogSink) {
		this.sink = sink;
	}

	/**
	 * `bytes[start, end)` is one line without its line end; what follows the last line end is not terminated.
	 * @throws UnsupportedVersionError when the event is newer than this build: such a log is not for it.
	 */
	readLine(bytes: Uint8Array, start: number, end: number, position: LinePosition, isTerminated: boolean): void {
		if (end > start && bytes[end - 1] === CARRIAGE_RETURN) end--;
		const stored = this.parse(bytes, start, end, position);
		if (stored === undefined) return;
		if (typeof stored === 'string') {
			this.problem(position, isTerminated ? stored : 'truncated-line', sentences[stored], isTerminated);
			return;
		}
		let lifted: StoredEvent;
		try {
			lifted = liftEvent(stored);
		} catch (error) {
			// An event without a version costs its line; one of a newer version says that nothing after it can be trusted either.
			if (!(error instanceof ExpectedError) || error.name !== 'ExpectedError') throw error;
			this.problem(position, 'invalid-line', error.message, isTerminated);
			return;
		}
		const result = sessionEventSchema.safeParse(lifted);
		if (result.success) {
			this.sink.event(result.data);
			return;
		}
		const [issue] = result.error.issues;
		const place = issue === undefined || issue.path.length === 0 ? '' : ` (${issue.path.join('.')})`;
		this.problem(
			position,
			'invalid-line',
			`The line is JSON, but no event that this version knows${place}.`,
			isTerminated,
		);
	}

	/** The event as it is stored, its message as a reference; what is wrong with the line; or nothing when there is nothing in it. */
	private parse(
		bytes: Uint8Array,
		start: number,
		end: number,
		{ offset }: LinePosition,
	): StoredEvent | DamageKind | undefined {
		const { scanner, span } = this;
		scanner.reset(bytes, start, end);
		if (scanner.isAtEnd()) return undefined;
		span.start = -1;
		const isObject = scanner.peek() === OPEN_BRACE && scanner.readObject(members, span);
		if (!isObject) return damageOf(bytes, start, end, scanner.failedAt);
		if (!scanner.isAtEnd()) return damageOf(bytes, start, end, scanner.position);
		if (span.start === -1) return objectOf(asciiOrUtf8(bytes, start, end));
		// The recorder writes the message last, and this way it is never parsed.
		const head = asciiOrUtf8(bytes, start, span.start);
		const isLast = head.endsWith(messageMember) && span.end + 1 === end;
		const stored = objectOf(
			isLast ? `${head.slice(0, -messageMember.length)}}` : `${head}null${asciiOrUtf8(bytes, span.end, end)}`,
		);
		// Other events have a text of that name.
		if (typeof stored !== 'object' || !hasBody(stored)) return objectOf(asciiOrUtf8(bytes, start, end));
		const body: BodyRef = {
			offset: offset + span.start - start,
			length: span.end - span.start,
			preview: preview(bytes, span.start, span.end),
		};
		if (stored['type'] === 'hook') return { ...stored, body, ...this.hookFacts(bytes, offset - start) };
		const content = this.contentOf(bytes, offset - start);
		return content === undefined ? { ...stored, body } : { ...stored, body, content };
	}

	/** What an agent's hook says beside what the recorder has written into its event. */
	private hookFacts(bytes: Uint8Array, shift: number): Partial<HookEvent> {
		const { scanner, span } = this;
		const facts: HookFacts = { input: { ...nowhere }, response: { ...nowhere }, words: undefined, cwd: undefined };
		scanner.reset(bytes, span.start, span.end);
		if (scanner.peek() !== OPEN_BRACE || !scanner.readObject(hookMembers, facts)) return {};
		const bodyAt = ({ start, end }: Span): BodyRef | undefined =>
			start === -1
				? undefined
				: { offset: shift + start, length: end - start, preview: preview(bytes, start, end) };
		const [content, response, { words, cwd }] = [bodyAt(facts.input), bodyAt(facts.response), facts];
		// What is not there is no member: an event is as it was written.
		return {
			...(content === undefined ? {} : { content }),
			...(response === undefined ? {} : { response }),
			...(words === undefined ? {} : { words: truncated(singleLine(words), wordsLength) }),
			...(cwd === undefined ? {} : { cwd }),
		};
	}

	/** The part of the message in `span` that answers a person's question. */
	private contentOf(bytes: Uint8Array, shift: number): BodyRef | undefined {
		const { scanner, span, content } = this;
		scanner.reset(bytes, span.start, span.end);
		content.start = -1;
		if (scanner.peek() !== OPEN_BRACE || !scanner.readObject(messageMembers, content) || content.start === -1)
			return undefined;
		const { start, end } = content;
		return { offset: shift + start, length: end - start, preview: preview(bytes, start, end) };
	}

	private problem(position: LinePosition, kind: DamageKind, message: string, isTerminated: boolean): void {
		this.sink.problem({ line: position.line, kind, message, isAtEnd: !isTerminated });
	}
}

const members = new MemberTable<Span>({ message: (scanner, span) => scanner.passValue(span) });
const paramsMembers = new MemberTable<Span>({ arguments: (scanner, span) => scanner.passValue(span) });
const messageMembers = new MemberTable<Span>({
	params: (scanner, span) => {
		if (scanner.peek() === OPEN_BRACE) scanner.readObject(paramsMembers, span);
		else scanner.skipValue();
	},
	result: (scanner, span) => scanner.passValue(span),
	error: (scanner, span) => scanner.passValue(span),
});
const messageMember = ',"message":';

interface HookFacts {
	readonly input: Span;
	readonly response: Span;
	words: string | undefined;
	cwd: string | undefined;
}

const nowhere: Span = { start: -1, end: -1 };
/** The words of an event; each kind of event has one of them at most. */
const takeWords = (text: string, facts: HookFacts) => void (facts.words ??= text);
const hookMembers = new MemberTable<HookFacts>(
	{
		tool_input: (scanner, { input }) => scanner.passValue(input),
		tool_response: (scanner, { response }) => scanner.passValue(response),
	},
	{
		prompt: takeWords,
		message: takeWords,
		last_assistant_message: takeWords,
		reason: takeWords,
		cwd: (text, facts) => void (facts.cwd = text),
	},
);

function hasBody(stored: StoredEvent): boolean {
	return stored['type'] === 'wire-message' || stored['type'] === 'hook';
}

function objectOf(text: string): StoredEvent | DamageKind {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		// The scanner is content with less than JSON asks for.
		return 'invalid-line';
	}
	if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'invalid-line';
	// It is an object, and nothing more is said of it.
	const stored = value as StoredEvent;
	if (!hasBody(stored)) return stored;
	const { droppedBytes: dropped, omittedBytes: omitted } = stored;
	const preview =
		typeof dropped === 'number'
			? `(${dropped} bytes were not recorded)`
			: // Told of while it happened; the store has it.
				typeof omitted === 'number'
				? `(${omitted} bytes)`
				: undefined;
	if (preview === undefined) return stored;
	const body: BodyRef = { offset: 0, length: 0, preview };
	return { ...stored, body };
}

function damageOf(bytes: Uint8Array, start: number, end: number, failedAt: number): DamageKind {
	const nul = bytes.indexOf(0, start);
	if (nul !== -1 && nul < end) return 'nul-bytes';
	return failedAt >= end && bytes[start] === OPEN_BRACE ? 'truncated-line' : 'invalid-line';
}

const sentences: Readonly<Record<DamageKind, string>> = {
	'invalid-line': 'The line is not an event.',
	'truncated-line': 'The line is cut off before its end.',
	'spliced-line': 'Two records run into each other on one line.',
	'nul-bytes': 'The line is filled with NUL bytes, as a crash or a full disk leaves them.',
	'unsupported-version': 'The line was written by a newer version.',
	unreadable: 'The line could not be read.',
};

function preview(bytes: Uint8Array, start: number, end: number): string {
	const text = asciiOrUtf8(bytes, start, Math.min(end, start + previewLength * 3));
	return truncated(singleLine(text), previewLength);
}

const previewLength = 80;
/** Of what a person reads as a sentence. */
const wordsLength = 200;

const CARRIAGE_RETURN = 0x0d;
const OPEN_BRACE = 0x7b;
