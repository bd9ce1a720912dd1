// A conversation in the order in which it is written: turns, and in each its messages, calls and compactions.

import { agentName } from '../core/conversation/index.ts';
import type { Agent, Compaction, Message, Place, Result, ServerChange, ToolCall } from '../core/conversation/index.ts';

export type Row =
	| { readonly kind: 'message'; readonly message: Message }
	| { readonly kind: 'call'; readonly call: ToolCall }
	| { readonly kind: 'stray'; readonly result: Result }
	| { readonly kind: 'compaction'; readonly compaction: Compaction }
	| { readonly kind: 'server'; readonly change: ServerChange };

export interface Turn {
	readonly number: number;
	readonly at: number | undefined;
	readonly prompt: Message | undefined;
	readonly rows: readonly Row[];
}

export function turnsOf(agent: Agent): readonly Turn[] {
	const turns = new Map<number, Row[]>();
	const add = (turn: number, row: Row): void => {
		const rows = turns.get(turn);
		if (rows === undefined) turns.set(turn, [row]);
		else rows.push(row);
	};
	for (const message of agent.messages) {
		// What only carries results is told by the calls that they answer.
		if (message.text !== undefined && message.kind !== 'results') add(message.turn, { kind: 'message', message });
		for (const call of message.toolCalls) add(message.turn, { kind: 'call', call });
	}
	for (const compaction of agent.compactions) add(compaction.turn, { kind: 'compaction', compaction });
	for (const result of agent.strayResults) add(result.message?.turn ?? 0, { kind: 'stray', result });
	return [...turns.entries()]
		.sort(([one], [other]) => one - other)
		.map(([number, rows]) => {
			rows.sort((one, other) => order(one) - order(other));
			const prompt = rows
				.map((row) => (row.kind === 'message' ? row.message : undefined))
				.find((message) => message !== undefined && isPrompt(message));
			return { number, at: prompt?.at ?? timeOf(rows), prompt, rows };
		});
}

/** What only the host has seen, in the order of time: it belongs to no turn. `undefined`: nothing. */
export function hostTurn(agent: Agent, changes: readonly ServerChange[]): Turn | undefined {
	const rows: Row[] = [
		...agent.hostCalls.map((call): Row => ({ kind: 'call', call })),
		...changes.map((change): Row => ({ kind: 'server', change })),
	];
	if (rows.length === 0) return undefined;
	rows.sort((one, other) => (timeOf([one]) ?? Infinity) - (timeOf([other]) ?? Infinity));
	return { number: hostTurnNumber, at: timeOf(rows), prompt: undefined, rows };
}

/** No turn of a conversation has it. */
export const hostTurnNumber = -1;

export function placeOf(row: Row): Place {
	switch (row.kind) {
		case 'message':
			return row.message.place;
		case 'call':
			return row.call.place;
		case 'stray':
			return row.result.place;
		case 'compaction':
			return row.compaction.place;
		case 'server':
			return row.change.place;
	}
}

function isPrompt(message: Message): boolean {
	return message.kind === 'prompt' || message.kind === 'notification';
}

/** @param words Of notifications: their first characters say nothing to people. */
export function firstWords(message: Message | undefined, words: WeakMap<Message, string>): string {
	if (message === undefined) return '';
	return words.get(message) ?? message.text?.preview ?? '';
}

/** Who speaks, for a heading. */
export function speakerOf(message: Message): string {
	switch (message.kind) {
		case 'prompt':
			return 'User';
		case 'response':
			return agentName(message.agent);
		case 'notification':
			return 'Notification';
		case 'results':
			return 'Results';
		case 'summary':
			return 'Summary of what was compacted';
		case 'interrupt':
			return 'Interrupted';
		case 'meta':
			return 'Client';
		case 'local':
			return 'Shown to the user only';
	}
}

/** "compacted: 182 k → 21 k tokens, automatic" */
export function compactionWords({ tokensBefore, tokensAfter, trigger }: Compaction): string {
	const tokens = [tokensBefore, tokensAfter].filter((count) => count !== undefined).map(thousands);
	const by = trigger === 'auto' ? 'automatic' : trigger === 'manual' ? 'by hand' : undefined;
	return `compacted${tokens.length > 0 ? `: ${tokens.join(' → ')} tokens` : ''}${by === undefined ? '' : `, ${by}`}`;
}

function thousands(count: number): string {
	return count < 1000 ? String(count) : `${Math.round(count / 1000)} k`;
}

function order(row: Row): number {
	const { source, range } = placeOf(row);
	// A line has fewer columns than this; within one, blocks stand in their order.
	return source.kind === 'transcript' ? source.offset + Math.min(1, (range?.column ?? 0) / 1e9) : 0;
}

function timeOf(rows: readonly Row[]): number | undefined {
	for (const row of rows) {
		const at = timeOfRow(row);
		if (at !== undefined) return at;
	}
	return undefined;
}

function timeOfRow(row: Row): number | undefined {
	switch (row.kind) {
		case 'message':
			return row.message.at;
		case 'call':
			return row.call.startedAt;
		case 'stray':
			return row.result.at;
		case 'compaction':
			return row.compaction.at;
		case 'server':
			return row.change.at;
	}
}
