// Where a store's file is, and what can be done there.

import { constants } from 'node:fs';
import { access, chmod, open, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf, isErrno } from '../errno.ts';
import { StoreError } from '../../../core/store/storeError.ts';
import { makeFolder } from '../host/makeFolder.ts';
import { storeFile } from './storeFile.ts';
import { isOnAnotherMachine } from './remoteFolder.ts';
import type { DatabaseAccess } from './sqliteWorkerMessages.ts';

export interface StoreFile {
	/** Absolute, and the one true path. */
	readonly path: string;
	readonly access: DatabaseAccess;
}

/** Makes the folder and an empty file, for their user alone, where there are none. */
export async function prepareStoreFile(
	directory: string,
	isRemote: (directory: string) => Promise<boolean> = isOnAnotherMachine,
): Promise<StoreFile> {
	const real = await preparedFolder(directory);
	const path = join(real, storeFile);
	const isThere = await isFile(path);
	if (!(await isWritable(real)) || (isThere && !(await isWritable(path)))) {
		if (isThere) return { path, access: 'read' };
		throw unusable(`The folder ${real} cannot be written to, and holds no session store.`);
	}
	try {
		if (isThere) await chmod(path, 0o600);
		else {
			await makeFile(path);
			await syncFolder(real);
			await syncFolder(dirname(real));
		}
		return { path, access: (await isRemote(real)) ? 'journal' : 'wal' };
	} catch (error) {
		throw unusable(`${path} cannot be used${codeOf(error)}.`, error);
	}
}

async function preparedFolder(directory: string): Promise<string> {
	if (directory === '') throw unusable('The folder of a session store must be named.');
	try {
		await makeFolder(directory, 0o700);
		// On Windows it tells what machine a drive's letter stands for.
		return await realpath(directory);
	} catch (error) {
		if (isErrno(error, 'EEXIST') || isErrno(error, 'ENOTDIR'))
			throw unusable(`${directory} is not a folder.`, error);
		throw unusable(`The folder ${directory} cannot be used${codeOf(error)}.`, error);
	}
}

async function isFile(path: string): Promise<boolean> {
	let isOne: boolean;
	try {
		isOne = (await stat(path)).isFile();
	} catch (error) {
		if (isErrno(error, 'ENOENT')) return false;
		throw unusable(`${path} cannot be used${codeOf(error)}.`, error);
	}
	if (!isOne) throw unusable(`${path} is not a file.`);
	return true;
}

async function isWritable(path: string): Promise<boolean> {
	try {
		await access(path, constants.W_OK);
		return true;
	} catch {
		// Whatever the reason, nothing can be written there.
		return false;
	}
}

/** SQLite gives the files beside it the same permissions. */
async function makeFile(path: string): Promise<void> {
	try {
		await (await open(path, 'wx', 0o600)).close();
	} catch (error) {
		// Another was faster.
		if (!isErrno(error, 'EEXIST')) throw error;
	}
}

/** A file is on disk only when its folder says so too. */
async function syncFolder(folder: string): Promise<void> {
	try {
		const handle = await open(folder, 'r');
		try {
			await handle.sync();
		} finally {
			await handle.close();
		}
	} catch {
		// Windows cannot, and does not need it; in a folder further up there may be nothing to read for this user.
	}
}

function unusable(message: string, cause?: unknown): StoreError {
	return new StoreError('unusable-directory', message, undefined, cause === undefined ? undefined : { cause });
}
