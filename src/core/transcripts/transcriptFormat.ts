import type { LinePosition } from '../base/lineSplitter.ts';
import type { SessionEvent } from '../events/sessionEvent.ts';

export type TranscriptFormatId = 'claude-code' | 'codex';

/** Of a session: that of its transcripts, or of what a host has recorded where there are none. */
export type SessionFormatId = TranscriptFormatId | 'host';

/** What a reader has to know about the file before its first line. */
export interface TranscriptFile {
	readonly path: string;
	/** The native id of the session that the file belongs to, as far as the file's place tells it. */
	readonly nativeSessionId: string;
	/** The agent whose file this is; `null` when the lines say it. */
	readonly agentId: string | null;
	/** Codex: the ordinal of the first line that the thread goes on without, in another rollout. */
	readonly revertedFrom?: number | undefined;
	/** Whether bodies get a preview for a person to see. Without, texts are left out, but for the prompts that sessions are called after. */
	readonly withPreviews: boolean;
}

/** Receives what a reader finds, in file order. */
export type EventSink = (event: SessionEvent) => void;

/**
 * Turns the lines of one file into events, one line at a time, keeping only the little state that a later line needs.
 * It never throws on input: a line that cannot be read becomes a `damaged-line` event, a record it does not know an `unknown` event.
 */
export interface LineReader {
	/** `bytes[start, end)` is one line without its line end. The bytes may be overwritten after the call. */
	readLine(bytes: Uint8Array, start: number, end: number, position: LinePosition, isAtEnd: boolean): void;
	/** From now on lines may hold NUL bytes. Until then nobody looks for them in every line. */
	expectNulBytes(): void;
}

/** One agent's way of writing transcripts. */
export interface TranscriptFormat {
	readonly id: TranscriptFormatId;
	/** A person's name for it. */
	readonly name: string;
	/** Whether this line, one of the first of a file, shows the file to be of this format. */
	sniffLine(bytes: Uint8Array, start: number, end: number): boolean;
	createReader(file: TranscriptFile, sink: EventSink): LineReader;
}
