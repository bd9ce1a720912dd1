import { Location, Range, Uri } from 'vscode';
import type { Place } from '../core/conversation/index.ts';
import { packedPart } from '../platform/node/packed/packedPaths.ts';
import { isRecording } from '../platform/node/store/recordingPaths.ts';

/** A place that can be shown in an editor. */
export interface FilePlace {
	readonly path: string;
	readonly range: Range;
}

/** Without columns of its own a place stands for its line; so much of it is marked, for a line may have megabytes. */
const markedColumns = 120;

/** `undefined`: it is written in no transcript. */
export function filePlace(place: Place): FilePlace | undefined {
	const { source, range } = place;
	if (source.kind !== 'transcript') return undefined;
	const line = source.line - 1;
	return {
		path: source.path,
		range:
			range === undefined
				? new Range(line, 0, line, Math.min(source.length, markedColumns))
				: new Range(line, range.column - 1, line, range.endColumn - 1),
	};
}

export function locationOf(place: Place): Location | undefined {
	const found = filePlace(place);
	return found === undefined ? undefined : new Location(uriOf(found.path), found.range);
}

/** Of documents that show what a host has recorded: their path is below that of the database. */
export const recordingScheme = 'crosstalk-recording';

/** Of documents that show what is in a session file: their path is below that of the file. */
export const savedScheme = 'crosstalk-session';

/** What an editor shows a file as. */
export function uriOf(path: string): Uri {
	const uri = Uri.file(path);
	if (isRecording(path)) return uri.with({ scheme: recordingScheme });
	return packedPart(path) === undefined ? uri : uri.with({ scheme: savedScheme });
}

/** 0-based line of a place, `undefined` when it is not in this file. */
export function lineIn(place: Place, path: string): number | undefined {
	return place.source.kind === 'transcript' && place.source.path === path ? place.source.line - 1 : undefined;
}
