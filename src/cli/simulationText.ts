import { ways } from '../core/simulate/model.ts';
import { prices } from '../core/simulate/prices.ts';
import type { SimulatedRow, SimulationOptions } from '../core/simulate/simulate.ts';
import { table } from './table.ts';

/** The table for a person, with what it is worth below it. */
export function simulationText(rows: readonly SimulatedRow[], options: SimulationOptions): string {
	const head = [
		'SUBAGENTS',
		'STATE IS KEPT IN',
		'ERRORS %',
		'BY FORMULA',
		'P50 MS',
		'P99 MS',
		'LOST UPDATES %',
		'SILENT LOSSES /10K',
		'READ BACK /10K',
		'$ A MONTH',
		'HIBERNATING',
	];
	const cells = rows.map((row) => [
		`${row.subagents}${row.isExtrapolated ? ' *' : ''}`,
		row.way,
		percent(row.errorRate),
		row.errorRateByFormula === undefined ? '' : percent(row.errorRateByFormula),
		row.p50Ms.toFixed(0),
		row.p99Ms.toFixed(0),
		percent(row.lostUpdateRate),
		row.silentLossesPer10k.toFixed(1),
		row.rehydrationsPer10k.toFixed(1),
		row.monthlyCost.usual.total.toFixed(2),
		row.monthlyCost.frugal.total.toFixed(2),
	]);
	return `${table(head, cells)}\n${legend()}\n${worth(options)}`;
}

function percent(share: number): string {
	return (100 * share).toFixed(1);
}

function legend(): string {
	return ways.map(({ id, title }) => `${id.padEnd(widest)}  ${title}\n`).join('');
}

const widest = Math.max(...ways.map(({ id }) => id.length));

function worth({ perSession, isHibernating, calls, seed }: SimulationOptions): string {
	return `${calls} calls a row, ${perSession === 1 ? 'a session each' : `${perSession} subagents a session`}, actors that ${isHibernating ? 'hibernate after 10 s' : 'do not hibernate'}, seed ${seed}.
This is a model. It is calibrated on two points, 0.8 % errors with 4 subagents and 4.3 % with 8, and on the latencies and sums that
were told with them; it has not been checked against anything else. * More than 8 subagents is extrapolation.
It does not prove that instances work like this: another mechanism may fit the two points as well. That actors lose no update, and
that those with a checkpoint lose nothing silently, follows from how they are built, not from the simulation. A failed call's own
cost is not in the latencies. Prices are those of ${prices.readAt}, without the plan's $${prices.base}, for calls all month without a break.
`;
}
