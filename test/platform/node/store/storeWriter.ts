// A process that writes pairs into a store, one number after another or several at once, and says of each what became of it, in the order in
// which it was told: `acknowledged N` or `rejected N CODE`.
// node storeWriter.ts DIRECTORY FIRST COUNT SIZE AT_ONCE LOG_BYTES REMOTE

import { writeSync } from 'node:fs';
import { SqlError } from '../../../../src/core/store/sqlDatabase.ts';
import { openNodeSqlite } from '../../../../src/platform/node/store/nodeSqlite.ts';
import { withPairs } from './engines.ts';

const [directory = '', ...numbers] = process.argv.slice(2);
const [first = 0, count = 0, size = 0, atOnce = 1, logBytes = 0, remote = 0] = numbers.map(Number);

const database = await openNodeSqlite({ directory, logBytes, ...(remote === 1 && { isRemote: true }) });
const { put } = await withPairs(database);
say('begins');
for (let n = first; n < first + count; n += atOnce) {
	await Promise.all(Array.from({ length: atOnce }, (_, index) => tell(n + index)));
}
say('ends');
await database.close();

async function tell(n: number): Promise<void> {
	try {
		await put(n, `${n} `.repeat(size / `${n} `.length));
		say(`acknowledged ${n}`);
	} catch (error) {
		if (!(error instanceof SqlError)) throw error;
		say(`rejected ${n} ${error.code}`);
	}
}

/** At once, so that whoever watches the process sees it between what it writes before and after. */
function say(line: string): void {
	writeSync(1, `${line}\n`);
}
