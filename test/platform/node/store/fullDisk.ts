// Fills a small disk with a store, and says how far it gets: node fullDisk.ts FOLDER

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SqlError } from '../../../../src/core/store/sqlDatabase.ts';
import { openNodeSqlite } from '../../../../src/platform/node/store/nodeSqlite.ts';
import { sql, wholePairs, withPairs } from './engines.ts';

const [disk = ''] = process.argv.slice(2);
const directory = join(disk, 'store');
const ballast = join(disk, 'ballast');

const database = await openNodeSqlite({ directory });
const { generation, put } = await withPairs(database);
await put(0, 'x'.repeat(20_000));
let n = 1;
for (const size of [100_000, 4_096, 1]) {
	try {
		for (let file = 0; ; file++) writeFileSync(`${ballast}-${size}-${file}`, Buffer.alloc(size, 1));
	} catch {
		// Not even this is left.
	}
}
try {
	for (; n < 1_000; n++) await put(n, 'x'.repeat(20_000));
} catch (error) {
	if (!(error instanceof SqlError)) throw error;
	console.log(error.code);
}
// Others take at once what the store has given back.
const kept = await wholePairs(database);
if (kept.length === n) console.log('read');
await database.write([sql('DELETE FROM pairs WHERE n = 0')], generation);
console.log('deleted');
await database.close();
console.log('closed');
const second = await openNodeSqlite({ directory });
if ((await wholePairs(second)).length === n - 1) console.log('opened');
for (let file = 0; file < 20; file++) rmSync(`${ballast}-100000-${file}`, { force: true });
await (await withPairs(second)).put(2_000, 'x'.repeat(20_000));
if ((await wholePairs(second)).length === n) console.log('recovered');
await second.close();
