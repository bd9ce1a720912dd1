// What passes on one engine must pass on all, and a Durable Object is the narrowest (developers.cloudflare.com/durable-objects/platform/limits).
// The runtime of Cloudflare that runs on one's own machine does not hold all of these limits; the one in production does.

import { SqlError } from './sqlDatabase.ts';
import type { SqlStatement } from './sqlDatabase.ts';
import { utf8Length } from './utf8.ts';

/** Of a row, and of a value in it. */
export const rowBytes = 2_000_000;
export const statementBytes = 100_000;
export const mostParameters = 100;

const numberBytes = 8;

const known = new Set<string>();
const mostKnown = 1_000;

/** Throws `SqlError`. */
export function refuseUnportable({ sql, parameters }: SqlStatement): void {
	if (!known.has(sql)) {
		refuseUnportableText(sql);
		if (known.size < mostKnown) known.add(sql);
	}
	if (parameters.length > mostParameters) {
		throw new SqlError('limit', `${parameters.length} parameters are more than ${mostParameters}.`);
	}
	let characters = 0;
	for (const value of parameters) {
		if (typeof value === 'string') {
			// Node has it since 20; the library of types for its oldest version does not tell.
			if (!(value as string & { isWellFormed(): boolean }).isWellFormed()) {
				throw new SqlError('other', 'A lone surrogate would not be read back as it was written.');
			}
			characters += value.length;
		} else if (typeof value === 'number') {
			if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
				throw new SqlError('other', `${value} is not a safe integer.`);
			}
			characters += numberBytes;
		} else if (value !== null) {
			characters += value.byteLength;
		}
	}
	// A character is three bytes at most: mostly there is nothing to count.
	if (characters * 3 <= rowBytes) return;
	let bytes = 0;
	for (const value of parameters) {
		if (typeof value === 'string') bytes += utf8Length(value);
		else if (typeof value === 'number') bytes += numberBytes;
		else if (value !== null) bytes += value.byteLength;
	}
	if (bytes > rowBytes) throw new SqlError('limit', `A row of ${bytes} bytes is larger than ${rowBytes}.`);
}

function refuseUnportableText(sql: string): void {
	const bytes = utf8Length(sql);
	if (bytes > statementBytes) {
		throw new SqlError('limit', `A statement of ${bytes} bytes is larger than ${statementBytes}.`);
	}
	if (/^\s*(?:BEGIN|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE|PRAGMA|ATTACH|DETACH|VACUUM)\b/iu.test(sql)) {
		throw new SqlError('limit', `A statement may not be "${sql}".`);
	}
	if (sql.replace(/;\s*$/u, '').includes(';')) throw new SqlError('limit', `More than one statement: "${sql}".`);
}
