// Chats that lie beside each other, as the tabs of one application do. Each is a session of the store: one writer, on disk after each message.

import type { SessionStore } from '../../src/platform/node/sessionStore.ts';

export interface Message {
	/** From 1, within its context. */
	readonly number: number;
	/** ISO 8601. */
	readonly at: string;
	readonly author: string;
	readonly text: string;
}

export interface FoundMessage extends Message {
	readonly context_id: string;
}

export interface ContextSummary {
	readonly context_id: string;
	readonly messages: number;
	/** ISO 8601; absent in one that has no message yet. */
	readonly last_at?: string | undefined;
}

interface ContextState {
	/** Absent in a new session. */
	messages?: Message[];
}

/** What the caller asked for cannot be done. */
export class ChatError extends Error {
	override readonly name = 'ChatError';
}

/** Stands for every context where one may be named. */
export const everything = 'all';

const prefix = 'chat:';
const mostMessages = 5_000;

export class Chats {
	/** There from the start, though nobody may have said anything in it. */
	readonly ownContext: string;
	private readonly store: SessionStore;

	constructor(store: SessionStore, ownContext: string) {
		this.store = store;
		this.ownContext = ownContext;
	}

	/** By name. */
	async contexts(): Promise<readonly ContextSummary[]> {
		const ids = await this.ids();
		return Promise.all(
			ids.map(async (id) => {
				const messages = await this.messagesOf(id);
				return { context_id: id, messages: messages.length, last_at: messages.at(-1)?.at };
			}),
		);
	}

	/**
	 * Messages in the order of their times, the latest `limit` of them.
	 * @param contextId One context, or `everything`.
	 * @param since ISO 8601: only what was said then or later.
	 * @throws ChatError when there is no such context.
	 */
	async messages(contextId: string, since: string | undefined, limit: number): Promise<readonly FoundMessage[]> {
		const known = await this.ids();
		if (contextId !== everything && !known.includes(contextId))
			throw new ChatError(`There is no context "${contextId}"; there are ${known.join(', ')}.`);
		const from = since === undefined ? Number.NEGATIVE_INFINITY : timeOf(since);
		const found: FoundMessage[] = [];
		for (const id of contextId === everything ? known : [contextId]) {
			for (const message of await this.messagesOf(id)) {
				if (Date.parse(message.at) >= from) found.push({ context_id: id, ...message });
			}
		}
		return found.toSorted((one, other) => Date.parse(one.at) - Date.parse(other.at)).slice(-limit);
	}

	/** @param key The tool use id, where there is one: the same message is not written twice. */
	async post(contextId: string, message: Omit<Message, 'number'>, key: string | undefined): Promise<FoundMessage> {
		if (contextId === '' || contextId === everything)
			throw new ChatError(`A message belongs to one context; "${contextId}" is none.`);
		timeOf(message.at);
		const { author, text } = message;
		return this.store
			.session(prefix + contextId)
			.call<ContextState, FoundMessage>({ key, tool: 'chat_post_message', args: { author, text } }, (state) => {
				const messages = (state.messages ??= []);
				if (messages.length >= mostMessages) throw new ChatError(`The context "${contextId}" is full.`);
				const posted = { number: messages.length + 1, ...message };
				messages.push(posted);
				return { context_id: contextId, ...posted };
			});
	}

	private async ids(): Promise<readonly string[]> {
		const sessions = await this.store.sessions();
		const written = sessions.filter(({ id }) => id.startsWith(prefix)).map(({ id }) => id.slice(prefix.length));
		return [...new Set([this.ownContext, ...written])].toSorted();
	}

	private async messagesOf(contextId: string): Promise<readonly Message[]> {
		const stored = await this.store.session(prefix + contextId).read();
		// Written by `post` alone.
		return (stored?.state as ContextState | undefined)?.messages ?? [];
	}
}

function timeOf(at: string): number {
	const time = Date.parse(at);
	if (Number.isNaN(time)) throw new ChatError(`"${at}" is no time; write it as 2026-11-20T18:00:00Z.`);
	return time;
}
