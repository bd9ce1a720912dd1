// Arguments, results and texts are read from their files when somebody looks at them, and no more of them than is looked at.

import { ExpectedError } from '../core/base/errors.ts';
import type { Place } from '../core/conversation/index.ts';
import type { BodyRef } from '../core/events/sessionEvent.ts';
import type { TranscriptFiles } from '../core/transcripts/files.ts';

/** A body as a person reads it. */
export interface BodyText {
	readonly text: string;
	/** A language to show it in: JSON, or just text. */
	readonly language: 'json' | 'text';
	/** What was left out, as a sentence; `undefined`: nothing. */
	readonly cut: string | undefined;
	/** The value itself, when all of it was read. */
	readonly value: unknown;
}

/** Reads at most `limit` bytes of a body. What cannot be read says why in its place. */
export async function readBody(files: TranscriptFiles, place: Place, body: BodyRef, limit: number): Promise<BodyText> {
	const { source } = place;
	if (source.kind !== 'transcript') return plain(body.preview);
	let raw: string;
	try {
		raw = await readRange(files, source.path, body.offset, Math.min(body.length, limit));
	} catch (error) {
		if (!(error instanceof ExpectedError)) throw error;
		return { ...plain(body.preview), cut: error.message };
	}
	if (body.length > limit)
		return {
			...plain(readableStart(raw)),
			cut: `Cut after ${limit.toLocaleString('en')} of ${body.length.toLocaleString('en')} bytes.`,
		};
	try {
		return pretty(JSON.parse(raw) as unknown); // anything that JSON can be
	} catch {
		// The file was written over since; what stands there now is shown as it is.
		return plain(raw);
	}
}

/** The first `limit` lines, and a note when there are more. */
export function cutLines(body: BodyText, limit: number): BodyText {
	const lines = body.text.split('\n');
	if (lines.length <= limit) return body;
	return {
		...body,
		text: lines.slice(0, limit).join('\n'),
		cut: body.cut ?? `Cut after ${limit} of ${lines.length.toLocaleString('en')} lines.`,
	};
}

async function readRange(files: TranscriptFiles, path: string, offset: number, length: number): Promise<string> {
	const file = await files.open(path);
	try {
		const bytes = new Uint8Array(length);
		let filled = 0;
		while (filled < length) {
			const count = await file.read(bytes.subarray(filled), offset + filled);
			if (count === 0) break;
			filled += count;
		}
		return new TextDecoder().decode(bytes.subarray(0, filled));
	} finally {
		await file.close();
	}
}

function pretty(value: unknown): BodyText {
	if (typeof value === 'string') return prettyString(value);
	const texts = textsOf(value);
	if (texts !== undefined) return { ...prettyString(texts), value };
	return { text: JSON.stringify(value, undefined, 2), language: 'json', cut: undefined, value };
}

/** Codex writes arguments as a string of JSON, and tools answer with one. */
function prettyString(text: string): BodyText {
	if (/^\s*[{[]/.test(text)) {
		try {
			const value = JSON.parse(text) as unknown; // anything that JSON can be
			return { text: JSON.stringify(value, undefined, 2), language: 'json', cut: undefined, value };
		} catch {
			// It only begins like JSON.
		}
	}
	return plain(text);
}

function plain(text: string): BodyText {
	return { text, language: 'text', cut: undefined, value: text };
}

/** The text of a result that is a list of text blocks, as MCP and the providers write them. */
function textsOf(value: unknown): string | undefined {
	if (!Array.isArray(value) || value.length === 0) return undefined;
	const texts: string[] = [];
	for (const block of value as unknown[]) {
		if (typeof block !== 'object' || block === null) return undefined;
		const { type, text } = block as { readonly type?: unknown; readonly text?: unknown };
		if (typeof text === 'string') texts.push(text);
		else if (typeof type === 'string') texts.push(`(${type})`);
		else return undefined;
	}
	return texts.join('\n');
}

/** The beginning of a JSON value, as readable as it gets without its end. */
function readableStart(raw: string): string {
	if (!raw.startsWith('"')) return raw;
	// An escape may have been cut in two.
	const whole = raw.replace(/\\(?:u[0-9a-f]{0,3})?$/i, '');
	try {
		return JSON.parse(`${whole}"`) as string; // it begins with a quote
	} catch {
		return raw;
	}
}
