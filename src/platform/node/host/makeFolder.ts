import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isErrno } from '../errno.ts';

/**
 * Makes a folder, with those above it, unless it is there. Node's own `recursive` never ends where the system says of a folder that is there
 * that it is not, as Linux does below /proc.
 * @param mode Of the folders that are made. Rejects as `mkdir` does: with `EEXIST` or `ENOTDIR` where a file is in the way.
 */
export async function makeFolder(path: string, mode: number): Promise<void> {
	if (await isFolder(path)) return;
	const parent = dirname(path);
	if (parent !== path) await makeFolder(parent, mode);
	try {
		await mkdir(path, { mode });
	} catch (error) {
		// Another process was faster.
		if (!isErrno(error, 'EEXIST') || !(await isFolder(path))) throw error;
	}
}

async function isFolder(path: string): Promise<boolean> {
	try {
		return (await stat(path)).isDirectory();
	} catch (error) {
		if (isErrno(error, 'ENOENT')) return false;
		throw error;
	}
}
