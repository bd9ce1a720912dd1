import { JsonScanner, MemberTable } from '../base/jsonScanner.ts';
import type { Span } from '../base/jsonScanner.ts';
import { jsonText } from '../base/jsonText.ts';

/**
 * JSON-RPC messages as they travel: bytes that are handed on as they came, but for the few places that mean something on one
 * connection only (request ids and progress tokens). Numbers that JavaScript cannot hold, the order of keys and unknown members survive.
 */

export type RpcId = string | number;
export type JsonObject = Readonly<Record<string, unknown>>;

export interface RpcMessage {
	readonly kind: 'request' | 'notification' | 'response' | 'error';
	readonly bytes: Uint8Array;
	/** Of a request or an answer. */
	readonly id: RpcId | undefined;
	/** Of a request or notification; '' in an answer. */
	readonly method: string;
	readonly params: JsonObject;
	/** Of an answer: its result, or its error. */
	readonly result: JsonObject;
	readonly spans: RpcSpans;
}

/** Where the values stand that mean something on one connection only; `start` is -1 where there is none. */
export interface RpcSpans {
	readonly id: Span;
	/** `params._meta.progressToken` of a request. */
	readonly metaProgressToken: Span;
	/** `params.progressToken` of a progress notification. */
	readonly progressToken: Span;
	/** `params.requestId` of a cancellation. */
	readonly requestId: Span;
	/** `_meta["io.modelcontextprotocol/subscriptionId"]` of `params` or `result`. */
	readonly subscriptionId: Span;
	/** All of `params`. */
	readonly params: Span;
	/** All of `params._meta`. */
	readonly meta: Span;
	/** All of `result`. */
	readonly result: Span;
	/** `params.name`. */
	readonly name: Span;
}

/** Bytes that are no message. */
export interface RpcProblem {
	readonly kind: 'problem';
	/** The JSON-RPC code that tells it to the sender. */
	readonly code: typeof PARSE_ERROR | typeof INVALID_REQUEST;
	/** A finished sentence. */
	readonly reason: string;
	/** The id that an answer has to have, where one can be made out. */
	readonly id: RpcId | null;
}

/** https://www.jsonrpc.org/specification#error_object */
export const PARSE_ERROR = -32700;
export const INVALID_REQUEST = -32600;
export const METHOD_NOT_FOUND = -32601;
export const INVALID_PARAMS = -32602;

/** The keys of a call's `_meta` in revision 2026-07-28. */
export const META = {
	protocolVersion: 'io.modelcontextprotocol/protocolVersion',
	clientInfo: 'io.modelcontextprotocol/clientInfo',
	clientCapabilities: 'io.modelcontextprotocol/clientCapabilities',
	logLevel: 'io.modelcontextprotocol/logLevel',
	serverInfo: 'io.modelcontextprotocol/serverInfo',
	subscriptionId: 'io.modelcontextprotocol/subscriptionId',
} as const;

type MutableSpans = { -readonly [Name in keyof RpcSpans]: Span };

const decoder = new TextDecoder();
const encoder = new TextEncoder();
const scanner = new JsonScanner();

const metaMembers = new MemberTable<MutableSpans>({
	progressToken: (scan, spans) => scan.passValue(spans.metaProgressToken),
	[META.subscriptionId]: (scan, spans) => scan.passValue(spans.subscriptionId),
});
const paramsMembers = new MemberTable<MutableSpans>({
	_meta: (scan, spans) => {
		scan.peek();
		spans.meta.start = scan.position;
		scan.readObject(metaMembers, spans);
		spans.meta.end = scan.position;
	},
	progressToken: (scan, spans) => scan.passValue(spans.progressToken),
	requestId: (scan, spans) => scan.passValue(spans.requestId),
	name: (scan, spans) => scan.passValue(spans.name),
});
const resultMembers = new MemberTable<MutableSpans>({
	_meta: (scan, spans) => void scan.readObject(metaMembers, spans),
});
const messageMembers = new MemberTable<MutableSpans>({
	id: (scan, spans) => scan.passValue(spans.id),
	params: (scan, spans) => {
		scan.peek();
		spans.params.start = scan.position;
		scan.readObject(paramsMembers, spans);
		spans.params.end = scan.position;
	},
	result: (scan, spans) => {
		scan.peek();
		spans.result.start = scan.position;
		scan.readObject(resultMembers, spans);
		spans.result.end = scan.position;
	},
});

/** Why no client takes this answer, though it is one; `undefined`: nothing is wrong with it. */
export function flawOf({ kind, result }: RpcMessage): string | undefined {
	if (kind === 'response' && result === noMembers) return 'Its "result" is no object.';
	if (kind !== 'error' || (typeof result['code'] === 'number' && typeof result['message'] === 'string'))
		return undefined;
	return 'Its "error" has no "code" that is a number and "message".';
}

/** Reads one message. It never throws: bytes that are no message come back as a problem. */
export function readRpc(bytes: Uint8Array): RpcMessage | RpcProblem {
	let body: unknown;
	try {
		body = JSON.parse(decoder.decode(bytes));
	} catch (error) {
		// What the parser says ("Unexpected token … at position …") is what a person needs.
		const detail = error instanceof Error ? error.message : String(error);
		return { kind: 'problem', code: PARSE_ERROR, reason: `The message is not JSON: ${detail}.`, id: null };
	}
	if (Array.isArray(body)) {
		const reason = 'Batches were removed from MCP in revision 2025-06-18: send one message at a time.';
		return { kind: 'problem', code: INVALID_REQUEST, reason, id: null };
	}
	if (!isObject(body)) return invalid('The message is no JSON object.', null);
	const { id, method } = body;
	const hasId = typeof id === 'string' || typeof id === 'number';
	const answerable = hasId ? id : null;
	if (body['jsonrpc'] !== '2.0') return invalid('The message has no "jsonrpc": "2.0".', answerable);
	const spans = scanned(bytes);
	const shared = { bytes, spans, params: isObject(body['params']) ? body['params'] : noMembers };
	if (typeof method === 'string') {
		if (!hasId && id !== undefined) return invalid('The id of a request is a string or a number.', null);
		if ('params' in body && !isObject(body['params']))
			return invalid('The params of a message are an object.', answerable);
		const kind = hasId ? 'request' : 'notification';
		return { ...shared, kind, id: hasId ? id : undefined, method, result: noMembers };
	}
	if (isObject(body['error']))
		return { ...shared, kind: 'error', id: hasId ? id : undefined, method: '', result: body['error'] };
	if ('result' in body && hasId)
		return {
			...shared,
			kind: 'response',
			id,
			method: '',
			result: isObject(body['result']) ? body['result'] : noMembers,
		};
	return invalid(
		'The message is neither a request nor an answer: it has no "method", "result" or "error".',
		answerable,
	);
}

const noMembers: JsonObject = {};

function invalid(reason: string, id: RpcId | null): RpcProblem {
	return { kind: 'problem', code: INVALID_REQUEST, reason, id };
}

function scanned(bytes: Uint8Array): RpcSpans {
	const spans: MutableSpans = {
		id: none(),
		metaProgressToken: none(),
		progressToken: none(),
		requestId: none(),
		subscriptionId: none(),
		params: none(),
		meta: none(),
		result: none(),
		name: none(),
	};
	scanner.reset(bytes, 0, bytes.length);
	scanner.readObject(messageMembers, spans);
	return spans;
}

function none(): Span {
	return { start: -1, end: -1 };
}

/** One place of a message and the JSON text to put there. An empty span inserts. */
export interface Replacement {
	readonly span: Span;
	readonly with: Uint8Array;
}

/** The message with other values in some places; places that the message does not have are left out. */
export function replaced(bytes: Uint8Array, replacements: readonly Replacement[]): Uint8Array {
	const present = replacements.filter(({ span }) => span.start >= 0);
	if (present.length > 1) present.sort((one, other) => one.span.start - other.span.start);
	let length = bytes.length;
	for (const { span, with: value } of present) length += value.length - (span.end - span.start);
	const result = new Uint8Array(length);
	let from = 0;
	let to = 0;
	for (const { span, with: value } of present) {
		result.set(bytes.subarray(from, span.start), to);
		to += span.start - from;
		result.set(value, to);
		to += value.length;
		from = span.end;
	}
	result.set(bytes.subarray(from), to);
	return result;
}

/** The raw bytes of a value of the message, a copy that does not hold the message. */
export function bytesAt(message: RpcMessage, span: Span): Uint8Array | undefined {
	return span.start < 0 ? undefined : message.bytes.slice(span.start, span.end);
}

/** JSON has no raw line ends but between tokens, where a space says the same; a message on stdio is one line. */
export function onOneLine(bytes: Uint8Array): Uint8Array {
	if (bytes.indexOf(0x0a) === -1 && bytes.indexOf(0x0d) === -1) return bytes;
	return bytes.map((byte) => (byte === 0x0a || byte === 0x0d ? 0x20 : byte));
}

export function encoded(value: unknown): Uint8Array {
	return encoder.encode(jsonText(value));
}

export function encodedText(text: string): Uint8Array {
	return encoder.encode(text);
}

export function decoded(bytes: Uint8Array): string {
	return decoder.decode(bytes);
}

/** An error answer. `id` is the raw JSON of the request's id. */
export function errorAnswer(id: Uint8Array | null, code: number, message: string, data?: JsonObject): Uint8Array {
	const error = JSON.stringify(data === undefined ? { code, message } : { code, message, data });
	return encoder.encode(`{"jsonrpc":"2.0","id":${id === null ? 'null' : decoder.decode(id)},"error":${error}}`);
}

/** A successful answer. `id` is the raw JSON of the request's id. */
export function resultAnswer(id: Uint8Array, result: unknown): Uint8Array {
	return encoder.encode(`{"jsonrpc":"2.0","id":${decoder.decode(id)},"result":${jsonText(result)}}`);
}

export function isObject(value: unknown): value is JsonObject {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function objectAt(value: JsonObject, key: string): JsonObject {
	const member = value[key];
	return isObject(member) ? member : noMembers;
}

export function stringAt(value: JsonObject, key: string): string | undefined {
	const member = value[key];
	return typeof member === 'string' ? member : undefined;
}
