import type { EventLog } from '../../core/host/eventLog.ts';

/** Takes down what passes, in memory: a replay is short, and is saved as a whole or not at all. */
export class MemoryLog implements EventLog {
	readonly maximumMessageBytes: number;
	private readonly pieces: Uint8Array[] = [];

	/** @param isKept Whether somebody will ask for it. */
	constructor(isKept: boolean) {
		this.maximumMessageBytes = isKept ? 64 * 1024 * 1024 : 0;
	}

	append(head: string, message: Uint8Array | undefined): boolean {
		if (this.maximumMessageBytes === 0) return false;
		if (message === undefined) this.pieces.push(Buffer.from(`${head}}\n`));
		else this.pieces.push(Buffer.from(`${head},"message":`), message, closing);
		return true;
	}

	/** JSON lines. */
	get lines(): Uint8Array {
		return Buffer.concat(this.pieces);
	}
}

const closing = Buffer.from('}\n');
