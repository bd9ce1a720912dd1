import type { MessageChannel } from './agentConnection.ts';
import { withResult } from './eras.ts';
import { encodedText, isObject, objectAt, readRpc, replaced, resultAnswer } from './rpc.ts';
import type { JsonObject, RpcMessage } from './rpc.ts';

/** Lists and reads of revision 2026-07-28 say for how long they are good; of a server that does not say so, for no time at all. */
const cached = new Set(['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list', 'resources/read']);

/**
 * The way back to an agent of revision 2026-07-28 from a server of the era of handshakes. What such a server asks in a request of its
 * own becomes a result that asks; the call goes on running at the server until the agent comes again with the answer.
 */
export class LegacyBridge implements MessageChannel {
	readonly headers = undefined;
	private readonly method: string;
	private readonly hold: (bridge: LegacyBridge) => string;
	private readonly reply: (bytes: Uint8Array) => void;
	private readonly ended: () => void;
	/** The agent's request that waits now; `undefined` while the agent is asked. */
	private waiting: { readonly channel: MessageChannel; readonly rawId: Uint8Array } | undefined;
	private asked: { readonly key: string; readonly id: unknown } | undefined;
	/** What the server has asked while the agent was busy with an earlier question. */
	private readonly questions: RpcMessage[] = [];

	/** @param options.hold Keeps the call for when the agent comes again, and gives the state that it comes with. */
	constructor(options: {
		method: string;
		channel: MessageChannel;
		rawId: Uint8Array;
		hold: (bridge: LegacyBridge) => string;
		/** Takes the agent's answer to a question, as a message. */
		reply: (bytes: Uint8Array) => void;
		ended: () => void;
	}) {
		this.method = options.method;
		this.waiting = { channel: options.channel, rawId: options.rawId };
		this.hold = options.hold;
		this.reply = options.reply;
		this.ended = options.ended;
	}

	deliver(bytes: Uint8Array): void {
		const message = readRpc(bytes);
		if (message.kind === 'request') {
			this.questions.push(message);
			this.askNext();
		} else if (message.kind === 'notification') this.waiting?.channel.deliver(bytes);
	}

	answer(bytes: Uint8Array, error: number | undefined): void {
		const { waiting } = this;
		this.ended();
		if (waiting === undefined) return;
		const message = readRpc(bytes);
		if (message.kind === 'problem') throw new Error(message.reason); // it has been read before
		const withId = replaced(bytes, [{ span: message.spans.id, with: waiting.rawId }]);
		if (error !== undefined || message.kind !== 'response' || message.result['resultType'] !== undefined) {
			waiting.channel.answer(withId, error);
			return;
		}
		const caching = cached.has(this.method) ? { ttlMs: 0, cacheScope: 'private' } : {};
		waiting.channel.answer(withResult(withId, { resultType: 'complete', ...caching }), undefined);
	}

	accepted(): void {
		this.waiting?.channel.accepted();
	}

	dropped(): void {
		this.ended();
		this.waiting?.channel.dropped();
	}

	/** The agent has come again. */
	goOn(params: JsonObject, rawId: Uint8Array, channel: MessageChannel): void {
		const { asked } = this;
		this.waiting = { channel, rawId };
		this.asked = undefined;
		if (asked !== undefined) {
			const response = objectAt(params, 'inputResponses')[asked.key];
			// An agent that leaves an answer out will not give one.
			const error = {
				jsonrpc: '2.0',
				id: asked.id,
				error: { code: -32_600, message: 'The agent gave no answer.' },
			};
			this.reply(
				isObject(response)
					? resultAnswer(encodedText(JSON.stringify(asked.id)), response)
					: encodedText(JSON.stringify(error)),
			);
		}
		this.askNext();
	}

	private askNext(): void {
		const { waiting } = this;
		const question = waiting === undefined ? undefined : this.questions.shift();
		if (waiting === undefined || question === undefined) return;
		const key = `question-${String(question.id)}`;
		this.asked = { key, id: question.id };
		this.waiting = undefined;
		const { method, params } = question;
		const inputRequests = { [key]: { method, params } };
		const result = { resultType: 'input_required', inputRequests, requestState: this.hold(this) };
		waiting.channel.answer(resultAnswer(waiting.rawId, result), undefined);
	}
}
