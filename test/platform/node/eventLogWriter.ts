// Writes events as fast as it can until it is killed.
import { NodeEventLog } from '../../../src/platform/node/eventLog.ts';
import { TestStore } from './recordedEvents.ts';

const log = new NodeEventLog({
	openStore: new TestStore(process.argv[2] ?? '').open,
	name: 'a log',
	warn: (sentence) => process.stdout.write(`${sentence}\n`),
});
const message = Buffer.from(JSON.stringify({ text: 'x'.repeat(2_000) }));
let seq = 0;
setInterval(() => {
	for (let count = 0; count < 500; count++) {
		const head = `{"version":1,"seq":${seq},"sessionId":"mcp:c1","agent":{"unknown":"-"},"source":{"kind":"hook","event":"x"},"type":"hook","event":"x"`;
		if (log.append(head, message)) seq++;
	}
	if (seq === 5_000) process.stdout.write('going\n');
}, 1);
