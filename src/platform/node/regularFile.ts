// Reading a file that may turn out to be none: opening a named pipe waits for somebody who writes into it, without end, and a device may never end.

import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { IrregularFileError } from './errno.ts';

// Not to wait, and so that signals reach us. Windows has no such flag.
export const openFlags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** A folder says itself that it is one, when it is read. */
export function isIrregular(found: Stats): boolean {
	return !found.isFile() && !found.isDirectory();
}

/** `readFile` of a file that a person or a program has put there. Rejects as that does, or with an `IrregularFileError`. */
export async function readRegularFile(path: string): Promise<Buffer> {
	if (isHandedOver(path)) return readFile(path);
	const file = await open(path, openFlags);
	try {
		if (isIrregular(await file.stat())) throw new IrregularFileError();
		return await file.readFile();
	} finally {
		await file.close();
	}
}

export async function readRegularText(path: string): Promise<string> {
	return (await readRegularFile(path)).toString('utf8');
}

/** The same at once. */
export function readRegularTextSync(path: string): string {
	const descriptor = openSync(path, openFlags);
	try {
		if (isIrregular(fstatSync(descriptor))) throw new IrregularFileError();
		return readFileSync(descriptor, 'utf8');
	} finally {
		closeSync(descriptor);
	}
}

/** `--config <(…)` of a shell, or its stdin: a pipe that is open already, and has its writer. */
function isHandedOver(path: string): boolean {
	return /^\/(?:dev\/stdin$|dev\/fd\/|proc\/self\/fd\/)/.test(path);
}
