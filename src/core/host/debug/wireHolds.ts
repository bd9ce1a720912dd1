import { toolUseId as toolUseIdOf } from '../../base/ids.ts';
import type { Disposable } from '../../base/lifecycle.ts';
import { jsonText } from '../../base/jsonText.ts';
import { singleLine } from '../../base/text.ts';
import type { Exchange, ExchangeEnd } from '../exchange.ts';
import { CallFailure } from '../failures.ts';
import { mirroredHeaders } from '../mirroredArguments.ts';
import type { MirroredArgument } from '../mirroredArguments.ts';
import type { HostClock } from '../ports.ts';
import { MODERN } from '../revisions.ts';
import { decoded, encodedText, isObject, objectAt, readRpc, stringAt } from '../rpc.ts';
import type { RpcMessage } from '../rpc.ts';
import { argumentsOf, withArguments } from '../scopes/argumentPlaces.ts';
import type { Upstream } from '../upstream.ts';
import { heldUntil } from './clientPatience.ts';
import type { DebugGate, GateCall, GateResult, Hold } from './debugGate.ts';

/** What the holds need of the server that they stand in front of. */
export interface HoldingServer {
	readonly name: string;
	readonly gate: DebugGate;
	readonly clock: HostClock;
	/** Arguments of a tool that are also said in headers. */
	mirroredOf(tool: string | undefined): readonly MirroredArgument[];
	/** The server is asked for its tools if this one has not been seen; what comes of it is not waited for. */
	learnOf(tool: string, upstream: Upstream): void;
	/** A message of the host's own goes to the agent of this call. */
	tellAgent(exchange: Exchange, bytes: Uint8Array): void;
	didChange(): void;
}

/** Clients that count silence hear something this often. */
const KEEP_ALIVE_MS = 10_000;

/** Holds calls of one server on the wire for as long as a debugger wants. */
export class WireHolds {
	/** Calls that are held, in the order in which they stopped. */
	readonly held = new Set<Exchange>();
	private readonly server: HoldingServer;

	constructor(server: HoldingServer) {
		this.server = server;
	}

	/**
	 * Before a call is made.
	 * @param goOn Makes it. Called once, if at all, and only when this has returned `true`.
	 * @returns Whether it is held.
	 */
	before(exchange: Exchange, upstream: Upstream, goOn: () => void): boolean {
		const { gate } = this.server;
		const { tool } = exchange;
		if (!gate.isActive || tool === undefined || isContinuation(exchange.message)) return false;
		const hold = gate.before(this.callOf(exchange, tool));
		if (hold === undefined) return false;
		const isStillHeld = this.begin(exchange, hold, undefined);
		// Arguments that somebody edits are held to the tool's schema.
		this.server.learnOf(tool, upstream);
		void hold.passage.then((passage) => {
			if (!isStillHeld()) return;
			if (passage.action === 'answer') {
				exchange.hasPassed = true;
				const ending = passage.isError ? 'failed' : 'completed';
				const reason = 'Somebody answered it by hand in a debugger.';
				exchange.end({ ending, answer: answerOf(passage.result, exchange), reason });
			} else {
				if (passage.action === 'edit-arguments') this.edit(exchange, passage.arguments);
				goOn();
			}
			this.server.didChange();
		});
		return true;
	}

	/**
	 * With what a call has come to, before its agent hears of it.
	 * @param repeat Makes the call again.
	 * @returns Whether it is held; then the exchange ends once more, in the end.
	 */
	after(exchange: Exchange, end: ExchangeEnd, repeat: () => void): boolean {
		const { gate } = this.server;
		const { tool } = exchange;
		if (!gate.isActive || tool === undefined || exchange.hasPassed) return false;
		const call = this.callOf(exchange, tool);
		if (exchange.isUnwanted || end.ending === 'cancelled') {
			gate.gone(call);
			return false;
		}
		// The server wants to know something; the call goes on with the answer.
		if (end.answer?.result['resultType'] === 'input_required') return false;
		const hold = gate.after(call, resultOf(end));
		if (hold === undefined) return false;
		const isStillHeld = this.begin(exchange, hold, end);
		void hold.passage.then((passage) => {
			if (!isStillHeld()) return;
			switch (passage.action) {
				case 'continue':
					exchange.hasPassed = true;
					exchange.end(end);
					break;
				case 'edit-result': {
					exchange.hasPassed = true;
					const answer = answerOf(passage.result, exchange);
					const ending = answer.result['isError'] === true ? 'failed' : 'completed';
					exchange.end({ ending, answer, reason: 'Somebody changed its result in a debugger.' });
					break;
				}
				case 'repeat':
					repeat();
			}
			this.server.didChange();
		});
		return true;
	}

	/** Ends what is held before it was made, and hands over results. */
	close(reason: string): void {
		const { name } = this.server;
		for (const exchange of this.held) {
			const { heldEnd, tool = '' } = exchange;
			const message = `${tool} on ${name} was held in a debugger and has not been made. ${reason}`;
			const failure = new CallFailure('server-unavailable', message, { server: name, tool });
			exchange.hasPassed = true;
			exchange.end(heldEnd ?? { ending: 'refused', failure });
		}
	}

	/** @returns Ends the hold, and tells whether the call is to go on. */
	private begin(exchange: Exchange, hold: Hold<unknown>, end: ExchangeEnd | undefined): () => boolean {
		const { clock } = this.server;
		const since = clock.elapsed();
		exchange.state = 'held';
		exchange.reason = hold.reason;
		exchange.hold = hold;
		exchange.heldEnd = end;
		this.held.add(exchange);
		const alive = this.keepAlive(exchange, hold.reason);
		return () => {
			alive?.dispose();
			this.held.delete(exchange);
			exchange.heldEnd = undefined;
			exchange.heldMs += clock.elapsed() - since;
			if (exchange.hold !== hold) return false;
			exchange.hold = undefined;
			exchange.state = 'queued';
			exchange.reason = undefined;
			return true;
		};
	}

	/** Tells the agent every now and then that the call lives. */
	private keepAlive(exchange: Exchange, reason: string): Disposable | undefined {
		const { progressToken } = exchange;
		if (progressToken === undefined) return undefined;
		const { clock } = this.server;
		const message = JSON.stringify(`Held in a debugger: ${singleLine(reason)}`);
		let timer: Disposable;
		const again = () => {
			timer = clock.after(KEEP_ALIVE_MS, () => {
				// Progress has to grow with each notification, and the server's own is still to come.
				exchange.progress += Math.max(1e-6, Math.abs(exchange.progress) * 1e-9);
				const params = `{"progressToken":${decoded(progressToken)},"progress":${exchange.progress},"message":${message}}`;
				const bytes = encodedText(`{"jsonrpc":"2.0","method":"notifications/progress","params":${params}}`);
				this.server.tellAgent(exchange, bytes);
				again();
			});
		};
		again();
		return { dispose: () => timer.dispose() };
	}

	private edit(exchange: Exchange, json: string): void {
		const message = withArguments(exchange.message, json) ?? rewritten(exchange, json);
		exchange.message = message;
		const mirrored = this.server.mirroredOf(exchange.tool);
		const names = new Set(mirrored.map(({ header }) => header.toLowerCase()));
		const others = Object.entries(exchange.headers ?? {}).filter(([name]) => !names.has(name.toLowerCase()));
		exchange.headers = {
			...Object.fromEntries(others),
			...mirroredHeaders(mirrored, objectAt(message.params, 'arguments')),
		};
	}

	private callOf(exchange: Exchange, tool: string): GateCall {
		const { agent, record, toolUseId, callId, startedAt, progressToken } = exchange;
		const { sessionId, agentId, connectionId } = record;
		return {
			heldBy: 'wire',
			sessionId,
			agentId,
			agentType: undefined,
			toolUseId: toolUseId === undefined ? undefined : toolUseIdOf(toolUseId),
			callId,
			connectionId,
			source: agent.identity.scopeSource,
			server: this.server.name,
			tool,
			agentsName: undefined,
			argumentsText: () => argumentsOf(exchange.message),
			heldUntil: () =>
				heldUntil({
					client: stringAt(agent.introduction?.clientInfo ?? {}, 'name'),
					transport: agent.transport,
					sentAt: startedAt,
					hasProgress: progressToken !== undefined,
				}),
			canEdit: true,
			canAnswer: true,
			canRepeat: true,
		};
	}
}

/** A message in which the place of the arguments is not to be found, as one that writes `params` with escapes. */
function rewritten({ message, rawId }: Exchange, json: string): RpcMessage {
	const params = jsonText({ ...message.params, arguments: JSON.parse(json) as unknown });
	const head = `{"jsonrpc":"2.0","id":${decoded(rawId)},"method":${JSON.stringify(message.method)}`;
	const written = readRpc(encodedText(`${head},"params":${params}}`));
	if (written.kind === 'problem') throw new Error('What was just written is a request.');
	return written;
}

/** Of revision 2026-07-28: the agent brings what the server wanted to know of a call that has begun. */
function isContinuation({ params }: RpcMessage): boolean {
	return 'inputResponses' in params || 'requestState' in params;
}

function resultOf({ answer, failure, ending }: ExchangeEnd): GateResult {
	const isOutcomeUnknown = ending === 'outcome-unknown' || ending === 'timed-out';
	if (answer?.kind === 'response') {
		const { bytes, spans, result } = answer;
		const text = () => decoded(bytes.subarray(spans.result.start, spans.result.end));
		return { text, isError: result['isError'] === true, isOutcomeUnknown };
	}
	const error = answer?.result ?? {
		code: failure?.code,
		message: failure?.message,
		data: failure?.data,
	};
	return { text: () => JSON.stringify({ error }), isError: true, isOutcomeUnknown };
}

/** A result as if its server had sent it. @param json A `CallToolResult`. */
function answerOf(json: string, { protocolVersion }: Exchange): RpcMessage {
	const value: unknown = JSON.parse(json);
	// Revision 2026-07-28 wants to be told that it is the end of it.
	const isComplete = protocolVersion !== MODERN || (isObject(value) && 'resultType' in value);
	const result = isComplete
		? json
		: `{"resultType":"complete"${json.trim() === '{}' ? '' : ','}${json.trim().slice(1)}`;
	const answer = readRpc(encodedText(`{"jsonrpc":"2.0","id":0,"result":${result}}`));
	if (answer.kind !== 'response') throw new Error('What was just written is an answer.');
	return answer;
}
