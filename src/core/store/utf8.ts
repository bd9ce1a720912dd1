const encoder = new TextEncoder();

/** Written over and over: to count is many times faster than to make bytes that are thrown away. */
const scratch = new Uint8Array(64 * 1024);

/** How long the text is in UTF-8. */
export function utf8Length(text: string): number {
	if (text.length * 3 <= scratch.length) return encoder.encodeInto(text, scratch).written;
	let length = 0;
	for (let from = 0; from < text.length;) {
		// One more than there is room for, so that what is cut in two at the end is never read.
		const { read, written } = encoder.encodeInto(text.slice(from, from + scratch.length + 1), scratch);
		from += read;
		length += written;
	}
	return length;
}

export function utf8Parts(text: string, partBytes: number): readonly Uint8Array[] {
	const bytes = encoder.encode(text);
	const parts: Uint8Array[] = [];
	for (let from = 0; from < bytes.length; from += partBytes) parts.push(bytes.subarray(from, from + partBytes));
	return parts;
}

/** Throws where the bytes are no UTF-8. */
export function textOf(parts: readonly Uint8Array[]): string {
	const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
	const text = parts.map((part) => decoder.decode(part, { stream: true }));
	text.push(decoder.decode());
	return text.join('');
}
