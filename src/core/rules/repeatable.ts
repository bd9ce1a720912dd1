// Whether it does harm to run a call twice: as its server says of the tool, else as far as the tool's name tells.

import { toolOf } from '../conversation/index.ts';
import type { Conversation, ToolCall } from '../conversation/index.ts';
import { shapeOf } from '../scope/index.ts';

export interface Repeatability {
	readonly kind: 'harmless' | 'harmful' | 'unknown';
	/** A sentence: how this is known. */
	readonly evidence: string;
}

/** Of a call to an MCP server's tool. */
export function repeatabilityOf(conversation: Conversation, call: ToolCall): Repeatability {
	const told = call.hostCalls.map(({ isRepeatable }) => isRepeatable);
	if (told.includes(true)) return { kind: 'harmless', evidence: 'Its server says that it may be repeated.' };
	const named = byName(toolName(call), toolOf(conversation, call)?.description);
	// Most servers say nothing of their tools, those that only read among them.
	if (named.kind === 'harmless' || !told.includes(false)) return named;
	return { kind: 'harmful', evidence: 'Its server does not say that it may be repeated.' };
}

function toolName({ server, name, hostCalls }: ToolCall): { readonly server: string; readonly name: string } {
	return { server: server ?? hostCalls[0]?.server ?? '', name };
}

const known = new Map<string, Repeatability>();
const mostKnown = 500;

function byName(
	tool: { readonly server: string; readonly name: string },
	description: string | undefined,
): Repeatability {
	const key = `${tool.name} ${description ?? ''}`;
	let found = known.get(key);
	if (found === undefined) {
		if (known.size >= mostKnown) known.clear();
		known.set(key, (found = judged(tool, description)));
	}
	return found;
}

function judged(
	{ server, name }: { readonly server: string; readonly name: string },
	description: string | undefined,
): Repeatability {
	const { verb, words } = shapeOf({ server, name, description, inputSchema: undefined }, false);
	const reads = verb === 'list' || verb === 'read';
	if (reads) return { kind: 'harmless', evidence: 'By its name it only reads.' };
	const adds = { kind: 'harmful', evidence: 'By its name it does something new each time.' } as const;
	if (adding.some((word) => words.has(word))) return adds;
	const isSettled = verb === 'update' || verb === 'remove';
	// Setting, replacing and removing come to the same when they are done again.
	if (isSettled) return { kind: 'harmless', evidence: 'By its name it comes to the same when it is done again.' };
	if ((verb === 'create' || verb === 'send') && !putting.some((word) => words.has(word))) return adds;
	return { kind: 'unknown', evidence: 'Nothing tells whether it may be repeated.' };
}

/** Whatever else the name says, these add to what is there. */
const adding: readonly string[] = [
	'append',
	'increment',
	'charge',
	'pay',
	'purchase',
	'buy',
	'order',
	'transfer',
	'withdraw',
	'deposit',
	'refund',
	'enqueue',
	'deploy',
	'publish',
];

/** These may write the same over the same again. */
const putting: readonly string[] = [
	'write',
	'save',
	'import',
	'upload',
	'register',
	'copy',
	'init',
	'initialize',
	'setup',
];
