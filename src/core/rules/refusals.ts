import { singleLine, truncated } from '../base/text.ts';
import { refusalsAfter } from '../conversation/index.ts';
import type { Message, Place } from '../conversation/index.ts';
import type { Client } from './clients.ts';
import type { RuleContext } from './rule.ts';

/** The ways in which a history is broken, as clients know them. */
type Breach = Exclude<keyof Client, 'pairing'>;

/** A block that breaks the history. */
interface Broken {
	/** Its tool use id. */
	readonly id: string;
	/** The message of which every request from there on holds it. */
	readonly message: Message | undefined;
	/** Where it is reported. */
	readonly place: Place;
}

/**
 * What comes of a broken history, a finished sentence: that the provider has refused it, where the transcript itself says so, else what
 * its client is known to do.
 */
export function consequence(context: RuleContext, breach: Breach, broken: Broken): string {
	return refused(broken, unnamed[breach]) ?? context.client[breach](broken.id);
}

/**
 * Says that the provider has refused a request for this block; `undefined` where the transcript does not tell.
 * @param unnamedWords Words for what is wrong with it that name no block. They count in the answer to the next request alone: one that
 * was refused later, after others that held the block as well had been answered, may have been refused for something else.
 */
export function refused({ id, message, place }: Broken, unnamedWords?: RegExp): string | undefined {
	if (message === undefined || message.agent.refusals.length === 0) return undefined;
	const refusal = refusalsAfter(message).find(
		({ words, isNext }) => names(words, id) || (isNext && unnamedWords?.test(words) === true),
	);
	if (refusal === undefined) return undefined;
	const { source } = refusal.message.place;
	const isBeside =
		source.kind === 'transcript' && place.source.kind === 'transcript' && source.path === place.source.path;
	return `The API has refused the request that held it${isBeside ? ` (line ${source.line})` : ''}: "${saidIn(refusal.words)}"`;
}

// Claude Code's words for `tool_use` ids without results, and those of older gateways.
const withoutResults = /due to tool use concurrency issues|Did not find \d+ `tool_result` block/;
// Claude Code's, and the provider's own.
const notUnique = /duplicate tool_use ID|`tool_use` ids must be unique/;

/** What providers and clients say of a breach without naming a block. */
const unnamed: Readonly<Partial<Record<Breach, RegExp>>> = {
	unanswered: withoutResults,
	late: withoutResults,
	notFirst: withoutResults,
	duplicateCall: notUnique,
};

/** Whether the words speak of the tool use id, and not of a longer one. */
function names(words: string, id: string): boolean {
	if (id === '') return false;
	for (let at = words.indexOf(id); at !== -1; at = words.indexOf(id, at + 1)) {
		if (!isOfId(words[at - 1]) && !isOfId(words[at + id.length])) return true;
	}
	return false;
}

function isOfId(character: string | undefined): boolean {
	return character !== undefined && /[\w-]/.test(character);
}

/** The sentence that the provider has written; its envelope tells a person nothing. */
function saidIn(words: string): string {
	const sentence = /^API Error: 400 (\{.+\})\s*$/s.exec(words)?.[1];
	return truncated(singleLine((sentence && messageIn(sentence)) ?? words), 400);
}

function messageIn(json: string): string | undefined {
	try {
		const body = JSON.parse(json) as { error?: { message?: unknown } | null } | null; // any JSON; looked at with care
		const message = body?.error?.message;
		return typeof message === 'string' && message !== '' ? message : undefined;
	} catch {
		// Cut off, or no JSON at all: then it stands as it is.
		return undefined;
	}
}
