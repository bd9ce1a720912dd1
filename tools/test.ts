// npm test: every suite in turn, then what failed once more, where it is looked for and where a log that is cut still has it; the last line is the
// sum of what the suites counted.

import { commandOf, runNode } from './process.ts';
import { countsIn, failuresIn } from './suiteOutput.ts';

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

let passed = 0;
let failed = 0;
const summaries: string[] = [];
const failures: string[] = [];
for (const one of suites) {
	const side = 'name' in one ? [one] : one;
	const unshown = await Promise.all(side.map(async (suite, index) => run(suite, index === 0)));
	for (const output of unshown) if (output !== '') console.log(output);
}

for (const text of failures) console.log(text);
console.log(`\n${summaries.join('\n')}`);
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0) process.exitCode = 1;

/** @param isShown Its output passes on as it comes; else it is what is given, to be shown when nothing else is. */
async function run({ name, command, limitMinutes }: Suite, isShown: boolean): Promise<string> {
	if (isShown) console.log(titleOf(name));
	const startedAt = performance.now();
	const { code, output } = await runNode(command, { isShown, limitMs: limitMinutes * 60_000 });
	const seconds = Math.round((performance.now() - startedAt) / 1000);
	const counts = countsIn(output);
	// A suite that crashes after its last test, or before its first, has failed all the same.
	const unaccounted = counts === undefined || (code !== 0 && counts.failed === 0) ? 1 : 0;
	const failedHere = (counts?.failed ?? 0) + unaccounted;
	passed += counts?.passed ?? 0;
	failed += failedHere;
	const told = counts === undefined ? 'no count' : `${counts.passed} passed, ${counts.failed} failed`;
	summaries.push(`${name}: ${told}${unaccounted > 0 ? `, ended with code ${code}` : ''} (${seconds} s)`);
	if (failedHere > 0) failures.push(`${titleOf(`${name}: what failed`)}\n${failuresIn(output)}`);
	return isShown ? '' : `${titleOf(name)}\n${output}`;
}

function titleOf(text: string): string {
	return `\n── ${text} ${'─'.repeat(Math.max(0, 60 - text.length))}`;
}
