import { ExpectedError } from '../base/errors.ts';
import type { Place } from '../conversation/index.ts';
import type { BodyRef } from '../events/sessionEvent.ts';
import type { OpenFile, TranscriptFiles } from '../transcripts/files.ts';

/** Reads bodies where they are written. One file is kept open: an agent's calls follow each other in its file. */
export class Bodies {
	private readonly files: TranscriptFiles;
	private path: string | undefined;
	private file: OpenFile | undefined;

	constructor(files: TranscriptFiles) {
		this.files = files;
	}

	/** The JSON value; the text as it stands where it is none; `undefined` when the file is gone or was changed. */
	async read({ source }: Place, { offset, length }: BodyRef): Promise<unknown> {
		if (source.kind !== 'transcript' || length === 0) return undefined;
		try {
			if (this.path !== source.path || this.file === undefined) {
				await this.close();
				this.file = await this.files.open(source.path);
				this.path = source.path;
			}
			const bytes = new Uint8Array(length);
			let filled = 0;
			while (filled < length) {
				const count = await this.file.read(bytes.subarray(filled), offset + filled);
				if (count === 0) return undefined;
				filled += count;
			}
			return parsed(new TextDecoder().decode(bytes));
		} catch (error) {
			if (error instanceof ExpectedError) return undefined;
			throw error;
		}
	}

	async close(): Promise<void> {
		await this.file?.close();
		this.file = undefined;
	}
}

/** Codex writes arguments as a text that holds JSON. */
export function unwrapped(value: unknown): unknown {
	if (typeof value !== 'string' || !/^\s*[{[]/.test(value)) return value;
	return parsed(value);
}

function parsed(text: string): unknown {
	try {
		return JSON.parse(text) as unknown;
	} catch {
		// Not JSON, or damaged: shown as it stands.
		return text;
	}
}
