import { statSync } from 'node:fs';
import { join } from 'node:path';
import { median, report, run } from './measure.ts';

// What a person waits for in a real VS Code: the suites print their figures, which are held to their measure here and not in a test.

const root = join(import.meta.dirname, '..');
// Before the suites, which build it with what tests need.
const bundle = statSync(join(root, 'dist', 'extension.cjs')).size / 1024;
const stdout = await suites('the speed|a live session');

// A window starts while VS Code itself still takes both cores: one figure alone says as much about that as about the extension.
const activations = [figure(/activate took ([\d.]+) ms/)];
while (activations.length < 5) {
	activations.push(figure(/activate took ([\d.]+) ms/, await suites('the speed of activation')));
}

async function suites(pattern: string): Promise<string> {
	const ran = await run(process.execPath, [join(root, 'test', 'vscode', 'run.ts'), '--grep', pattern]);
	if (ran.code !== 0) throw new Error(`The suites failed:\n${ran.stdout}`);
	return ran.stdout;
}

function figure(pattern: RegExp, printed = stdout): number {
	const found = pattern.exec(printed)?.[1];
	if (found === undefined) throw new Error(`The suites printed no ${String(pattern)}:\n${printed}`);
	return Number(found);
}

report('bundle of the extension entry, minified', bundle, ' KB', { at: 'most', value: 400 });
report('activation, median of 5 windows', median(activations), ' ms', { at: 'most', value: 30 });
report('activation, slowest of 5 windows', Math.max(...activations), ' ms');
report('first rows of the agents tree', figure(/first rows (\d+) ms/), ' ms', { at: 'most', value: 1000 });
report('a 200 MB session is read after', figure(/all of it (\d+) ms/), ' ms');
report('longest block of the event loop meanwhile', figure(/longest block (\d+) ms/), ' ms', { at: 'most', value: 50 });
report('appended line to Problems, median', figure(/Problems: median (\d+) ms/), ' ms', { at: 'most', value: 100 });
report('appended line to Problems, longest of 20', figure(/longest (\d+) ms$/m), ' ms');
