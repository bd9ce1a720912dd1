import { SqlError } from '../../core/store/sqlDatabase.ts';
import type { SqlStatement, SqlValue } from '../../core/store/sqlDatabase.ts';
import { utf8Length } from '../../core/store/utf8.ts';

// developers.cloudflare.com/durable-objects/platform/limits. The runtime on this machine does not hold all of them, the one in production does.
const longestRow = 2_000_000;
const longestStatement = 100_000;
const mostParameters = 100;

const kept = /^\s*(?:BEGIN|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE|PRAGMA|ATTACH|DETACH|VACUUM)\b/iu;

/** Throws what every engine refuses, so that nothing passes on one and fails on another. */
export function refuseBeyondLimits({ sql, parameters }: SqlStatement): void {
	const shown = sql.length > 100 ? `${sql.slice(0, 100)}…` : sql;
	if (kept.test(sql)) throw new SqlError('limit', `A statement may not be "${shown}".`);
	if (bytesOf(sql) > longestStatement) {
		throw new SqlError('limit', `A statement is longer than ${longestStatement} bytes: "${shown}".`);
	}
	if (sql.replace(/;\s*$/u, '').includes(';')) throw new SqlError('limit', `More than one statement: "${shown}".`);
	if (parameters.length > mostParameters) {
		throw new SqlError('limit', `${parameters.length} parameters are more than ${mostParameters}.`);
	}
	for (const parameter of parameters) refuseUnkept(parameter);
	const bytes = parameters.reduce<number>((sum, parameter) => sum + bytesOf(parameter), 0);
	if (bytes > longestRow) throw new SqlError('limit', `A row of ${bytes} bytes is longer than ${longestRow}.`);
}

/** What would not be read back as it was written. */
function refuseUnkept(value: SqlValue): void {
	if (typeof value === 'string' && /\p{Surrogate}/u.test(value)) {
		throw new SqlError('other', 'A text with a lone surrogate would not be read back as it was written.');
	}
	if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
		throw new SqlError('other', `${value} is not a safe integer.`);
	}
}

function bytesOf(value: SqlValue): number {
	if (value === null) return 0;
	if (typeof value === 'number') return 8;
	return typeof value === 'string' ? utf8Length(value) : value.byteLength;
}
