// Node's SQLite, for the thread of an engine that dies between two of its steps.

import { DatabaseSync as NodeDatabase } from 'node:sqlite';
import type { SQLInputValue, StatementSync } from 'node:sqlite';
import { dieAt } from './failpoints.ts';

export class DatabaseSync extends NodeDatabase {
	override exec(sql: string): void {
		const isBegin = sql === 'BEGIN IMMEDIATE';
		if (isBegin) dieAt('before BEGIN');
		if (sql === 'COMMIT') dieAt('before COMMIT');
		super.exec(sql);
		if (isBegin) dieAt('after BEGIN');
		if (sql === 'COMMIT') dieAt('after COMMIT');
	}

	override prepare(sql: string): StatementSync {
		const statement = super.prepare(sql);
		const run = statement.run.bind(statement);
		// The engine gives its parameters by their places.
		statement.run = ((...parameters: SQLInputValue[]) => {
			const result = run(...parameters);
			dieAt('after the first statement');
			return result;
		}) as typeof run;
		return statement;
	}
}
