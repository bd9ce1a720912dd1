import type { Conversation, Damage, Place } from '../conversation/index.ts';

/** A damaged line behind `place` in the same file, which may have held what is missing. */
export function damageAfter(conversation: Conversation, place: Place): Damage | undefined {
	return findDamage(conversation, place, (damaged, line) => damaged > line);
}

/** A damaged line before `place` in the same file, or close behind it: a call may be written a few lines after its result. */
export function damageAround(conversation: Conversation, place: Place): Damage | undefined {
	return findDamage(conversation, place, (damaged, line) => damaged <= line + 30);
}

function findDamage(
	conversation: Conversation,
	place: Place,
	isWanted: (damaged: number, line: number) => boolean,
): Damage | undefined {
	const { source } = place;
	if (source.kind !== 'transcript') return undefined;
	return conversation.damage.find(
		(damage) =>
			damage.place.source.kind === 'transcript' &&
			damage.place.source.path === source.path &&
			isWanted(damage.place.source.line, source.line),
	);
}
