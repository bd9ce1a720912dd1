// A command of a lasting name for a program that moves, as an extension does with every update: what clients have in their
// configuration files must still start it afterwards.

import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ExpectedError } from '../../../core/base/errors.ts';
import { makeFolder } from './makeFolder.ts';
import type { Program } from './attach.ts';
import type { Launcher } from './config/routing.ts';
import { codeOf, isErrno } from '../errno.ts';
import { onceLetGo } from './heldFile.ts';
import { prepareDataDirectory } from './dataDirectory.ts';

/** Writes the command into the data directory, and says how it is called. */
export async function writeLauncher(directory: string, program: Program): Promise<Launcher> {
	const real = await prepareDataDirectory(directory);
	const { path, text, launcher } = launcherIn(real, program);
	try {
		await makeFolder(join(real, 'bin'), 0o700);
		const temporary = `${path}.${process.pid}`;
		await writeFile(temporary, text, { mode: 0o700 });
		await onceLetGo(() => rename(temporary, path));
	} catch (error) {
		throw new ExpectedError(`${path} cannot be written${codeOf(error)}.`, { cause: error });
	}
	return launcher;
}

/** Writes it anew if it is there and leads to where the program is no more. */
export async function refreshLauncher(directory: string, program: Program): Promise<void> {
	const { path, text } = launcherIn(directory, program);
	let known: string;
	try {
		known = await readFile(path, 'utf8');
	} catch (error) {
		if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return;
		throw new ExpectedError(`${path} cannot be read${codeOf(error)}.`, { cause: error });
	}
	if (known !== text) await writeLauncher(directory, program);
}

interface LauncherFile {
	readonly path: string;
	readonly text: string;
	readonly launcher: Launcher;
}

function launcherIn(directory: string, { command, args, environment }: Program): LauncherFile {
	const [script = '', ...rest] = args;
	if (process.platform === 'win32') {
		// Clients start no command files there.
		const path = join(directory, 'bin', 'cli.mjs');
		return {
			path,
			text: `// Written by Crosstalk, and written anew when it has moved.\nimport ${JSON.stringify(pathToFileURL(script).href)};\n`,
			launcher: { command, args: [path, ...rest], env: environment },
		};
	}
	const path = join(directory, 'bin', 'crosstalk');
	const variables = Object.entries(environment).map(([name, value]) => `${name}=${quoted(value)} `);
	return {
		path,
		text: `#!/bin/sh\n# Written by Crosstalk, and written anew when it has moved.\n${variables.join('')}exec ${[command, ...args].map(quoted).join(' ')} "$@"\n`,
		launcher: { command: path, args: [], env: {} },
	};
}

function quoted(text: string): string {
	return `'${text.replaceAll("'", "'\\''")}'`;
}
