import { jsonText } from '../../core/base/jsonText.ts';
import type { Place, Result, ToolCall } from '../../core/conversation/index.ts';
import type { BodyRef } from '../../core/events/sessionEvent.ts';
import { Bodies, unwrapped } from '../../core/runs/bodies.ts';
import type { TranscriptFiles } from '../../core/transcripts/files.ts';

/** What calls were given and have brought, read from the session's files when somebody looks, one after another, and kept for a while. */
export class ReplayBodies {
	private readonly bodies: Bodies;
	private readonly kept = new Map<string, { readonly value: Promise<unknown>; readonly bytes: number }>();
	private keptBytes = 0;
	private last: Promise<unknown> = Promise.resolve();

	constructor(files: TranscriptFiles) {
		this.bodies = new Bodies(files);
	}

	async argumentsOf(call: ToolCall): Promise<unknown> {
		return unwrapped(await this.read(call.place, call.arguments));
	}

	/** Of an MCP tool what its server has answered, as the protocol has it; of another one what its agent has written down. */
	async resultOf(call: ToolCall | undefined, result: Result): Promise<unknown> {
		const value = await this.read(result.place, result.body);
		const isServers = call !== undefined && (call.server !== undefined || call.isSeenByHostAlone);
		if (!isServers || value === undefined) return value;
		if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
		const content = Array.isArray(value) ? (value as unknown[]) : [{ type: 'text', text: value }];
		return { content, isError: result.isError };
	}

	async textOf(place: Place, texts: readonly BodyRef[]): Promise<string> {
		const read: string[] = [];
		for (const text of texts) {
			const value = await this.read(place, text);
			// The file is gone or was changed: its beginning was kept.
			read.push(typeof value === 'string' ? value : value === undefined ? text.preview : jsonText(value));
		}
		return read.join('\n');
	}

	async close(): Promise<void> {
		await this.last;
		await this.bodies.close();
	}

	private async read(place: Place, body: BodyRef): Promise<unknown> {
		const { source } = place;
		if (source.kind !== 'transcript' || body.length === 0) return undefined;
		const key = `${source.path} ${body.offset} ${body.length}`;
		const known = this.kept.get(key);
		if (known !== undefined) {
			this.kept.delete(key);
			this.kept.set(key, known);
			return known.value;
		}
		// Only one at a time: the file stays open for the next.
		const value = this.last.then(() => this.bodies.read(place, body));
		this.last = value.catch(() => undefined);
		this.kept.set(key, { value, bytes: body.length });
		this.keptBytes += body.length;
		for (const [oldest, { bytes }] of this.kept) {
			if (this.keptBytes <= mostKept || oldest === key) break;
			this.kept.delete(oldest);
			this.keptBytes -= bytes;
		}
		return value;
	}
}

/** Bytes. */
const mostKept = 16 * 1024 * 1024;
