/**
 * Looks at what a client of the Debug Adapter Protocol sends, beside whoever reads it: the protocol's own library passes over what it cannot
 * read, and a person who has started the adapter by hand would wait for ever.
 */
export class DebugInput {
	private rest: Buffer = Buffer.alloc(0);
	/** Bytes of the body that comes next; `undefined`: a header does. */
	private length: number | undefined;

	/** Takes what was received. Gives a sentence when it is no message. */
	push(chunk: Uint8Array): string | undefined {
		this.rest = Buffer.concat([this.rest, chunk]);
		for (;;) {
			if (this.length === undefined) {
				const end = this.rest.indexOf(endOfHeader);
				const header = this.rest.toString('latin1', 0, end === -1 ? mostHeader : end);
				const lines = header.split('\r\n');
				// The last one may still be written, also its end.
				const whole = end === -1 ? lines.slice(0, -1) : lines;
				const last = lines.at(-1) ?? '';
				const isWrong =
					whole.some((line) => !/^[\w-]+: *[^\n]*$/.test(line)) ||
					last.includes('\n') ||
					(end === -1 ? this.rest.length : end) > mostHeader;
				if (isWrong) return noMessage('it has no header');
				if (end === -1) return undefined;
				const length = /^Content-Length: *(\d{1,9})$/m.exec(header.replaceAll('\r', ''))?.[1];
				if (length === undefined) return noMessage('its header has no Content-Length');
				if (Number(length) > mostBody) return noMessage(`it would be ${length} bytes long`);
				this.length = Number(length);
				this.rest = this.rest.subarray(end + endOfHeader.length);
			}
			if (this.rest.length < this.length) return undefined;
			const body = this.rest.toString('utf8', 0, this.length);
			this.rest = this.rest.subarray(this.length);
			this.length = undefined;
			if (!isObject(body)) return noMessage('it is no JSON object');
		}
	}

	/** There is no more. Gives a sentence when that is in the middle of a message. */
	end(): string | undefined {
		return this.rest.length > 0 || this.length !== undefined ? noMessage('it is cut off') : undefined;
	}
}

const endOfHeader = '\r\n\r\n';
const mostHeader = 4096;
const mostBody = 256 * 1024 * 1024;

function noMessage(why: string): string {
	return `What has come on stdin is no message of the Debug Adapter Protocol: ${why}. This command is for editors that start it.`;
}

function isObject(body: string): boolean {
	try {
		const value: unknown = JSON.parse(body);
		return typeof value === 'object' && value !== null && !Array.isArray(value);
	} catch {
		// Not even JSON.
		return false;
	}
}
