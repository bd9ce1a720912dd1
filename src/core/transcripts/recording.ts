// What a host has recorded of a session, as one more file of that session. It is loaded when there is one: what looks at stored events is large.

import { sessionId } from '../base/ids.ts';
import type { SessionId } from '../base/ids.ts';
import { UnsupportedVersionError } from '../base/errors.ts';
import type { LinePosition } from '../base/lineSplitter.ts';
import { LogReader } from '../events/readLog.ts';
import { FORMAT_VERSION } from '../events/sessionEvent.ts';
import type { DamageKind, SessionEvent, TranscriptSource } from '../events/sessionEvent.ts';
import type { EventSink, LineReader } from './transcriptFormat.ts';

export interface RecordingFile {
	readonly path: string;
	readonly format: string;
	readonly nativeSessionId: string;
}

/** Gives events of calls and of connections; where each is written is its source. */
export function createRecordingReader(file: RecordingFile, sink: EventSink): LineReader {
	return new RecordingReader(file, sink);
}

class RecordingReader implements LineReader {
	private readonly path: string;
	private readonly sink: EventSink;
	private readonly reader: LogReader;
	private readonly sessionId: SessionId;
	private source: TranscriptSource;
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
		switch (event.type) {
			case 'wire-message':
			case 'call-queued':
			case 'call-sent':
			case 'call-ended':
			case 'fault-injected':
			case 'upstream-state':
			case 'reconnect':
				this.sink({ ...event, source: this.source });
				return;
			default:
			// Hooks, and what servers say of their tools, are known from elsewhere.
		}
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
