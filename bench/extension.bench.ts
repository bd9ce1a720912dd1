import { statSync } from 'node:fs';
import { join } from 'node:path';
import { report, run } from './measure.ts';

// What a person waits for in a real VS Code: the suites print their figures, which are held to their measure here and not in a test.

const root = join(import.meta.dirname, '..');
const build = await run(process.execPath, [join(root, 'esbuild.js'), '--production']);
if (build.code !== 0) throw new Error('The build failed.');
const bundle = statSync(join(root, 'dist', 'extension.cjs')).size / 1024;
const { stdout, code } = await run(process.execPath, [
	join(root, 'test', 'vscode', 'run.ts'),
	'--grep',
	'the speed|a live session',
]);
if (code !== 0) throw new Error(`The suites failed:\n${stdout}`);

function figure(pattern: RegExp): number {
	const found = pattern.exec(stdout)?.[1];
	if (found === undefined) throw new Error(`The suites printed no ${String(pattern)}:\n${stdout}`);
	return Number(found);
}

report('bundle of the extension entry, minified', bundle, ' KB', { at: 'most', value: 400 });
report('activation', figure(/activate took ([\d.]+) ms/), ' ms', { at: 'most', value: 30 });
report('first rows of the agents tree', figure(/first rows (\d+) ms/), ' ms', { at: 'most', value: 1000 });
report('a 200 MB session is read after', figure(/all of it (\d+) ms/), ' ms');
report('longest block of the event loop meanwhile', figure(/longest block (\d+) ms/), ' ms', { at: 'most', value: 50 });
report('appended line to Problems, median', figure(/Problems: median (\d+) ms/), ' ms', { at: 'most', value: 100 });
report('appended line to Problems, longest of 20', figure(/longest (\d+) ms$/m), ' ms');
