// What docs/cli.md shows is what the commands print; `…` stands for whatever is left out.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { MemoryIo, run } from './memoryIo.ts';

describe('docs/cli.md', () => {
	const page = readFileSync('docs/cli.md', 'utf8');
	const examples = [...page.matchAll(/```console\n\$ (?:\w+=\S+ )?crosstalk (.+)\n([\s\S]*?)```/g)].map(
		([, command = '', output = '']) => ({ command, output }),
	);

	it('has an example of every command', () => {
		assert.deepEqual(
			examples.map(({ command }) => command.split(' ')[0]),
			['lint', 'show', 'sessions', 'compare', 'simulate'],
		);
	});

	for (const { command, output } of examples) {
		it(`shows what "crosstalk ${command}" prints`, async () => {
			const { stdout } = await run(
				command.split(' '),
				new MemoryIo({ homeFolder: `${process.cwd()}/examples/recorded` }),
			);
			const expected = output
				.split('…')
				.map((text) => text.replaceAll(/[\^$.*+?()[\]{}|\\]/g, '\\$&'))
				.join('[\\s\\S]*');
			assert.match(stdout, new RegExp(`^${expected}$`));
		});
	}

	it('names every option that the help names, where it tells of the command', async () => {
		const sections = page.split(/^## crosstalk /m);
		const commands = [
			'lint',
			'show',
			'sessions',
			'save',
			'compare',
			'replay',
			'host',
			'connect',
			'status',
			'run',
			'fault',
			'debug',
			'hooks',
			'hook',
			'import',
			'restore',
			'simulate',
		];
		for (const command of commands) {
			const section = sections.find((text) => text.startsWith(`${command}\n`));
			assert.ok(section, command);
			const { stdout } = await run([command, '--help']);
			for (const [option] of stdout.matchAll(/--[a-z-]+/g)) {
				// Told once for all of them.
				if (option !== '--help') assert.ok(section.includes(option), `${option} of ${command}`);
			}
		}
	});
});
