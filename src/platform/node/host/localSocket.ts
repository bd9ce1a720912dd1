// Where the host's control socket lies: a unix socket in a folder that only its user may enter, or a pipe on Windows.

import { createHash, randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isErrno } from '../errno.ts';
import { preparePrivateFolder } from './dataDirectory.ts';

/** What macOS allows, its closing zero not counted. Linux allows four more. */
const longestSocketPath = 103;

/**
 * A place to listen at. Whoever asks owns the data directory: what lies there is of a host that is gone, and is removed.
 * @param name Of those who listen at the same time each has its own: the system removes a socket by its name when it is closed.
 */
export async function controlSocketPath(directory: string, name = 'control'): Promise<string> {
	if (process.platform === 'win32') {
		// Pipes have names that everybody can ask for, so this one cannot be guessed; `host.json` tells it to its user.
		return `\\\\.\\pipe\\crosstalk-${randomBytes(16).toString('hex')}`;
	}
	const path = join(directory, `${name}.sock`);
	const short = Buffer.byteLength(path) <= longestSocketPath ? path : await shortSocketPath(path);
	try {
		await rm(short, { force: true });
	} catch (error) {
		// A folder of that name: listening will say so.
		if (!isErrno(error, 'ERR_FS_EISDIR')) throw error;
	}
	return short;
}

async function shortSocketPath(path: string): Promise<string> {
	const name = `${createHash('sha256').update(path).digest('hex').slice(0, 16)}.sock`;
	const folderName = `crosstalk-${process.getuid?.() ?? 0}`;
	const own = join(tmpdir(), folderName);
	const folder = Buffer.byteLength(join(own, name)) <= longestSocketPath ? own : join('/tmp', folderName);
	await preparePrivateFolder(folder);
	return join(folder, name);
}
