import { FORMAT_VERSION } from '../events/sessionEvent.ts';
import type { CataloguedTool, SessionEvent } from '../events/sessionEvent.ts';
import type { Conversation } from './model.ts';

/**
 * Brings what a host knows of tools into a conversation: of the servers that are called in it, before their first call, and never in place
 * of what the transcript says itself.
 */
export class CataloguedTools {
	private readonly conversation: Conversation;
	/** By the name that agents give the server. */
	private byServer = new Map<string, CataloguedTool[]>();
	private tools: readonly CataloguedTool[] = [];
	private readonly called = new Set<string>();
	/** Tools that a transcript tells of. */
	private readonly told = new Set<string>();
	private seq = 0;

	constructor(conversation: Conversation) {
		this.conversation = conversation;
	}

	/** Takes the catalogue as it is now. @returns What is to be folded for servers that were called before. */
	update(tools: readonly CataloguedTool[]): readonly SessionEvent[] {
		if (tools === this.tools) return [];
		this.tools = tools;
		this.byServer = new Map();
		for (const tool of tools) {
			const name = nameForAgents(tool.server);
			const known = this.byServer.get(name);
			if (known === undefined) this.byServer.set(name, [tool]);
			else known.push(tool);
		}
		return [...this.called].flatMap((server) => this.eventsOf(server));
	}

	/** The events, and before them what is known of servers that are called here for the first time. */
	before(events: readonly SessionEvent[]): readonly SessionEvent[] {
		const found: SessionEvent[] = [];
		for (const event of events) {
			if (event.type === 'tool-described') {
				if (event.source.kind === 'transcript') this.told.add(`${event.server} ${event.tool}`);
			} else if (event.type === 'tool-use' && event.server !== undefined && !this.called.has(event.server)) {
				this.called.add(event.server);
				found.push(...this.eventsOf(event.server));
			}
		}
		return found.length === 0 ? events : [...found, ...events];
	}

	private eventsOf(server: string): readonly SessionEvent[] {
		return (this.byServer.get(server) ?? [])
			.filter(({ tool }) => !this.told.has(`${server} ${tool}`))
			.map(({ tool, description, inputSchema }) => ({
				version: FORMAT_VERSION,
				seq: this.seq++,
				sessionId: this.conversation.sessionId,
				agent: { unknown: "What a server says of its tools is no agent's." },
				source: { kind: 'process' },
				type: 'tool-described',
				server,
				tool,
				description,
				inputSchema,
			}));
	}
}

/** Agents put `_` for what the provider does not take in a tool's name. */
export function nameForAgents(server: string): string {
	return server.replaceAll(/[^\w-]/g, '_');
}
