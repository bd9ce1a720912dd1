// The analytics server with a bug: one report costs a dollar more.
//
//   node changedAnalyticsServer.ts DIR

import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { openStore } from '../../examples/analytics-server/openStore.ts';
import { readStrikes } from '../../examples/analytics-server/strikes.ts';
import { createAnalyticsServer } from '../../examples/analytics-server/tools.ts';

const store = await openStore(process.argv[2] ?? '', undefined);
const read = await readStrikes();
const strikes = read.strikes.map((strike) => (strike.row === 1 ? { ...strike, cost: (strike.cost ?? 0) + 1 } : strike));
const data = { ...read, strikes };
serveStdio(() => createAnalyticsServer({ store, data, sessionFrom: 'argument', isKeyRequired: true }));

const end = async (): Promise<void> => {
	await store.close();
	process.exit(0);
};
process.stdin.once('end', () => void end());
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end());
