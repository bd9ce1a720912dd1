import { JsonScanner, MemberTable } from '../../core/base/jsonScanner.ts';
import type { Span } from '../../core/base/jsonScanner.ts';

/** As much of a JSON-RPC message as one must know to see what waits for what. */
export interface MessageLook {
	/** The id as it is written, quotes included; `undefined`: none. */
	readonly id: string | undefined;
	/** `undefined`: an answer. */
	readonly method: string | undefined;
}

interface Members {
	id: string | undefined;
	method: string | undefined;
}

const scanner = new JsonScanner();
const span: Span = { start: -1, end: -1 };
const members = new MemberTable<Members>({
	id(scan, target) {
		scan.passValue(span);
		const id = Buffer.from(scan.bytes.buffer, scan.bytes.byteOffset + span.start, span.end - span.start).toString(
			'utf8',
		);
		if (id !== 'null') target.id = id;
	},
	method(scan, target) {
		target.method = scan.readText();
	},
});

const OPEN_BRACKET = 0x5b;

/**
 * The message of one line; of a line that is not JSON, what stands before the fault. Nothing for a batch: the host takes none, so that
 * none of its requests gets an answer of its own.
 */
export function lookAt(line: Uint8Array): MessageLook | undefined {
	scanner.reset(line, 0, line.length);
	return scanner.peek() === OPEN_BRACKET ? undefined : lookAtOne(scanner);
}

function lookAtOne(scan: JsonScanner): MessageLook {
	const look: Members = { id: undefined, method: undefined };
	scan.readObject(members, look);
	return look;
}
