import { randomBytes } from 'node:crypto';
import { chmod, chown, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { onceLetGo } from '../heldFile.ts';

/**
 * Replaces a file of somebody else's at once and as a whole, if it still holds what it is thought to hold. Links lead to the same file
 * as before, and its mode stays.
 * @returns Whether it was replaced; `false`: somebody has changed it.
 */
export async function replaceFile(path: string, expected: Uint8Array, bytes: Uint8Array): Promise<boolean> {
	const real = await realpath(path);
	const { mode, uid, gid } = await stat(real);
	const temporary = `${real}.${randomBytes(6).toString('hex')}.tmp`;
	try {
		const file = await open(temporary, 'wx', mode & 0o777);
		try {
			await file.writeFile(bytes);
			await file.sync();
		} finally {
			await file.close();
		}
		await chmod(temporary, mode & 0o7777);
		const own = await stat(temporary);
		// Only who may, does: a file in a group's folder belongs to the group.
		if (own.uid !== uid || own.gid !== gid) await chown(temporary, uid, gid).catch(() => undefined);
		// As late as can be: some clients write their file all the time.
		if (!(await readFile(real)).equals(expected)) {
			await onceLetGo(() => rm(temporary, { force: true }));
			return false;
		}
		await onceLetGo(() => rename(temporary, real));
		return true;
	} catch (error) {
		await onceLetGo(() => rm(temporary, { force: true }));
		throw error;
	}
}
