import type { RequestFailure } from '../../../core/host/ports.ts';
import { singleLine, truncated } from '../../../core/base/text.ts';
import type { HttpEndpoint } from './httpEndpoint.ts';

/** What is read of the body of a refusal. */
export const REFUSAL_LIMIT = 1024 * 1024;
const QUOTED = 300;

/** With these a server says that it has not begun; others may come from something in between that knows nothing of the server. */
const refusals = new Set([400, 401, 403, 404, 405, 406, 411, 413, 414, 415, 421, 426, 428, 429, 431]);

export interface Refusal {
	readonly status: number;
	/** In lower case, without parameters. */
	readonly contentType: string;
	readonly body: Buffer;
	/** The request was made in an MCP session. */
	readonly hadSession: boolean;
	readonly endpoint: HttpEndpoint;
}

/** Whether the body is the JSON-RPC error that answers this very request. */
export function isErrorFor(body: Buffer, id: number): boolean {
	return rpcError(body)?.id === id;
}

/** An HTTP status that is no success, in one sentence. */
export function refused(refusal: Refusal): RequestFailure {
	const { status, endpoint, hadSession } = refusal;
	const error = rpcError(refusal.body);
	const said = error === undefined ? plainText(refusal) : error.message;
	// The spec asks for 404; the examples that many servers began from say it with 400.
	const isSessionLost =
		hadSession && (status === 404 || (status === 400 && error !== undefined && /session/i.test(said)));
	const quoted = said === '' ? '' : `, and said: ${truncated(endpoint.concealed(singleLine(said)), QUOTED)}`;
	const reason = isSessionLost
		? `The server no longer knows this MCP session (HTTP ${status}).`
		: `${sentence(status, endpoint, refusal.contentType)}${quoted}${/[.!?…]$/.test(quoted) ? '' : '.'}`;
	return { reason, mayHaveRun: !refusals.has(status), isSessionLost, httpStatus: status };
}

function sentence(status: number, endpoint: HttpEndpoint, contentType: string): string {
	const by = `${endpoint.name} answered with HTTP ${status}`;
	if (status === 401) return `${by}: it wants to know who asks; configure a header such as Authorization`;
	if (status === 403) return `${by}: it refuses access`;
	if (status === 404 || status === 405) return `${by}: there is no MCP server at this path`;
	if (status === 429) return `${by}: it has had too many requests`;
	if (contentType === 'text/html') return `${by} and a web page, which is no MCP`;
	return by;
}

/** A success that is no MCP. */
export function unexpected(status: number, contentType: string, endpoint: HttpEndpoint): RequestFailure {
	const kind =
		contentType === 'text/html'
			? 'a web page'
			: contentType === ''
				? 'nothing'
				: `content of the type ${contentType}`;
	const reason = `${endpoint.name} answered with HTTP ${status} and ${kind}, which is no MCP: check its address.`;
	return { reason, mayHaveRun: true, isSessionLost: false, httpStatus: status };
}

function plainText({ contentType, body }: Refusal): string {
	return contentType === 'text/plain' ? body.toString('utf8', 0, QUOTED * 4) : '';
}

function rpcError(body: Buffer): { readonly id: unknown; readonly message: string } | undefined {
	try {
		// JSON.parse gives `any`; each member is checked.
		const { id, error } = JSON.parse(body.toString()) as Record<string, unknown>;
		if (typeof error !== 'object' || error === null || !('message' in error)) return undefined;
		return { id, message: String(error.message) };
	} catch {
		// No JSON, or `null`: not an error of the protocol.
		return undefined;
	}
}
