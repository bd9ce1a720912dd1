import { MODERN } from './revisions.ts';
import { META, encoded, encodedText, isObject, objectAt, readRpc, replaced, stringAt } from './rpc.ts';
import type { JsonObject, RpcMessage } from './rpc.ts';
import type { AgentIntroduction } from './agentConnection.ts';

// How an agent of the era of handshakes is served by a server that knows none: revision 2026-07-28 says in every request what the
// handshake had said once, and asks in its results what servers had asked in requests of their own.

/** What `initialize` answers for a server that was only discovered. */
export function initializeResult(discovered: JsonObject, protocolVersion: string, server: string): JsonObject {
	const instructions = stringAt(discovered, 'instructions');
	const info = objectAt(discovered, '_meta')[META.serverInfo];
	return {
		protocolVersion,
		capabilities: objectAt(discovered, 'capabilities'),
		serverInfo: isObject(info) ? info : { name: server, version: '' },
		...(instructions === undefined ? {} : { instructions }),
	};
}

/** The request with what revision 2026-07-28 wants in its `_meta`. */
export function modernized(
	message: RpcMessage,
	agent: AgentIntroduction | undefined,
	logLevel: string | undefined,
): RpcMessage {
	const meta = {
		[META.protocolVersion]: MODERN,
		[META.clientInfo]: agent?.clientInfo ?? { name: 'unknown', version: '' },
		[META.clientCapabilities]: agent?.capabilities ?? {},
		...(logLevel === undefined ? {} : { [META.logLevel]: logLevel }),
	};
	return withMeta(message, meta);
}

/** The message with these members before those that its `_meta` has. */
export function withMeta(message: RpcMessage, members: JsonObject): RpcMessage {
	const { spans } = message;
	if (spans.meta.start < 0 || !isObject(message.params['_meta'])) return withParams(message, { _meta: members });
	return reread(replaced(message.bytes, [insertion(message.bytes, spans.meta.start, members)]));
}

/** The answer with these members before those that its result has. */
export function withResult(bytes: Uint8Array, members: JsonObject): Uint8Array {
	const { result } = reread(bytes).spans;
	return result.start < 0 ? bytes : replaced(bytes, [insertion(bytes, result.start, members)]);
}

/** The request with these members before those that its params have. */
export function withParams(message: RpcMessage, members: JsonObject): RpcMessage {
	const { bytes, spans } = message;
	if (spans.params.start >= 0) return reread(replaced(bytes, [insertion(bytes, spans.params.start, members)]));
	const end = bytes.lastIndexOf(CLOSE_BRACE);
	const params = encodedText(`,"params":${JSON.stringify(members)}`);
	return reread(replaced(bytes, [{ span: { start: end, end }, with: params }]));
}

/** What a server needs to know before it can go on, when it has answered with that. */
export function neededInput(answer: RpcMessage): NeededInput | undefined {
	if (answer.kind !== 'response' || answer.result['resultType'] !== 'input_required') return undefined;
	const requests = Object.entries(objectAt(answer.result, 'inputRequests')).flatMap(([key, request]) =>
		isObject(request)
			? [{ key, method: stringAt(request, 'method') ?? '', params: objectAt(request, 'params') }]
			: [],
	);
	return { requests, requestState: answer.result['requestState'] };
}

export interface NeededInput {
	readonly requests: readonly { readonly key: string; readonly method: string; readonly params: JsonObject }[];
	/** For the server alone; it goes back as it came. */
	readonly requestState: unknown;
}

/** A request of the server as the older era has it. */
export function serverRequest(id: number, method: string, params: JsonObject): Uint8Array {
	return encoded({ jsonrpc: '2.0', id, method, params });
}

const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const SPACE = 0x20;

/** Puts members at the beginning of the object whose brace stands at `start`. */
function insertion(bytes: Uint8Array, start: number, members: JsonObject) {
	let next = start + 1;
	while ((bytes[next] ?? CLOSE_BRACE) <= SPACE) next++;
	const text = JSON.stringify(members).slice(1, -1);
	const isEmpty = bytes[start] === OPEN_BRACE && bytes[next] === CLOSE_BRACE;
	return { span: { start: start + 1, end: start + 1 }, with: encodedText(isEmpty ? text : `${text},`) };
}

function reread(bytes: Uint8Array): RpcMessage {
	const message = readRpc(bytes);
	// A message with more members is a message.
	if (message.kind === 'problem') throw new Error(message.reason);
	return message;
}
