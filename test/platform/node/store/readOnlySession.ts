// Opens the session store of a directory that cannot be written to, and says what can be done: node readOnlySession.ts DIRECTORY

import { StoreError } from '../../../../src/core/store/storeError.ts';
import { openSessionStore } from '../../../../src/platform/node/store/openSessionStore.ts';

const [directory = ''] = process.argv.slice(2);

try {
	const store = await openSessionStore({ directory });
	const session = store.session('a');
	console.log(`read: ${JSON.stringify(await session.read())}`);
	console.log(`listed: ${(await store.sessions()).map(({ id, seq }) => `${id} ${seq}`).join()}`);
	await session.call({ key: 'k', tool: 't', args: {} }, () => console.log('it ran')).catch(say);
	await store.close();
} catch (error) {
	say(error);
}

function say(error: unknown): void {
	if (!(error instanceof StoreError)) throw error;
	console.log(`${error.code}: ${error.message}`);
}
