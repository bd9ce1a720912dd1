// Everything that can be said about the code without running it.

import { commandOf, runNode } from './process.ts';

const checks: readonly { readonly name: string; readonly command: readonly string[] }[] = [
	{ name: 'types', command: [commandOf('typescript', 'tsc'), '--project', '.'] },
	{ name: 'types of core, without any runtime', command: [commandOf('typescript', 'tsc'), '--project', 'src/core'] },
	{ name: 'types of the worker', command: [commandOf('typescript', 'tsc'), '--project', 'src/worker'] },
	{ name: 'lint and import walls', command: [commandOf('oxlint')] },
	{ name: 'dead code', command: [commandOf('knip'), '--treat-config-hints-as-errors'] },
	{ name: 'format', command: [commandOf('oxfmt'), '--check'] },
];

let failed = 0;
for (const { name, command } of checks) {
	const startedAt = performance.now();
	const { code, output } = await runNode(command);
	const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
	console.log(`${code === 0 ? '✔' : '✘'} ${name} (${seconds} s)`);
	if (code === 0) continue;
	failed++;
	console.log(output.trimEnd());
}
console.log(`${checks.length - failed} passed, ${failed} failed`);
if (failed > 0) process.exitCode = 1;
