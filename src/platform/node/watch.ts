import { watch } from 'node:fs';
import type { Disposable } from '../../core/base/lifecycle.ts';

/**
 * Tells of every change to what lies directly in a folder, as soon as the system tells it. Folders that cannot be watched (network
 * drives, limits of the system) are silent: whoever watches also looks now and then.
 */
export function watchFolder(path: string, onDidChange: (name: string | undefined) => void): Disposable {
	try {
		const watcher = watch(path, { persistent: false }, (_event, name) => onDidChange(name ?? undefined));
		// The folder is gone, or the system has given up on it.
		watcher.on('error', () => watcher.close());
		return { dispose: () => watcher.close() };
	} catch {
		return { dispose: () => undefined };
	}
}
