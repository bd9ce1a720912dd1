import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { median, report, run } from './measure.ts';
import { generateHome } from './transcripts.ts';

// `crosstalk lint` over 500 MB and 1 GB of transcripts, beside a loop that parses every line and beside jq, in turn and in one run.

const root = join(import.meta.dirname, '..');
const cli = join(root, 'dist', 'cli.js');
if (!existsSync(cli)) throw new Error('Run "npm run build" first.');
const parseLoop = join(import.meta.dirname, 'peers', 'parseEveryLine.js');
const half = await generateHome(500);
const whole = await generateHome(1000);
const lint = async (home: string) => {
	await inMemory(home);
	return run(process.execPath, [cli, 'lint', '--assume', 'ended', '--fail-on', 'never', '--format', 'json', home]);
};

const lintSeconds: number[] = [];
const parseSeconds: number[] = [];
const jqSeconds: number[] = [];
let peak = 0;
for (let round = 0; round < 5; round++) {
	const linted = await lint(half);
	lintSeconds.push(linted.seconds);
	peak = Math.max(peak, linted.peakMegabytes ?? 0);
	await inMemory(half);
	parseSeconds.push((await run(process.execPath, [parseLoop, half])).seconds);
	if (round < 3) {
		await inMemory(half);
		jqSeconds.push(
			(
				await run('sh', [
					'-c',
					`find "$0" -name '*.jsonl' -exec cat {} + | jq -c 'select(.type=="assistant")'`,
					half,
				])
			).seconds,
		);
	}
}
const peakOfWhole = Math.max((await lint(whole)).peakMegabytes ?? 0, (await lint(whole)).peakMegabytes ?? 0);

/** Whoever comes first would wait for the disk, and the others would not: a system forgets files that nobody reads for some seconds. */
async function inMemory(home: string): Promise<void> {
	await run('sh', ['-c', `find "$0" -name '*.jsonl' -exec cat {} + | wc -c`, home]);
}

report('lint of 500 MB', median(lintSeconds), ' s');
report('a loop that reads the files and parses every line', median(parseSeconds), ' s');
report(
	'lint / parse loop',
	median(lintSeconds.map((seconds, index) => seconds / (parseSeconds[index] ?? Number.NaN))),
	'',
	{ at: 'most', value: 0.5 },
);
report('jq -c \'select(.type=="assistant")\' / lint', median(jqSeconds) / median(lintSeconds), '', {
	at: 'least',
	value: 3,
});
report('peak memory, 500 MB', peak, ' MB', { at: 'most', value: 200 });
report('peak memory, 1 GB', peakOfWhole, ' MB', { at: 'most', value: 200 });
report('peak memory, 1 GB / 500 MB', peakOfWhole / peak, '', { at: 'most', value: 1.1 });
