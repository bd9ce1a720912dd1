// The worker on this machine for a process that cannot run the runtime itself. Says where it is and what its token is, and ends with its input.

import { once } from 'node:events';
import { bundle, startWorker, token } from './localWorker.ts';

const worker = await startWorker({ script: await bundle() });
console.log(JSON.stringify({ url: worker.url, token }));
process.stdin.resume();
await once(process.stdin, 'end');
await worker.dispose();
