// A caller that gets a turn, says so, and never ends it.

import { connectSessionStore } from '../../src/platform/node/store/connectSessionStore.ts';
import { heldAdd } from '../contract/engine.ts';
import { token } from './localWorker.ts';

const [url = '', sessionId = ''] = process.argv.slice(2);
const store = await connectSessionStore({ url, token });
const held = heldAdd(store.session(sessionId), 10);
await held.begun;
console.log('begun');
await held.reply;
