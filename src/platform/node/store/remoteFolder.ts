// Whether a folder is on another machine, where processes cannot share a write-ahead log.

import { execFile } from 'node:child_process';
import { statfs } from 'node:fs/promises';

/** @param directory Its one true path: on Windows that tells what machine a drive's letter stands for. */
export async function isOnAnotherMachine(directory: string): Promise<boolean> {
	switch (process.platform) {
		case 'win32':
			return directory.startsWith('\\\\') && !/^\\\\[?.]\\[a-z]:/iu.test(directory);
		case 'linux':
			// The number may come with a sign.
			return remoteFileSystems.has((await statfs(directory)).type >>> 0);
		case 'darwin':
			return isMountedFromElsewhere(await mounts(), directory);
		default:
			return false;
	}
}

/** As statfs(2) tells them on Linux: NFS, SMB in three ages, AFS, Ceph, 9P, and what a program serves (sshfs among others). */
const remoteFileSystems: ReadonlySet<number> = new Set([
	0x6969, 0x517b, 0xfe534d42, 0xff534d42, 0x5346414f, 0x00c36400, 0x01021997, 0x65735546,
]);

/**
 * The numbers that statfs(2) gives on macOS differ from one start of the system to the next, but mount(8) says of each file system that it is local.
 * @param mounted What mount(8) prints: `/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled)`, a line each.
 */
export function isMountedFromElsewhere(mounted: string, directory: string): boolean {
	let longest = '';
	let isLocal = true;
	for (const line of mounted.split('\n')) {
		const [, place = '', options = ''] = /^.*? on (\/.*) \(([^()]*)\)$/u.exec(line) ?? [];
		const isAbove = directory === place || directory.startsWith(place.endsWith('/') ? place : `${place}/`);
		// Of two at one place the later one hides the other.
		if (place === '' || !isAbove || place.length < longest.length) continue;
		longest = place;
		isLocal = options.split(', ').includes('local');
	}
	return !isLocal;
}

/** Empty: it could not be asked in time. */
async function mounts(): Promise<string> {
	return new Promise((resolve) => {
		execFile('/sbin/mount', { timeout: 5_000, encoding: 'utf8' }, (error, stdout) =>
			resolve(error === null ? stdout : ''),
		);
	});
}
