import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Program } from '../../../../src/platform/node/host/attach.ts';
import type { Launcher } from '../../../../src/platform/node/host/config/routing.ts';
import { isRouted } from '../../../../src/platform/node/host/config/routing.ts';
import { refreshLauncher, writeLauncher } from '../../../../src/platform/node/host/lastingLauncher.ts';

describe('a launcher that lasts', () => {
	let folder: string;
	let directory: string;
	beforeEach(() => {
		folder = mkdtempSync(join(tmpdir(), "crosstalk launcher's "));
		directory = join(folder, 'data');
	});
	afterEach(() => rmSync(folder, { recursive: true, force: true }));

	/** A version of the program: says which one it is, and what it was given. */
	function programOf(version: string): Program {
		const place = join(folder, `it's ${version}`);
		mkdirSync(place);
		const script = join(place, 'cli.js');
		writeFileSync(
			script,
			`console.log(JSON.stringify([${JSON.stringify(version)}, process.env.TOLD, ...process.argv.slice(2)]));\n`,
		);
		return { command: process.execPath, args: [script], environment: { TOLD: "it's so" } };
	}

	async function call({ command, args, env }: Launcher): Promise<unknown> {
		const { stdout } = await promisify(execFile)(command, [...args, 'connect', "the 'files'"], {
			env: { ...process.env, ...env },
		});
		return JSON.parse(stdout);
	}

	it('starts the program with all that it is given', async () => {
		assert.deepEqual(await call(await writeLauncher(directory, programOf('1'))), [
			'1',
			"it's so",
			'connect',
			"the 'files'",
		]);
	});

	it('starts the program where it is now, called as before', async () => {
		const launcher = await writeLauncher(directory, programOf('1'));
		rmSync(join(folder, "it's 1"), { recursive: true });
		await refreshLauncher(directory, programOf('2'));
		assert.deepEqual(await call(launcher), ['2', "it's so", 'connect', "the 'files'"]);
	});

	it('is not made where there was none', async () => {
		await refreshLauncher(directory, programOf('1'));
		assert.equal(existsSync(directory), false);
	});

	it('is known again as the way through the host', async () => {
		const { command, args } = await writeLauncher(directory, programOf('1'));
		assert.equal(isRouted({ command, args: [...args, 'connect', 'files'] }), true);
	});
});
