// An agent's side of MCP on streamable HTTP, as small as it can be: one connection of one agent to one server of a host.

type Json = Readonly<Record<string, unknown>>;

export interface PracticeAnswer {
	readonly isError: boolean;
	/** What a model gets to read. */
	readonly text: string;
}

export class PracticeClient {
	private readonly address: string;
	private readonly headers: Readonly<Record<string, string>>;
	private mcpSession: string | undefined;
	private lastId = 0;

	/** @param headers Who calls, as the host reads it. */
	constructor(address: string, headers: Readonly<Record<string, string>>) {
		this.address = address;
		this.headers = headers;
	}

	async connect(): Promise<void> {
		await this.ask('initialize', {
			protocolVersion: '2025-11-25',
			capabilities: {},
			clientInfo: { name: 'crosstalk-practice', version: '1.0.0' },
		});
		await this.post({ method: 'notifications/initialized' });
		await this.ask('tools/list', {});
	}

	async call(tool: string, given: Json, toolUseId: string): Promise<PracticeAnswer> {
		const answer = await this.ask('tools/call', {
			name: tool,
			arguments: given,
			_meta: { 'claudecode/toolUseId': toolUseId },
		});
		if (answer.error !== undefined)
			return { isError: true, text: `MCP error ${answer.error.code}: ${answer.error.message}` };
		const { content, isError } = answer.result ?? {};
		const texts = Array.isArray(content) ? content.map((part: { text?: string }) => part.text ?? '') : [];
		return { isError: isError === true, text: texts.join('\n') };
	}

	async close(): Promise<void> {
		if (this.mcpSession === undefined) return;
		const headers = { ...this.headers, 'mcp-session-id': this.mcpSession };
		await fetch(this.address, { method: 'DELETE', headers }).catch(() => undefined); // the host may be gone
	}

	private async ask(method: string, params: Json): Promise<Answer> {
		const id = ++this.lastId;
		const response = await this.post({ id, method, params });
		this.mcpSession = response.headers.get('mcp-session-id') ?? this.mcpSession;
		for (const text of messagesIn(await response.text())) {
			// The host answers with JSON-RPC.
			const message = JSON.parse(text) as Answer;
			if (message.id === id) return message;
		}
		throw new Error(`The host did not answer ${method} (HTTP ${response.status}).`);
	}

	private post(message: Json): Promise<Response> {
		return fetch(this.address, {
			method: 'POST',
			headers: {
				...this.headers,
				'content-type': 'application/json',
				accept: 'application/json, text/event-stream',
				...(this.mcpSession === undefined ? {} : { 'mcp-session-id': this.mcpSession }),
			},
			body: JSON.stringify({ jsonrpc: '2.0', ...message }),
		});
	}
}

interface Answer {
	readonly id?: unknown;
	readonly result?: Json;
	readonly error?: { readonly code: number; readonly message: string };
}

/** Of one JSON object, or of a stream of server-sent events. */
function messagesIn(body: string): readonly string[] {
	if (body.startsWith('{')) return [body];
	return body
		.split(/\r?\n\r?\n/)
		.map((event) =>
			event
				.split(/\r?\n/)
				.filter((line) => line.startsWith('data:'))
				.map((line) => line.slice('data:'.length).trimStart())
				.join('\n'),
		)
		.filter((data) => data !== '');
}
