import type { Uri } from 'vscode';
import { ExpectedError } from '../core/base/errors.ts';
import type { TranscriptFiles } from '../core/transcripts/files.ts';
import { savedScheme } from './convert.ts';

/** As much as an editor shows of a document that is no file. */
const longestText = 32 * 1024 * 1024;

/** What a host has recorded of a session, or a file of a session that was saved, as it is when it is opened. */
export async function recordedText(files: TranscriptFiles, uri: Uri): Promise<string> {
	const path = uri.with({ scheme: 'file' }).fsPath;
	const size = (await files.stat(path))?.size ?? 0;
	if (size > longestText)
		throw new ExpectedError(
			uri.scheme === savedScheme
				? 'It is too long for an editor; unpack the session file, which is a zip archive.'
				: 'It is too long for an editor; open the event log of its host instead.',
		);
	const file = await files.open(path);
	try {
		const bytes = new Uint8Array(size);
		let filled = 0;
		while (filled < size) {
			const length = await file.read(bytes.subarray(filled), filled);
			if (length === 0) break;
			filled += length;
		}
		return new TextDecoder().decode(bytes.subarray(0, filled));
	} finally {
		await file.close();
	}
}
