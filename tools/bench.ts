// npm run bench [-- NAME…]
// One file of bench/ per figure. Each runs in a process of its own, so that none warms up or fills the memory of another, and ends
// with a code other than 0 when it misses its measure.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { root, runNode } from './process.ts';

const names = process.argv.slice(2);
const files = (await readdir(join(root, 'bench')).catch(() => []))
	.filter((file) => file.endsWith('.bench.ts'))
	.filter((file) => names.length === 0 || names.some((name) => file.includes(name)))
	.sort();

if (files.length === 0) {
	console.log(`No bench${names.length === 0 ? '' : ` whose name contains ${names.join(' or ')}`} in bench/.`);
	process.exitCode = 2;
}

let missed = 0;
for (const file of files) {
	console.log(`── ${file.replace(/\.bench\.ts$/, '')}`);
	// What is measured is what is shipped; the bench before may have built the extension for tests.
	const build = await runNode(['esbuild.js', '--production']);
	if (build.code !== 0) {
		console.log(build.output);
		process.exit(2);
	}
	const { code } = await runNode(['--expose-gc', join('bench', file)], { isShown: true });
	if (code !== 0) missed++;
}
if (files.length > 0) console.log(`${files.length - missed} within their measure, ${missed} not`);
if (missed > 0) process.exitCode = 1;
