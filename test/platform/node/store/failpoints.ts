// Places at which a process under test dies: the one that the file says which `CROSSTALK_TEST_FAILPOINT` names.

import { readFileSync } from 'node:fs';

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
	if (file === undefined || readFileSync(file, 'utf8') !== step) return;
	process.kill(process.pid, 'SIGKILL');
	// The signal may take a moment, in which a thread would go on.
	for (;;);
}
