// What one session does with the rows: a filter chain, a cursor, and aggregates that grow with each page. All of it is plain JSON in the
// session's state, and nothing of it is kept anywhere else.

import type { Column, DataSet, Measure, Strike, Value } from './strikes.ts';

export interface AnalyticsState {
	/** Of the file that the cursor belongs to. Absent in a new session. */
	dataVersion?: string;
	filters: Filter[];
	/** Set by the first page. */
	query: Query | null;
	/** The next row to look at. */
	cursor: number;
	/** Rows that were given out. */
	delivered: number;
	pages: number;
	/** By the values of `groupBy` in order of appearance; one for everything where nothing is grouped. Names come from outside: no object's keys. */
	groups: Group[];
}

export interface Query {
	readonly groupBy: Column | null;
	readonly measure: Measure;
}

export interface Filter {
	readonly column: Column;
	readonly is: 'equal' | 'not-equal' | 'one-of' | 'containing' | 'below' | 'above';
	readonly value: Value | readonly Value[];
}

interface Group {
	readonly name: Value;
	count: number;
	/** Rows that have a number there. */
	measured: number;
	sum: number;
}

export interface PageRequest {
	readonly pageSize: number;
	/** Undefined: as before. */
	readonly groupBy: Column | undefined;
	readonly measure: Measure | undefined;
	/** From the first row again, with the same filters. */
	readonly isReset: boolean;
}

export interface Page {
	readonly page: number;
	readonly rows: readonly Strike[];
	/** Rows so far, this page included, and how many there are. */
	readonly delivered: number;
	readonly matching: number;
	readonly isDone: boolean;
	/** Over all rows so far. */
	readonly aggregates: Query & { readonly groups: readonly Aggregate[] };
}

interface Aggregate {
	readonly name: Value;
	readonly count: number;
	readonly sum: number;
	/** Of the rows that have a number there; `null`: none has. */
	readonly mean: number | null;
}

/** What the model asked for cannot be done. The state stays as it was: a call that throws leaves no trace. */
export class QueryError extends Error {
	override readonly name = 'QueryError';
}

/** Adds to the filter chain, or begins a new one. Either way the pages begin again. */
export function changeFilters(
	state: AnalyticsState,
	data: DataSet,
	change: { readonly add: readonly Filter[]; readonly isCleared: boolean },
): { filters: readonly Filter[]; matching: number } {
	const filters = change.isCleared ? [...change.add] : [...(state.filters ?? []), ...change.add];
	if (filters.length > 20) throw new QueryError('A chain has at most 20 filters.');
	for (const filter of filters) check(filter);
	rewind(state, data, filters);
	return { filters, matching: matching(data, filters) };
}

/** The next page. */
export function nextPage(state: AnalyticsState, data: DataSet, request: PageRequest): Page {
	// A new session's state is an empty object, whatever its type says.
	const isNew = state.dataVersion === undefined;
	if (isNew || request.isReset) rewind(state, data, state.filters ?? []);
	if (state.dataVersion !== data.version)
		throw new QueryError('The data has changed since this session read its last page. Pass reset to begin again.');
	const query: Query = {
		groupBy: request.groupBy ?? state.query?.groupBy ?? null,
		measure: request.measure ?? state.query?.measure ?? 'cost',
	};
	if (state.query !== null && (query.groupBy !== state.query.groupBy || query.measure !== state.query.measure))
		throw new QueryError(
			`This session's pages are grouped by ${state.query.groupBy ?? 'nothing'} and measure ${state.query.measure}. Pass reset to begin again with others.`,
		);
	state.query = query;

	const rows: Strike[] = [];
	while (rows.length < request.pageSize) {
		const strike = data.strikes[state.cursor];
		if (strike === undefined) break;
		state.cursor++;
		if (!isMatch(strike, state.filters)) continue;
		rows.push(strike);
		count(state.groups, strike, query);
	}
	state.delivered += rows.length;
	state.pages++;
	const all = matching(data, state.filters);
	return {
		page: state.pages,
		rows,
		delivered: state.delivered,
		matching: all,
		isDone: state.delivered === all,
		aggregates: { ...query, groups: state.groups.map(aggregate) },
	};
}

function rewind(state: AnalyticsState, data: DataSet, filters: readonly Filter[]): void {
	Object.assign(state, {
		dataVersion: data.version,
		filters: [...filters],
		query: null,
		cursor: 0,
		delivered: 0,
		pages: 0,
		groups: [],
	} satisfies AnalyticsState);
}

function matching(data: DataSet, filters: readonly Filter[]): number {
	return data.strikes.reduce((sum, strike) => sum + (isMatch(strike, filters) ? 1 : 0), 0);
}

function isMatch(strike: Strike, filters: readonly Filter[]): boolean {
	return filters.every(({ column, is, value }) => {
		const actual = strike[column];
		switch (is) {
			case 'equal':
				return actual === value;
			case 'not-equal':
				return actual !== value;
			case 'one-of':
				return Array.isArray(value) && value.includes(actual);
			case 'containing':
				return String(actual ?? '')
					.toLowerCase()
					.includes(String(value).toLowerCase());
			case 'below':
				return order(actual, value) < 0;
			case 'above':
				return order(actual, value) > 0;
		}
	});
}

function check({ column, is, value }: Filter): void {
	const isList = Array.isArray(value);
	if (isList !== (is === 'one-of'))
		throw new QueryError(`The filter on ${column} needs ${isList ? 'one value' : 'a list of values'} for "${is}".`);
}

/** A date is text that sorts as dates do. Between text and numbers, or with nothing, there is no order: NaN. */
function order(one: unknown, other: unknown): number {
	if (typeof one === 'number' && typeof other === 'number') return one - other;
	if (typeof one === 'string' && typeof other === 'string') return one < other ? -1 : one > other ? 1 : 0;
	return Number.NaN;
}

function count(groups: Group[], strike: Strike, { groupBy, measure }: Query): void {
	const name = groupBy === null ? null : strike[groupBy];
	let group = groups.find((candidate) => candidate.name === name);
	if (group === undefined) groups.push((group = { name, count: 0, measured: 0, sum: 0 }));
	group.count++;
	const value = strike[measure];
	if (value === null) return;
	group.measured++;
	group.sum += value;
}

function aggregate({ name, count: rows, measured, sum }: Group): Aggregate {
	return { name, count: rows, sum, mean: measured === 0 ? null : sum / measured };
}
