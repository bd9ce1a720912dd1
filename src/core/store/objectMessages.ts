// What the half of a call that is beside its caller and a session's Durable Object say to each other. Each message is a text on a WebSocket that
// is the session's own: a head of JSON in one line, and behind it the long texts (a state, a reply) as they are. Inside of the JSON they would
// be quoted once more.

import type { KeptState, StoreErrorRecord, StoreEvent } from './createTurns.ts';
import type { CheckpointSummary, SessionSummary } from './sessionStore.ts';
import type { TurnCommitted, TurnEnd, TurnRequest, TurnStart } from './turns.ts';

/** The version that this build speaks. It is part of every path. */
export const objectProtocol = 1;

/** Below the address of the worker. */
export const storePath = `/v${objectProtocol}`;

/** What the worker answers to whoever may know: that it is one. */
export interface ObjectStoreGreeting {
	readonly store: 'crosstalk';
	readonly protocol: number;
}

/** One page of the sessions, in no order. */
export interface SessionPage {
	readonly sessions: readonly SessionSummary[];
	/** Of the next page; `undefined`: this is the last. */
	readonly cursor: string | undefined;
}

/** A session's object answers without being woken. Whoever waits for an answer and does not get even this has lost the way. */
export const ping = 'ping';
export const pong = 'pong';

/** Why the other side closed the WebSocket. Everything else is a loss that another attempt may mend. */
export const closeCodes = {
	/** The object has more to do than it can: another attempt would make it worse. */
	overloaded: 4503,
	/** A message is none of ours. */
	notUnderstood: 4400,
} as const;

/** In bytes: what the runtime lets through. */
export const longestMessage = 32 * 1024 * 1024;

export interface ObjectRequests {
	begin: { readonly params: TurnRequest; readonly result: TurnStart };
	commit: { readonly params: TurnEnd; readonly result: TurnCommitted };
	abort: { readonly params: { readonly turnId: string }; readonly result: null };
	read: { readonly params: { readonly sessionId: string }; readonly result: KeptState | null };
	checkpoints: { readonly params: { readonly sessionId: string }; readonly result: readonly CheckpointSummary[] };
	stateAt: { readonly params: { readonly sessionId: string; readonly seq: number }; readonly result: KeptState };
	evict: { readonly params: { readonly sessionId: string; readonly isForced: boolean }; readonly result: null };
}

export type ObjectRequestName = keyof ObjectRequests;

const requestNames: ReadonlySet<unknown> = new Set<ObjectRequestName>([
	'begin',
	'commit',
	'abort',
	'read',
	'checkpoints',
	'stateAt',
	'evict',
]);

export type ObjectFailure =
	| ({ readonly kind: 'refused' } & StoreErrorRecord)
	/** The object does not know the turn: its memory was lost since, and nothing of the turn was written. */
	| { readonly kind: 'turn-unknown' }
	/** A mistake of ours. */
	| { readonly kind: 'bug'; readonly message: string };

export type ObjectMessage =
	| { readonly kind: 'request'; readonly id: number; readonly name: ObjectRequestName; readonly body: unknown }
	| { readonly kind: 'answer'; readonly id: number; readonly body: unknown }
	| { readonly kind: 'failure'; readonly id: number; readonly body: ObjectFailure }
	| { readonly kind: 'event'; readonly id: 0; readonly body: StoreEvent };

/** From this length on a text is sent as it is. */
const longText = 256;

type Head = readonly [
	kind: ObjectMessage['kind'],
	id: number,
	name: string,
	body: unknown,
	/** Of each text that follows the member of the body that it is, and its length in UTF-16. */
	texts: readonly (readonly [member: string, length: number])[],
];

export function encodeObjectMessage(message: ObjectMessage): string {
	const texts: string[] = [];
	const lengths: [string, number][] = [];
	const body = withoutLongTexts(message.body, (member, text) => {
		texts.push(text);
		lengths.push([member, text.length]);
	});
	const name = message.kind === 'request' ? message.name : '';
	return `${JSON.stringify([message.kind, message.id, name, body, lengths] satisfies Head)}\n${texts.join('')}`;
}

function withoutLongTexts(body: unknown, take: (member: string, text: string) => void): unknown {
	if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
	return Object.fromEntries(
		Object.entries(body).filter(([member, value]) => {
			// Only well-formed text comes through a WebSocket as it was. JSON is that; a key or a message need not be.
			if (typeof value !== 'string' || value.length < longText || (member !== 'state' && member !== 'reply'))
				return true;
			take(member, value);
			return false;
		}),
	);
}

/** `undefined`: it is no message. Of its body nothing is promised. */
export function decodeObjectMessage(text: string): ObjectMessage | undefined {
	const end = text.indexOf('\n');
	if (end === -1) return undefined;
	const head = parsed(text.slice(0, end));
	if (!Array.isArray(head) || head.length !== 5) return undefined;
	// What each of the five is, is looked at one by one.
	const [kind, id, name, body, lengths] = head as readonly unknown[];
	if (!Number.isSafeInteger(id) || !Array.isArray(lengths)) return undefined;
	let position = end + 1;
	for (const entry of lengths as readonly unknown[]) {
		if (!Array.isArray(entry) || typeof body !== 'object' || body === null) return undefined;
		const [member, length] = entry as readonly unknown[];
		if ((member !== 'state' && member !== 'reply') || !isLength(length)) return undefined;
		Object.assign(body, { [member]: text.slice(position, position + length) });
		position += length;
	}
	if (position !== text.length) return undefined;
	return messageOf(kind, Number(id), name, body);
}

function messageOf(kind: unknown, id: number, name: unknown, body: unknown): ObjectMessage | undefined {
	switch (kind) {
		case 'request':
			return requestNames.has(name) ? { kind, id, name: name as ObjectRequestName, body } : undefined; // it is one of them
		case 'answer':
			return { kind, id, body };
		// These come from an object only, which is told apart from other servers before.
		case 'failure':
			return { kind, id, body: body as ObjectFailure };
		case 'event':
			return { kind, id: 0, body: body as StoreEvent };
		default:
			return undefined;
	}
}

function parsed(json: string): unknown {
	try {
		return JSON.parse(json);
	} catch {
		// Whoever sent it is none of us.
		return undefined;
	}
}

function isLength(value: unknown): value is number {
	return Number.isSafeInteger(value) && Number(value) >= 0;
}
