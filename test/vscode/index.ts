// Loaded by VS Code in its extension host: runs the suites there and tells the runner outside how it went.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'node:util';
import Mocha from 'mocha';
import { ask } from './runner.ts';

declare const __dirname: string;

export async function run(): Promise<void> {
	const mocha = new Mocha({ ui: 'bdd', timeout: 300_000, color: false, forbidOnly: true, forbidPending: true });
	const pattern = process.env.CROSSTALK_TEST_GREP;
	if (pattern !== undefined) mocha.grep(pattern);
	const folder = join(__dirname, 'suite');
	for (const name of readdirSync(folder).sort()) {
		if (name.endsWith('.test.cjs')) mocha.addFile(join(folder, name));
	}

	// The console of an extension host is seen nowhere outside; the runner's is.
	let reporting: Promise<unknown> = Promise.resolve();
	Mocha.reporters.Base.consoleLog = (...values: unknown[]) => {
		const line = format(...values);
		reporting = reporting.then(() => ask('report', { line }));
	};

	const stats = await new Promise<Mocha.Stats | undefined>((resolve) => {
		const runner = mocha.run(() => resolve(runner.stats));
		// What the window looked like says more than what was waited for.
		runner.on('fail', ({ title }) => {
			const name = `failed-${title.replaceAll(/[^\w]+/g, '-').slice(0, 60)}`;
			reporting = reporting.then(() => ask('screenshot', { name }));
		});
	});
	await reporting;
	if (stats === undefined) throw new Error('Mocha kept no counts');
	await ask('finish', { passed: stats.passes, failed: stats.failures });
	if (stats.failures > 0) throw new Error(`${stats.failures} failed`);
}
