import { closeSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { isErrno } from '../errno.ts';

const reserveBytes = 1024 * 1024;

/** Room on the disk that is given back when there is no other, so that a store on a full disk can still be tidied and closed. */
export class ReserveFile {
	private readonly path: string;
	private isMade = false;

	constructor(path: string) {
		this.path = path;
	}

	/** Gives whether there is room: without it, what is written now would take what is left. */
	make(): boolean {
		this.isMade ||= statSync(this.path, { throwIfNoEntry: false })?.size === reserveBytes;
		if (this.isMade) return true;
		let file: number | undefined;
		let hasRoom = true;
		try {
			file = openSync(this.path, 'w', 0o600);
			// A disk that compresses would make nothing of zeros.
			const bytes = randomBytes(reserveBytes);
			for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
			this.isMade = true;
		} catch (error) {
			// Whatever else is wrong, writing to the store itself will tell.
			hasRoom = !isNoSpace(error);
		} finally {
			if (file !== undefined) closeSync(file);
			if (!this.isMade) this.release();
		}
		return hasRoom;
	}

	release(): void {
		this.isMade = false;
		try {
			rmSync(this.path, { force: true });
		} catch {
			// Then it stays, and whoever needs the room has less.
		}
	}
}

function isNoSpace(error: unknown): boolean {
	return isErrno(error, 'ENOSPC') || isErrno(error, 'EDQUOT');
}
