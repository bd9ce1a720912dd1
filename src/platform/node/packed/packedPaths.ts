// Where what is in a session file is to be read: below the path of the file.

import { statSync } from 'node:fs';

const suffix = '.crosstalk';
const belowFile = /\.crosstalk[\\/]/gi;

export interface PackedPart {
	/** Of the archive. */
	readonly path: string;
	/** Of what is in it, with slashes. */
	readonly name: string;
}

/** `undefined`: the path is an ordinary one. A folder may have such a name too. */
export function packedPart(path: string): PackedPart | undefined {
	// Nearly all paths are ordinary, and nearly all of those can be told by this.
	if (!path.toLowerCase().includes(suffix)) return undefined;
	for (const { index } of path.matchAll(belowFile)) {
		const archive = path.slice(0, index + suffix.length);
		if (isFile(archive)) return { path: archive, name: path.slice(archive.length + 1).replaceAll('\\', '/') };
	}
	return undefined;
}

function isFile(path: string): boolean {
	try {
		return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
	} catch {
		// Whoever opens it is told why.
		return false;
	}
}
