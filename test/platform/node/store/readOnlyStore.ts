// Opens a store in a folder that cannot be written to, and says what can be done: node readOnlyStore.ts DIRECTORY

import { SqlError } from '../../../../src/core/store/sqlDatabase.ts';
import { StoreError } from '../../../../src/core/store/storeError.ts';
import { openNodeSqlite } from '../../../../src/platform/node/store/nodeSqlite.ts';
import { sql, wholePairs } from './engines.ts';

const [directory = ''] = process.argv.slice(2);

try {
	const database = await openNodeSqlite({ directory });
	console.log(`read only: ${database.isReadOnly}`);
	console.log(`read: ${(await wholePairs(database)).join()}`);
	await database.claim().catch(say);
	await database.write([sql('DELETE FROM pairs')], 1).catch(say);
	await database.close();
} catch (error) {
	say(error);
}

function say(error: unknown): void {
	if (!(error instanceof SqlError || error instanceof StoreError)) throw error;
	console.log(`${error.code}: ${error.message}`);
}
