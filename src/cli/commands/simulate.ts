import { setImmediate } from 'node:timers/promises';
import { formatJson } from '../../core/report/index.ts';
import { calibratedUpTo, ways } from '../../core/simulate/model.ts';
import { prices } from '../../core/simulate/prices.ts';
import { simulateInSteps } from '../../core/simulate/simulate.ts';
import type { SimulatedRow, SimulationOptions } from '../../core/simulate/simulate.ts';
import type { Command, CommandIo } from '../io.ts';
import { ProgressBar } from '../progressBar.ts';
import { simulationText } from '../simulationText.ts';
import { UsageError, parseOptions } from '../usage.ts';

const help = `Usage: crosstalk simulate [options]

Four ways to keep the state of a session that subagents share, side by side: errors, latencies,
lost updates, silent losses, cost.
A model, calibrated on two points: what is printed says what it is worth.

Options:
  --agents N[,N…]   How many subagents, from 1 to 64 (default: 1,2,4,6,8,16,32,64)
  --per-session N   How many of them share a session, from 1 to 64 (default: 2)
  --hibernate       Actors hibernate after 10 seconds, and lose their memory then
  --calls N         Calls that are simulated for each row, from 1000 to 10000000 (default: 150000)
  --seed N          The same seed gives the same table (default: 1)
  --json            For programs
  --help            This text

Exit code: 0 done, 2 could not run.
`;

export const simulate: Command = {
	help,
	async run(args, io) {
		const { values, positionals } = parseOptions(args, {
			agents: { type: 'string' },
			'per-session': { type: 'string' },
			hibernate: { type: 'boolean' },
			calls: { type: 'string' },
			seed: { type: 'string' },
			json: { type: 'boolean' },
		});
		const [extra] = positionals;
		if (extra !== undefined) throw new UsageError(`"${extra}" is one argument too many.`);
		const options: SimulationOptions = {
			subagents: (values.agents ?? '1,2,4,6,8,16,32,64')
				.split(',')
				.map((text) => wholeNumber('--agents', text, 1, 64)),
			perSession: wholeNumber('--per-session', values['per-session'] ?? '2', 1, 64),
			isHibernating: values.hibernate === true,
			calls: wholeNumber('--calls', values.calls ?? '150000', 1000, 10_000_000),
			seed: wholeNumber('--seed', values.seed ?? '1', 0, Number.MAX_SAFE_INTEGER),
		};
		const rows = await simulatedRows(options, io);
		io.stdout.write(
			values.json === true
				? formatJson({ version: 1, ...options, calibratedUpTo, ways, prices, rows })
				: simulationText(rows, options),
		);
		return 0;
	},
};

async function simulatedRows(options: SimulationOptions, io: CommandIo): Promise<readonly SimulatedRow[]> {
	const calls = options.subagents.length * ways.length * options.calls;
	const progress = new ProgressBar(io, calls, {
		doing: 'Simulating',
		all: (total) => `${total.toLocaleString('en')} calls`,
	});
	try {
		const steps = simulateInSteps(options);
		for (;;) {
			const step = steps.next();
			if (step.done === true) return step.value;
			progress.add(step.value);
			// Many calls take minutes; nothing is drawn, and Ctrl-C is not heard, while they are counted.
			await setImmediate();
			io.signal.throwIfAborted();
		}
	} finally {
		progress.end();
	}
}

function wholeNumber(option: string, text: string, from: number, to: number): number {
	const value = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
	if (!(value >= from && value <= to))
		throw new UsageError(`${option} is a whole number from ${from} to ${to}; it cannot be "${text}".`);
	return value;
}
