// What a host has recorded of a session, as one more file of that session. It is loaded when there is one: what looks at stored events is large.

import { sessionId } from '../base/ids.ts';
import type { SessionId } from '../base/ids.ts';
import { UnsupportedVersionError } from '../base/errors.ts';
import type { LinePosition } from '../base/lineSplitter.ts';
import { LogReader } from '../events/readLog.ts';
import { FORMAT_VERSION } from '../events/sessionEvent.ts';
import type {
	BodyRef,
	CallEnded,
	CallHeld,
	CallQueued,
	CallReleased,
	CallSent,
	DamageKind,
	FaultInjected,
	GivenArguments,
	HookEvent,
	Reconnect,
	ScopeDecision,
	SessionEvent,
	TranscriptSource,
	UpstreamStateChanged,
	WireMessage,
} from '../events/sessionEvent.ts';
import { givenArguments, wireAnswer } from './mcpFacts.ts';
import { splitMcpName } from './toolNames.ts';
import type { EventSink, LineReader } from './transcriptFormat.ts';

export interface RecordingFile {
	readonly path: string;
	readonly format: string;
	readonly nativeSessionId: string;
}

/** Gives events of calls, of connections and of hooks; where each is written is its source. */
export function createRecordingReader(file: RecordingFile, sink: EventSink): LineReader {
	return new RecordingReader(file, sink);
}

/**
 * Reads lines that a host has told of while it recorded them. They are written nowhere yet, so each event has the source that the host
 * gave it, and of bodies there is no more than the first characters. What cannot be read is passed over: it will be read where it is written.
 */
export function readLiveLines(lines: string): readonly SessionEvent[] {
	const events: SessionEvent[] = [];
	const reader = new LogReader({
		event: (event) => {
			const read = isOfConversation(event) ? withFacts(event, bytes, 0) : undefined;
			if (read !== undefined) events.push(withoutPlaces(read));
		},
		problem: () => undefined,
	});
	let bytes = noBytes;
	for (const line of lines.split('\n')) {
		bytes = encoder.encode(line);
		try {
			reader.readLine(bytes, 0, bytes.length, { line: 1, offset: 0 }, true);
		} catch (error) {
			if (!(error instanceof UnsupportedVersionError)) throw error;
		}
	}
	return events;
}

const noBytes = new Uint8Array(0);
const encoder = new TextEncoder();

type ConversationEvent =
	| WireMessage
	| HookEvent
	| CallQueued
	| CallSent
	| CallEnded
	| ScopeDecision
	| CallHeld
	| CallReleased
	| FaultInjected
	| UpstreamStateChanged
	| Reconnect;

/** What servers say of their tools is known from elsewhere. */
function isOfConversation(event: SessionEvent): event is ConversationEvent {
	switch (event.type) {
		case 'wire-message':
		case 'hook':
		case 'call-queued':
		case 'call-sent':
		case 'call-ended':
		case 'scope-decision':
		case 'call-held':
		case 'call-released':
		case 'fault-injected':
		case 'upstream-state':
		case 'reconnect':
			return true;
		default:
			return false;
	}
}

/** With what its arguments say, and a tool by its own name and its server's, as transcripts have them. @param shift From a place in the file to one in `bytes`. */
function withFacts(event: ConversationEvent, bytes: Uint8Array, shift: number): ConversationEvent {
	if (event.type === 'wire-message') {
		const { kind, tool, content } = event;
		if (tool === undefined || content === undefined || kind === 'notification') return event;
		if (kind === 'request') return { ...event, given: givenIn(content, bytes, shift) };
		const start = content.offset + shift;
		return { ...event, answer: wireAnswer(bytes, { start, end: start + content.length }, kind === 'error') };
	}
	if (event.type !== 'hook' || event.toolName === undefined) return event;
	const { name, server } = splitMcpName(event.toolName);
	const given = givenIn(event.content, bytes, shift);
	return { ...event, toolName: name, mcpServer: event.mcpServer ?? server, given };
}

function givenIn(content: BodyRef | undefined, bytes: Uint8Array, shift: number): GivenArguments | undefined {
	if (content === undefined || content.length > mostArgumentBytes) return undefined;
	const start = content.offset + shift;
	return givenArguments(bytes, start, start + content.length, nowhere);
}

/** Bodies of events that are written nowhere have no place. */
function withoutPlaces(event: ConversationEvent): ConversationEvent {
	if (event.type !== 'wire-message' && event.type !== 'hook') return event;
	const placeless = (body: BodyRef | undefined) =>
		body === undefined ? undefined : { ...body, offset: 0, length: 0 };
	const content = placeless(event.content);
	return event.type === 'hook' ? { ...event, content, response: placeless(event.response) } : { ...event, content };
}

const nowhere = { column: 1, endColumn: 1 };
/** Nobody compares what is longer. */
const mostArgumentBytes = 64 * 1024;

class RecordingReader implements LineReader {
	private readonly path: string;
	private readonly sink: EventSink;
	private readonly reader: LogReader;
	private readonly sessionId: SessionId;
	private source: TranscriptSource;
	/** Those of the line, and from a place in the file to one in them. */
	private bytes: Uint8Array = noBytes;
	private shift = 0;
	private seq = 0;
	/** Nothing after an event of a newer version can be trusted. */
	private isNewer = false;
	private hasToldOfUnknown = false;

	constructor({ path, format, nativeSessionId }: RecordingFile, sink: EventSink) {
		this.path = path;
		this.sink = sink;
		this.sessionId = sessionId(format, nativeSessionId);
		this.source = { kind: 'transcript', path, line: 1, offset: 0, length: 0 };
		this.reader = new LogReader({
			event: (event) => this.take(event),
			problem: ({ kind, message, isAtEnd }) => this.tell(kind, message, isAtEnd),
		});
	}

	readLine(bytes: Uint8Array, start: number, end: number, position: LinePosition, isAtEnd: boolean): void {
		if (this.isNewer) return;
		const { line, offset } = position;
		this.bytes = bytes;
		this.shift = start - offset;
		this.source = { kind: 'transcript', path: this.path, line, offset, length: end - start };
		try {
			this.reader.readLine(bytes, start, end, position, !isAtEnd);
		} catch (error) {
			if (!(error instanceof UnsupportedVersionError)) throw error;
			this.isNewer = true;
			this.damaged(
				'unsupported-version',
				`From here on a newer version has recorded what passed through the host: ${error.message}`,
				false,
			);
		}
	}

	expectNulBytes(): void {
		// They are looked for in any case.
	}

	private take(event: SessionEvent): void {
		if (isOfConversation(event)) this.sink({ ...withFacts(event, this.bytes, this.shift), source: this.source });
	}

	private tell(kind: DamageKind, message: string, isAtEnd: boolean): void {
		// Events of a kind that came later are passed over, and said once.
		if (kind === 'invalid-line') {
			if (this.hasToldOfUnknown) return;
			this.hasToldOfUnknown = true;
		}
		this.damaged(kind, message, isAtEnd);
	}

	private damaged(kind: DamageKind, message: string, isAtEnd: boolean): void {
		this.sink({
			version: FORMAT_VERSION,
			seq: this.seq++,
			sessionId: this.sessionId,
			agent: { unknown: 'A damaged line does not say whose it is.' },
			source: this.source,
			type: 'damaged-line',
			kind,
			message,
			isAtEnd,
		});
	}
}
