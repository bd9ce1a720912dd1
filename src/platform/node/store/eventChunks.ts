// What is known of the lines in a chunk without looking into them again.

/** A stretch of a log: whole lines, or a piece of one line that is longer than a row may be. */
export interface EventChunk {
	/** Not changed until the chunk is written. */
	readonly bytes: Uint8Array;
	/** How many lines begin in it. */
	readonly events: number;
	/** Epoch milliseconds of its first and its last line. */
	readonly firstAt: number;
	readonly lastAt: number;
	/** The sessions that its lines are of, as `sessionsText` writes them. */
	readonly sessions: string;
}

/** What lines of one chunk are of one session. */
export interface SessionShare {
	events: number;
	/** Calls of tools that begin in it, and that end in it. */
	begun: number;
	ended: number;
	/** Events of the agents' own hooks. */
	hooks: number;
}

/** By the session's id as JSON. */
export type SessionShares = Map<string, SessionShare>;

/** JSON: a list of id, events, calls that begin, calls that end, events of hooks. Earlier versions did not count the last. */
export function sessionsText(shares: SessionShares): string {
	const parts = [...shares].map(
		([id, { events, begun, ended, hooks }]) => `[${id},${events},${begun},${ended},${hooks}]`,
	);
	return `[${parts.join(',')}]`;
}

/** Reads what `sessionsText` has written. What is no such text gives nothing. */
export function sharesIn(text: string): ReadonlyMap<string, SessionShare> {
	const shares = new Map<string, SessionShare>();
	let list: unknown;
	try {
		list = JSON.parse(text);
	} catch {
		// A damaged row; its chunk says so when it is read.
		return shares;
	}
	for (const entry of Array.isArray(list) ? (list as readonly unknown[]) : []) {
		if (!Array.isArray(entry)) continue;
		const [id, events, begun, ended, hooks = 0] = entry as readonly unknown[];
		if (typeof id !== 'string') continue;
		shares.set(id, { events: Number(events), begun: Number(begun), ended: Number(ended), hooks: Number(hooks) });
	}
	return shares;
}

const sessionMember = '"sessionId":';
const typeMember = '"type":"';

/**
 * Adds a line to what is known of the sessions in its chunk. It runs for every event, so it looks no further than it must.
 * @param head The line up to its message, as the recorder writes it: no value stands before the session's id that could hold its name, and its own type is named before anything that comes from outside.
 */
export function countLine(shares: SessionShares, head: string): void {
	const member = head.indexOf(sessionMember);
	const start = member + sessionMember.length;
	if (member === -1 || head.charCodeAt(start) !== QUOTE) return;
	let end = head.indexOf('"', start + 1);
	while (end !== -1 && isEscaped(head, end)) end = head.indexOf('"', end + 1);
	// A torn line.
	if (end === -1) return;
	const id = head.slice(start, end + 1);
	let share = shares.get(id);
	if (share === undefined) {
		if (!isJson(id)) return;
		shares.set(id, (share = { events: 0, begun: 0, ended: 0, hooks: 0 }));
	}
	share.events++;
	const type = head.indexOf(typeMember, end) + typeMember.length;
	if (head.startsWith('hook"', type)) share.hooks++;
	else if (head.startsWith('call-ended"', type)) share.ended++;
	else if (head.startsWith('wire-message","kind":"request"', type) && head.includes('"method":"tools/call"', type))
		share.begun++;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function isJson(text: string): boolean {
	try {
		JSON.parse(text);
		return true;
	} catch {
		// A damaged line of an old file.
		return false;
	}
}

/** Whether an odd number of backslashes stands before this place. */
function isEscaped(text: string, at: number): boolean {
	let before = at;
	while (text.charCodeAt(before - 1) === BACKSLASH) before--;
	return (at - before) % 2 === 1;
}

/** Epoch milliseconds, as the head of a line tells them. */
export function timeIn(head: string): number | undefined {
	const written = /"at":(\d+)/.exec(head.slice(0, 100))?.[1];
	return written === undefined ? undefined : Number(written);
}
