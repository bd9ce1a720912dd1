// A debugger in a process of its own, which stops every call and can be killed: it prints one line when it is ready and one for each stop.

import { connectControl } from '../../src/platform/node/host/controlClient.ts';

const [path = ''] = process.argv.slice(2);
const client = await connectControl(path, { client: 'a debugger', timeoutMs: 20_000 });
if (client === undefined) throw new Error('Nobody listens there.');
client.onDebug('debug/didStop', ({ stopId }) => console.log(stopId));
await client.request('debug/attach', { client: 'a debugger', sessions: null });
await client.request('debug/set', { breakpoints: [{ id: '1', tool: '*' }], rules: [], onToolError: false });
console.log('ready');
// It has no other end than to be killed.
setInterval(() => undefined, 60_000);
