// An MCP server on stdio with several chat contexts, kept in the session store.
//
//   node server.ts --store DIR --context ID [--author NAME] [--busy-day]

import { parseArgs } from 'node:util';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { StoreError, openSessionStore } from '../../src/platform/node/sessionStore.ts';
import { writeBusyDay } from './busyDay.ts';
import { Chats } from './chat.ts';
import { createChatServer } from './tools.ts';

const options = {
	/** A directory of this machine. */
	store: { type: 'string' },
	/** The tab that the server's client runs in. */
	context: { type: 'string' },
	author: { type: 'string', default: 'assistant' },
	/** Writes a day's messages first, where there are none. */
	'busy-day': { type: 'boolean', default: false },
} as const;

const values = parsed();
const { store: directory, context: ownContext } = values;
if (directory === undefined || directory === '') usage('Say where the chats are kept: --store DIR.');
if (ownContext === undefined || ownContext === '') usage('Say which context its client runs in: --context ID.');

const store = await openSessionStore({ directory }).catch((error: unknown) => {
	// Its message is a finished sentence: what is wrong with the place, and what to do.
	if (error instanceof StoreError) return usage(error.message);
	throw error;
});
const chats = new Chats(store, ownContext);
if (values['busy-day']) await writeBusyDay(chats);
serveStdio(() => createChatServer({ chats, author: values.author }));

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end());
process.stdin.once('end', () => void end());

async function end(): Promise<never> {
	await store.close();
	process.exit(0);
}

function parsed() {
	try {
		return parseArgs({ options }).values;
	} catch (error) {
		// What is wrong is in the first line; the rest is for the author of a program.
		return usage(error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error));
	}
}

function usage(message: string): never {
	process.stderr.write(`${message}\n`);
	process.exit(2);
}
