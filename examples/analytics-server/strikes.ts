// Reports of birds and other animals that hit aircraft, from the Wildlife Strike Database of the U.S. Federal Aviation Administration, as the
// npm package vega-datasets ships them.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

export const columns = {
	airport: 'Airport Name',
	aircraft: 'Aircraft Make Model',
	damage: 'Effect Amount of damage',
	date: 'Flight Date',
	operator: 'Aircraft Airline Operator',
	state: 'Origin State',
	phase: 'Phase of flight',
	size: 'Wildlife Size',
	species: 'Wildlife Species',
	time: 'Time of day',
	costOther: 'Cost Other',
	costRepair: 'Cost Repair',
	cost: 'Cost Total $',
	speed: 'Speed IAS in knots',
} as const;

export type Column = keyof typeof columns;

export const measures = ['cost', 'costRepair', 'costOther', 'speed'] as const;

export type Measure = (typeof measures)[number];

export type Value = string | number | null;

/** One report. */
export interface Strike
	extends Readonly<Record<Exclude<Column, Measure>, string>>, Readonly<Record<Measure, number | null>> {
	/** Its place in the file, from 0. */
	readonly row: number;
}

export interface DataSet {
	/** Tells this version of the file from all others. */
	readonly version: string;
	readonly strikes: readonly Strike[];
}

export async function readStrikes(): Promise<DataSet> {
	// The package exports its loader only, which would fetch the file; it lies beside.
	const file = new URL('../data/birdstrikes.csv', import.meta.resolve('vega-datasets'));
	const text = await readFile(file, 'utf8');
	const [head = [], ...rows] = cellsOf(text);
	const places = Object.entries(columns).map(([name, title]) => {
		const place = head.indexOf(title);
		if (place === -1) throw new Error(`birdstrikes.csv has no column "${title}".`);
		return { name, place };
	});
	return {
		version: createHash('sha256').update(text).digest('hex').slice(0, 16),
		strikes: rows.map((cells, row) => {
			const entries = places.map(({ name, place }) => [name, valueOf(name, cells[place] ?? '')]);
			return { row, ...Object.fromEntries(entries) } as Strike; // every column is there, by the loop above
		}),
	};
}

function valueOf(column: string, cell: string): Value {
	const isMeasure = measures.some((measure) => measure === column);
	if (!isMeasure) return cell;
	return cell === '' ? null : Number(cell);
}

/** CSV as RFC 4180 has it: a cell in quotes may hold commas, line ends and doubled quotes. */
function cellsOf(text: string): string[][] {
	const rows: string[][] = [];
	let cells: string[] = [];
	for (const [, quoted, plain = '', end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
		cells.push(quoted?.replaceAll('""', '"') ?? plain);
		if (end === ',') continue;
		if (cells.length > 1 || cells[0] !== '') rows.push(cells);
		cells = [];
	}
	return rows;
}
