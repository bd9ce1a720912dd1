// Stops of a call by a debugger: each is told of twice, when it begins and when it ends, in any order.

import type { CallHeld, CallReleased } from '../events/sessionEvent.ts';
import { isWrittenBefore } from './hookCalls.ts';
import type { CallHold } from './model.ts';

/** With what the event tells, in the order of time. */
export function withHold(holds: readonly CallHold[], event: CallHeld | CallReleased): readonly CallHold[] {
	const { stopId, at, source } = event;
	const known = holds.find((hold) => hold.stopId === stopId);
	const place = { source, range: undefined };
	const isKept = known !== undefined && !isWrittenBefore(source, known.place.source);
	let hold: CallHold;
	if (event.type === 'call-held') {
		const { point, heldBy, cause, ruleId, reason } = event;
		const held = { point, heldBy, cause, ruleId, reason, at };
		hold = { stopId, place: isKept ? known.place : place, held, released: known?.released };
	} else {
		const { how, reason, heldMs, change } = event;
		const released = { how, reason, heldMs, change, at };
		hold = {
			stopId,
			place: known?.held === undefined && !isKept ? place : (known?.place ?? place),
			held: known?.held,
			released,
		};
	}
	return [...holds.filter((each) => each !== known), hold].sort(
		(one, other) => timeOf(one) - timeOf(other) || (one.stopId < other.stopId ? -1 : 1),
	);
}

function timeOf({ held, released }: CallHold): number {
	return held?.at ?? (released?.at === undefined ? Infinity : released.at - released.heldMs);
}

/** What a debugger has done with a call that it had stopped, as a sentence. */
export function holdWords({ held, released }: CallHold): string {
	const why = held === undefined ? '' : ` ${held.reason}`;
	const where = held?.point === 'after' ? 'Held with its result' : 'Held';
	if (released === undefined) return `${where}.${why}`;
	return `${where} for ${Math.round(released.heldMs)} ms.${why} ${released.reason}`.trimEnd();
}

/** Lower case, for a row: what was done by hand; `undefined`: it went on as it was. */
export function holdOutcome({ released }: CallHold): string | undefined {
	if (released === undefined) return 'held';
	switch (released.how) {
		case 'arguments-edited':
			return 'arguments edited by hand';
		case 'result-edited':
			return 'result edited by hand';
		case 'answered':
			return 'answered by hand';
		case 'repeated':
			return 'repeated by hand';
		case 'continued':
		case 'time-up':
		case 'debugger-gone':
		case 'given-up':
		case 'host-closing':
			return undefined;
	}
}
