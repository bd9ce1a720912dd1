import type { Disposable } from '../core/base/lifecycle.ts';
import { joinPath } from '../core/transcripts/files.ts';
import type { TranscriptFiles } from '../core/transcripts/files.ts';
import { watchFolder } from '../platform/node/watch.ts';

/** Every host writes it anew, and leaves it behind. */
const addressFile = 'host.json';
/** A folder that is not there yet, or on a network drive, tells of nothing. */
const lookEveryMs = 5000;

/** Calls back when a host has written where it is to be found, before now or later on. */
export function watchHostFile(files: TranscriptFiles, directory: string, onDidWrite: () => void): Disposable {
	const path = joinPath(files, directory, addressFile);
	let seen: string | undefined;
	let isDisposed = false;
	const look = async (): Promise<void> => {
		let now: string | undefined;
		try {
			const stat = await files.stat(path);
			now = stat && `${stat.identity} ${stat.modifiedAt}`;
		} catch {
			// What cannot be looked at cannot be attached to either; whoever asks for the host is told why.
		}
		if (isDisposed || now === seen) return;
		seen = now;
		if (now !== undefined) onDidWrite();
	};
	const watcher = watchFolder(directory, (name) => {
		if (name === undefined || name === addressFile) void look();
	});
	const timer = setInterval(() => void look(), lookEveryMs);
	void look();
	return {
		dispose() {
			isDisposed = true;
			clearInterval(timer);
			watcher.dispose();
		},
	};
}
