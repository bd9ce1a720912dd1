// A process that owns a session store and does nothing with it itself, until its standard input ends: node storeOwner.ts DIRECTORY

import { once } from 'node:events';
import { openSessionStore } from '../../src/platform/node/store/openSessionStore.ts';

const [directory = ''] = process.argv.slice(2);
const store = await openSessionStore({ directory });
console.log('ready');
process.stdin.resume();
await once(process.stdin, 'end');
await store.close();
