import { ExpectedError } from '../core/base/errors.ts';
import { printable } from '../core/report/index.ts';
import { isSavedSession, savedSessionSuffix } from '../core/transcripts/savedSessionName.ts';
import { PackedWriter } from '../platform/node/packed/packedWriter.ts';
import type { CommandIo } from './io.ts';
import { UsageError, absolutePath } from './usage.ts';

/** What `--out` names, if it can be a session file. */
export function sessionFileOption(name: string): string {
	if (isSavedSession(name)) return name;
	throw new UsageError(
		`The name of a session file ends in ${savedSessionSuffix}, or nobody knows it again; "${name}" does not.`,
	);
}

/** Nothing is written before its `finish`. Refuses to replace a file unless that is asked for. */
export async function createSessionFile(io: CommandIo, name: string, isForced: boolean): Promise<PackedWriter> {
	const path = absolutePath(io, name);
	// Where nobody may look nobody can write either, and the writer says that.
	const stat = isForced ? undefined : await io.platform.files.stat(path).catch(() => undefined);
	if (stat?.isDirectory === false)
		throw new ExpectedError(`${printable(name)} is there already; --force replaces it.`);
	return PackedWriter.create(path, isForced);
}
