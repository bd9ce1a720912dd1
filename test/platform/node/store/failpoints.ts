// Places at which a process under test dies or is stopped: the one that the file says which `CROSSTALK_TEST_FAILPOINT` names.

import { readFileSync, writeFileSync } from 'node:fs';

export const steps = [
	'before the tool',
	'after the tool',
	'before BEGIN',
	'after BEGIN',
	'after the first statement',
	'before COMMIT',
	'after COMMIT',
	'before the reply',
] as const;

export type Step = (typeof steps)[number];

export function dieAt(step: Step): void {
	const file = process.env['CROSSTALK_TEST_FAILPOINT'];
	if (file === undefined) return;
	const wanted = readFileSync(file, 'utf8');
	if (wanted === stopAt(step)) {
		writeFileSync(file, '');
		process.kill(process.pid, 'SIGSTOP');
		// The signal may take a moment, in which a thread would go on.
		const until = performance.now() + 200;
		while (performance.now() < until);
	}
	if (wanted !== step) return;
	process.kill(process.pid, 'SIGKILL');
	for (;;);
}

/** What the file says for a process to be stopped there once. */
export function stopAt(step: Step): string {
	return `stop ${step}`;
}
