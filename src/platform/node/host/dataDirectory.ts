// The folder that holds all that outlives a host: who owns it, its address, its secrets, what it has recorded.

import { chmod, lstat, mkdir, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, isErrno } from '../errno.ts';
import { readRegularText } from '../regularFile.ts';
import { onceLetGo } from './heldFile.ts';
import { ExpectedError } from '../../../core/base/errors.ts';
import type { HostAddress } from '../../../core/host/control.ts';
import { makeFolder } from './makeFolder.ts';

/** Makes the folder, for its user alone, and gives its one true path. */
export async function prepareDataDirectory(directory: string): Promise<string> {
	try {
		await makeFolder(directory, 0o700);
		const real = await realpath(directory);
		await keepToOneself(real);
		return real;
	} catch (error) {
		if (error instanceof ExpectedError) throw error;
		const isFile = isErrno(error, 'EEXIST') || isErrno(error, 'ENOTDIR');
		const why = isFile ? ': a file is in the way' : codeOf(error);
		const message = `The data directory ${directory} cannot be used${why}. Name another with --data.`;
		throw new ExpectedError(message, { cause: error });
	}
}

async function keepToOneself(directory: string): Promise<void> {
	// On Windows the folder's own access list keeps others out.
	if (process.getuid === undefined) return;
	const { uid, mode } = await stat(directory);
	if (uid !== process.getuid())
		throw new ExpectedError(`The data directory ${directory} belongs to somebody else. Name another with --data.`);
	// Whoever has made it read-only has meant it.
	if ((mode & 0o077) === 0 || (mode & 0o200) === 0) return;
	const names = await readdir(directory);
	// A folder with other things in it may be meant for others; what is secret is in files that only their owner may read.
	if (names.length === 0 || names.includes(ownerFile)) await chmod(directory, 0o700);
}

/** The lock's own file. What it holds is the generation. */
export const ownerFile = 'owner.sqlite';

/** The log of hosts that were started in the background. */
export const logFile = 'host.log';

/** Where the host of this folder is found. */
export const addressFile = 'host.json';

/** Where a process is found that has taken over the session store from an owner that stands still, and so still holds the lock. */
export const successorFile = 'successor.json';

/** What the last host of this folder has said of itself, whether it still runs or not. */
export async function readAddress(directory: string, name = addressFile): Promise<HostAddress | undefined> {
	const text = await readIfThere(join(directory, name));
	if (text === undefined) return undefined;
	try {
		const address: unknown = JSON.parse(text);
		return isAddress(address) ? address : undefined;
	} catch {
		// A file that somebody has damaged says nothing; the next owner writes it anew.
		return undefined;
	}
}

export async function writeAddress(directory: string, address: HostAddress, name = addressFile): Promise<void> {
	await writePrivateFile(join(directory, name), `${JSON.stringify(address)}\n`);
}

/** Nobody is to be found there any more. */
export async function removeAddress(directory: string, name = addressFile): Promise<void> {
	await onceLetGo(() => rm(join(directory, name), { force: true }));
}

function isAddress(value: unknown): value is HostAddress {
	if (typeof value !== 'object' || value === null) return false;
	const members: Partial<Record<keyof HostAddress, unknown>> = value;
	return (
		typeof members.url === 'string' &&
		/^http:\/\/127\.0\.0\.1:\d+$/.test(members.url) &&
		typeof members.token === 'string' &&
		typeof members.controlSocket === 'string' &&
		typeof members.pid === 'number' &&
		typeof members.generation === 'number' &&
		typeof members.dataDir === 'string'
	);
}

const configFile = 'last-config';

/** The configuration file that the last host in the foreground was given: one that is started after it in the background goes on with it. */
export async function rememberedConfig(directory: string): Promise<string | undefined> {
	const path = (await readIfThere(join(directory, configFile)))?.trim();
	return path === undefined || path === '' ? undefined : path;
}

export async function rememberConfig(directory: string, path: string | undefined): Promise<void> {
	await writePrivateFile(
		join(directory, configFile),
		`${path ?? ''}
`,
	);
}

/** A secret that stays the same for as long as the folder lives; made when it is first asked for. Only the folder's owner may ask. */
export async function lastingSecret(directory: string, name: string, bytes: number): Promise<string> {
	const path = join(directory, name);
	const length = Math.ceil((bytes * 4) / 3);
	const known = (await readIfThere(path))?.trim();
	if (known !== undefined && known.length === length && /^[\w-]+$/.test(known)) return known;
	const secret = (await randomBytes(bytes)).toString('base64url');
	await writePrivateFile(path, `${secret}\n`);
	return secret;
}

async function readIfThere(path: string): Promise<string | undefined> {
	try {
		return await onceLetGo(() => readRegularText(path));
	} catch (error) {
		if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined;
		throw new ExpectedError(`${path} cannot be read${codeOf(error)}.`, { cause: error });
	}
}

/** Most who read a data directory write nothing, and the module takes as long to load as all of this one. */
async function randomBytes(length: number): Promise<Buffer> {
	return (await import('node:crypto')).randomBytes(length);
}

/** Replaces a file at once and as a whole, readable by its owner alone. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
	const temporary = `${path}.${(await randomBytes(6)).toString('hex')}`;
	try {
		const file = await open(temporary, 'wx', 0o600);
		try {
			await file.writeFile(text);
			await file.sync();
		} finally {
			await file.close();
		}
		await onceLetGo(() => rename(temporary, path));
	} catch (error) {
		// Why nothing was written is what there is to say.
		await onceLetGo(() => rm(temporary, { force: true })).catch(() => undefined);
		throw new ExpectedError(`${path} cannot be written${codeOf(error)}.`, { cause: error });
	}
}

/** Makes a folder that only this user may enter, or makes sure that the one which is there is such. */
export async function preparePrivateFolder(folder: string): Promise<void> {
	try {
		await mkdir(folder, { mode: 0o700 });
	} catch (error) {
		if (!isErrno(error, 'EEXIST')) throw error;
		// Somebody else could have put it there, in a folder where everybody may write.
		const found = await lstat(folder);
		if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o077) !== 0)
			throw new ExpectedError(`${folder} is not this user's alone. Remove it.`, { cause: error });
	}
}
