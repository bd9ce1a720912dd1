import type { RequestFailure } from '../../../core/host/ports.ts';
import { EventStream } from './eventStream.ts';
import { contentType } from './httpEndpoint.ts';
import type { HttpCall, HttpEndpoint } from './httpEndpoint.ts';

/** Such a server says at once where messages go. */
const LONGEST_SILENCE_MS = 2000;

/** How servers of revision 2024-11-05 refuse a handshake on streamable HTTP, as the specification has it. */
const refusals = new Set([400, 404, 405]);

export function mayBeOlderTransport({ httpStatus }: RequestFailure): boolean {
	return httpStatus !== undefined && refusals.has(httpStatus);
}

/** Finds out whether an address has the transport of revision 2024-11-05, HTTP with SSE. Calls back once, unless it is aborted. */
export function findOlderTransport(endpoint: HttpEndpoint, onFound: (isOlder: boolean) => void): HttpCall {
	const timer = setTimeout(() => settle(false), LONGEST_SILENCE_MS);
	const call = endpoint.call('GET', [['Accept', 'text/event-stream']], undefined, {
		onResponse(response) {
			if (response.statusCode !== 200 || contentType(response) !== 'text/event-stream') {
				settle(false);
				return;
			}
			const events = new EventStream({
				onEvent: (type) => settle(type === 'endpoint'),
				onOversizedEvent: () => settle(false),
			});
			response.on('data', (chunk: Buffer) => events.push(chunk));
			response.on('close', () => settle(false));
		},
		onFailed: () => settle(false),
	});
	let isOver = false;
	return { abort: end };

	function settle(isOlder: boolean): void {
		if (isOver) return;
		end();
		onFound(isOlder);
	}

	function end(): void {
		isOver = true;
		clearTimeout(timer);
		call.abort();
	}
}
