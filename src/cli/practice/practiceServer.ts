// A small MCP server on stdio that presets work with: reports that take their time, and chats that lie beside each other as in
// `examples/chat-server`. It is a process of its own, as servers are, and comes with the program.

import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandIo } from '../io.ts';

export interface PracticeTool {
	readonly name: string;
	readonly description: string;
	readonly inputSchema: Readonly<Record<string, unknown>>;
	readonly annotations?: { readonly readOnlyHint: boolean };
}

const reads = { readOnlyHint: true };

export const practiceTools: readonly PracticeTool[] = [
	{
		name: 'quick_total',
		description: 'The total of one region.',
		inputSchema: { type: 'object', properties: { region: { type: 'string' } }, required: ['region'] },
		annotations: reads,
	},
	{
		name: 'build_report',
		description: 'Builds the report of one region. It takes a while.',
		inputSchema: {
			type: 'object',
			properties: { region: { type: 'string' }, milliseconds: { type: 'integer' } },
			required: ['region', 'milliseconds'],
		},
	},
	{
		name: 'chat_list_contexts',
		description: 'The contexts there are, with the number of their messages.',
		inputSchema: { type: 'object', properties: {} },
		annotations: reads,
	},
	{
		name: 'chat_list_messages',
		description: 'Lists chat messages, oldest first.',
		inputSchema: {
			type: 'object',
			properties: {
				context_id: {
					type: 'string',
					description:
						'The context whose messages are listed, or "all" for those of every context. Defaults to the current context.',
				},
				since: { type: 'string', description: 'ISO 8601. Only messages from then on.' },
			},
		},
		annotations: reads,
	},
];

/** Nobody has said anything in the one that its client runs in. */
const ownContext = 'tab-review';
const chats: Readonly<Record<string, readonly string[]>> = {
	'tab-checkout': ['Checkout fails for carts with a voucher.', 'Fixed. We owe eleven customers a message.'],
	'tab-billing': ['Forty-two invoices were sent twice.', 'Until then nobody starts the retry by hand.'],
	[ownContext]: [],
};

type Json = Readonly<Record<string, unknown>>;

/** Serves until its input ends. */
export async function servePractice(io: CommandIo): Promise<number> {
	const say = (message: Json) => void io.pipe.output.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
	const lines = createInterface({ input: io.pipe.input });
	io.signal.addEventListener('abort', () => lines.close(), { once: true });
	const given = new Map<unknown, AbortController>();
	for await (const line of lines) {
		// The host writes one message a line.
		const { id, method, params = {} } = JSON.parse(line) as { id?: unknown; method?: string; params?: Json };
		if (method === 'notifications/cancelled') given.get(params['requestId'])?.abort();
		if (id === undefined) continue;
		if (method === 'initialize')
			say({
				id,
				result: {
					protocolVersion: '2025-11-25',
					capabilities: { tools: {} },
					serverInfo: { name: 'practice', version: '1.0.0' },
				},
			});
		else if (method === 'ping') say({ id, result: {} });
		else if (method === 'tools/list') say({ id, result: { tools: practiceTools } });
		else if (method === 'tools/call') {
			const stop = new AbortController();
			given.set(id, stop);
			void call(String(params['name']), (params['arguments'] ?? {}) as Json, stop.signal).then(
				(result) => {
					given.delete(id);
					say({ id, result });
				},
				// It was given up, and nobody waits for an answer.
				() => given.delete(id),
			);
		} else say({ id, error: { code: -32_601, message: `There is no method ${method}.` } });
	}
	for (const stop of given.values()) stop.abort();
	return 0;
}

async function call(name: string, given: Json, signal: AbortSignal): Promise<Json> {
	switch (name) {
		case 'quick_total':
			return textResult({ region: given['region'], total: 42 });
		case 'build_report':
			await delay(Number(given['milliseconds']), undefined, { signal });
			return textResult({ region: given['region'], pages: 12 });
		case 'chat_list_contexts':
			return textResult({
				contexts: Object.entries(chats).map(([id, messages]) => ({
					context_id: id,
					messages: messages.length,
				})),
			});
		case 'chat_list_messages': {
			const context = typeof given['context_id'] === 'string' ? given['context_id'] : ownContext;
			const messages = context === 'all' ? Object.values(chats).flat() : (chats[context] ?? []);
			return textResult({ context_id: context, messages });
		}
		default:
			return { content: [{ type: 'text', text: `There is no tool ${name}.` }], isError: true };
	}
}

function textResult(value: Json): Json {
	return { content: [{ type: 'text', text: JSON.stringify(value) }] };
}
