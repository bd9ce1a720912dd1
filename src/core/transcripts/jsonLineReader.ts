import type { SessionId } from '../base/ids.ts';
import { FORMAT_VERSION } from '../events/sessionEvent.ts';
import type { AgentRef, TranscriptSource } from '../events/sessionEvent.ts';
import { diagnoseLine, hasNulByte, runIntoEachOther } from './damage.ts';
import { JsonScanner, OPEN_BRACE } from '../base/jsonScanner.ts';
import type { LinePosition } from '../base/lineSplitter.ts';
import type { EventSink, LineReader, TranscriptFile } from './transcriptFormat.ts';

/** What readers of JSON lines share: the walk over a line, and what is to be done with one that is damaged. */
export abstract class JsonLineReader implements LineReader {
	protected readonly file: TranscriptFile;
	protected readonly sink: EventSink;
	protected readonly scanner = new JsonScanner();
	/** For a second look at a part of the line. */
	protected readonly inner = new JsonScanner();
	protected abstract readonly sessionId: SessionId;
	private seq = 0;
	private expectsNulBytes = false;

	constructor(file: TranscriptFile, sink: EventSink) {
		this.file = file;
		this.sink = sink;
	}

	readLine(bytes: Uint8Array, start: number, end: number, position: LinePosition, isAtEnd: boolean): void {
		this.readRecord(bytes, start, start, end, position, isAtEnd);
	}

	expectNulBytes(): void {
		this.expectsNulBytes = true;
	}

	/** Reads the members of the record at the scanner's cursor. False: it is not JSON. */
	protected abstract scan(): boolean;

	/** Makes events of the record that was scanned. `lineStart` is where the line begins in `bytes`. */
	protected abstract emit(bytes: Uint8Array, lineStart: number, source: TranscriptSource): void;

	/** The agent of lines that cannot say whose they are. */
	protected abstract fileAgent(): AgentRef;

	/** Reads the record at `start` of a line that begins at `lineStart`: the line itself, or what a damaged line still holds. */
	private readRecord(
		bytes: Uint8Array,
		lineStart: number,
		start: number,
		end: number,
		position: LinePosition,
		isAtEnd: boolean,
	): void {
		const { scanner } = this;
		scanner.reset(bytes, start, end);
		const first = scanner.peek();
		if (first === -1) return;
		const source: TranscriptSource = {
			kind: 'transcript',
			path: this.file.path,
			line: position.line,
			offset: position.offset,
			length: end - lineStart,
		};
		// The scanner walks over a hole in the middle of a string, but the agent that wrote the line cannot read it either.
		const isRecord =
			first === OPEN_BRACE &&
			this.scan() &&
			!(this.expectsNulBytes && hasNulByte(bytes, start, scanner.position));
		let behind: number | undefined;
		if (isRecord) {
			const isWhole = scanner.isAtEnd();
			// Emitting uses the scanner for a second look, so what is behind the record is remembered.
			behind = scanner.position;
			this.emit(bytes, lineStart, source);
			if (isWhole) return;
			scanner.reset(bytes, behind, end);
		}
		const damage = diagnoseLine(bytes, start, end, scanner.failedAt === -1 ? scanner.position : scanner.failedAt);
		this.sink({
			...this.envelope(source, this.fileAgent(), undefined),
			type: 'damaged-line',
			kind: damage.kind,
			message: damage.intactFrom === behind ? `${runIntoEachOther} both were read.` : damage.message,
			isAtEnd,
		});
		if (damage.intactFrom !== -1) this.readRecord(bytes, lineStart, damage.intactFrom, end, position, isAtEnd);
	}

	/** What all events have. Those of which there are very many are written out in one piece: spreading this costs more than the rest of them. */
	protected envelope(source: TranscriptSource, agent: AgentRef, at: number | undefined) {
		return { version: FORMAT_VERSION, seq: this.nextSeq(), at, sessionId: this.sessionId, agent, source } as const;
	}

	protected nextSeq(): number {
		return this.seq++;
	}
}
