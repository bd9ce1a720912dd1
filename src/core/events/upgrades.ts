import { ExpectedError, UnsupportedVersionError } from '../base/errors.ts';
import { FORMAT_VERSION } from './sessionEvent.ts';

/** An event as it was stored by some version. */
export type StoredEvent = Readonly<Record<string, unknown>>;

/** Makes an event of the next version out of one of its own. It may not need anything but the event. */
export type Upgrade = (event: StoredEvent) => StoredEvent;

/** By the version that an upgrade lifts from. An upgrade that has been released is never changed. */
const upgrades: Readonly<Record<number, Upgrade>> = {};

/**
 * Lifts a stored event to the present version.
 * @throws UnsupportedVersionError when it is newer than that.
 */
export function liftEvent(event: StoredEvent): StoredEvent {
	return lift(event, upgrades, FORMAT_VERSION);
}

/** Lifts an event version by version. Apart from `liftEvent`, so that a table with entries can be tried before there are any. */
export function lift(event: StoredEvent, table: Readonly<Record<number, Upgrade>>, newest: number): StoredEvent {
	let lifted = event;
	let version = versionOf(event);
	if (version > newest) throw new UnsupportedVersionError(version, newest);
	for (; version < newest; version++) {
		const upgrade = table[version];
		if (upgrade === undefined) throw new ExpectedError(`Events of version ${version} can no longer be read.`);
		lifted = { ...upgrade(lifted), version: version + 1 };
	}
	return lifted;
}

function versionOf(event: StoredEvent): number {
	const { version } = event;
	if (typeof version !== 'number' || !Number.isInteger(version) || version < 1) {
		throw new ExpectedError('A stored event has no version.');
	}
	return version;
}
