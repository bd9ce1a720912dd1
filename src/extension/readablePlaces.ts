// What a place of a transcript is called where a readable text tells on which line it is shown.

import type { Place } from '../core/conversation/index.ts';

/** Names a place, for looking up where it is shown. */
export function placeKey(place: Place): string | undefined {
	return place.source.kind === 'transcript'
		? `${place.source.path}:${place.source.line}:${place.range?.column ?? 0}`
		: undefined;
}

export function lineKey(place: Place): string | undefined {
	return place.source.kind === 'transcript' ? `${place.source.path}:${place.source.line}` : undefined;
}
