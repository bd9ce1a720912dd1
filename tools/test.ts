// npm test: every suite in turn. Groups of tests that failed are run once more when all else is done: most tests start processes, and wait for
// them on a machine that others use too. A failure that does not come back is told all the same, as one that comes and goes. What failed is told
// at the end, where it is looked for and where a log that is cut still has it; the last line is the sum of what the suites counted.

import { commandOf, runNode } from './process.ts';
import { countsIn, failedGroups, failuresIn } from './suiteOutput.ts';
import type { Counts } from './suiteOutput.ts';

interface Suite {
	readonly name: string;
	readonly command: readonly string[];
	/** For one that hangs: far from what a slow machine needs. */
	readonly limitMinutes: number;
}

/** What stands in one list runs side by side: tests that start processes mostly wait for them. */
const suites: readonly (Suite | readonly Suite[])[] = [
	{ name: 'check', command: ['tools/check.ts'], limitMinutes: 10 },
	[
		{
			name: 'unit',
			command: [commandOf('mocha'), '--ignore', 'test/platform/**', 'test/**/*.test.ts'],
			limitMinutes: 20,
		},
		{ name: 'platform', command: [commandOf('mocha'), 'test/platform/**/*.test.ts'], limitMinutes: 20 },
	],
	{
		name: 'mcp',
		command: [commandOf('mocha'), '--no-package', '--config', 'test/mcp/.mocharc.json'],
		limitMinutes: 20,
	},
	{
		name: 'worker',
		command: [commandOf('mocha'), '--no-package', '--config', 'test/worker/.mocharc.json'],
		limitMinutes: 15,
	},
	{
		name: 'e2e',
		command: [commandOf('mocha'), '--no-package', '--config', 'test/e2e/.mocharc.json'],
		limitMinutes: 25,
	},
	{ name: 'vscode', command: ['test/vscode/run.ts'], limitMinutes: 25 },
];

/** With more failures than this nothing comes and goes: the code is broken. */
const mostToRepeat = 5;

const noCounts: Counts = { passed: 0, failed: 0 };

interface Run {
	readonly suite: Suite;
	readonly code: number;
	readonly output: string;
	readonly counts: Counts;
	readonly seconds: number;
}

const runs: Run[] = [];
for (const one of suites) {
	const side = 'name' in one ? [one] : one;
	const ended = await Promise.all(side.map(async (suite, index) => run(suite, index === 0)));
	for (const { suite, output } of ended.slice(1)) console.log(`${titleOf(suite.name)}\n${output}`);
	runs.push(...ended);
}

const summaries: string[] = [];
let passed = 0;
let failed = 0;
for (const { suite, code, output, counts, seconds } of runs) {
	const isCrash = code !== 0 && counts.failed === 0;
	const comesBack = code === 0 || (await failsAgain(suite, output, counts));
	const stillFailed = isCrash ? 1 : comesBack ? counts.failed : 0;
	passed += counts.passed + counts.failed - (isCrash ? 0 : stillFailed);
	failed += stillFailed;
	const told = [`${counts.passed} passed, ${counts.failed} failed`];
	if (isCrash) told.push(`ended with code ${code}`);
	if (!comesBack) told.push('passed when run again');
	summaries.push(`${suite.name}: ${told.join(', ')} (${seconds} s)`);
	if (code !== 0) console.log(`${titleOf(`${suite.name}: what failed`)}\n${failuresIn(output)}`);
}

console.log(`\n${summaries.join('\n')}`);
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0) process.exitCode = 1;

/** @param isShown Its output passes on as it comes. */
async function run(suite: Suite, isShown: boolean): Promise<Run> {
	if (isShown) console.log(titleOf(suite.name));
	const startedAt = performance.now();
	const { code, output } = await runNode(suite.command, { isShown, limitMs: suite.limitMinutes * 60_000 });
	const seconds = Math.round((performance.now() - startedAt) / 1000);
	const counts = countsIn(output);
	// A suite that counts nothing has failed, whatever its code.
	return { suite, code: counts === undefined ? code || 1 : code, output, counts: counts ?? noCounts, seconds };
}

async function failsAgain({ name, command, limitMinutes }: Suite, output: string, counts: Counts): Promise<boolean> {
	const groups = failedGroups(output);
	if (groups.length === 0 || counts.failed > mostToRepeat) return true;
	console.log(titleOf(`${name}: what failed, once more`));
	const pattern = `^(${groups.map((group) => group.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|')}) `;
	const again = await runNode([...command, '--grep', pattern], { isShown: true, limitMs: limitMinutes * 60_000 });
	return again.code !== 0 || (countsIn(again.output)?.passed ?? 0) === 0;
}

function titleOf(text: string): string {
	return `\n── ${text} ${'─'.repeat(Math.max(0, 60 - text.length))}`;
}
