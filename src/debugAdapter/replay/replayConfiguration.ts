import { ExpectedError } from '../../core/base/errors.ts';
import type { TranscriptFormatId } from '../../core/transcripts/transcriptFormat.ts';

/** A session that was written down. */
export interface ReplayConfiguration {
	/** A transcript, a folder with one session, or the id of a session or its beginning. */
	readonly transcript: string;
	/** What a relative path starts from; `undefined`: the shell's own folder. */
	readonly cwd: string | undefined;
	readonly data: string | undefined;
	readonly as: TranscriptFormatId | undefined;
	readonly stopOnEntry: boolean;
}

const formats: readonly TranscriptFormatId[] = ['claude-code', 'codex'];

export function oneOfFormats(value: string | undefined): TranscriptFormatId | undefined {
	if (value === undefined) return undefined;
	const found = formats.find((format) => format === value);
	if (found === undefined) throw new ExpectedError(`"as" is to be one of ${formats.join(', ')}.`);
	return found;
}
