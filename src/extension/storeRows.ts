import { assertNever } from '../core/base/errors.ts';
import { counted } from '../core/base/text.ts';
import type { StoreEvent } from '../core/store/createTurns.ts';
import type { CheckpointSummary, SessionEvicted, SessionSummary } from '../core/store/sessionStore.ts';
import { commandIds } from './ids.ts';
import { hostStore } from './row.ts';
import type { Row } from './row.ts';
import { ago, bytes, duration, shortened, timeOfDay } from './words.ts';

/** What the rows of the session store are made of. */
export interface StoreView {
	readonly sessions: readonly SessionSummary[];
	/** Of the sessions that somebody has looked into. */
	readonly checkpoints: ReadonlyMap<string, readonly CheckpointSummary[]>;
	/** Why those of a session cannot be had, as a sentence. */
	readonly problems: ReadonlyMap<string, string>;
	/** What last happened to the memory of a session, in words, and when (epoch milliseconds). */
	readonly lastEvents: ReadonlyMap<string, StoreHappening>;
}

export interface StoreHappening {
	readonly words: string;
	readonly at: number;
}

/** So many sessions have a row, those with the latest checkpoints. */
const shownSessions = 100;

/** One row for the store, and below it its sessions. None, as long as nothing is stored. */
export function storeRows(view: StoreView, now: number): readonly Row[] {
	const { sessions } = view;
	if (sessions.length === 0) return [];
	const { words, hasDamage } = storeWords(sessions);
	return [
		{
			id: 'store',
			target: { store: hostStore, sessionId: undefined },
			label: 'Session store',
			description: words.join(' · '),
			icon: 'database',
			color: hasDamage ? 'list.errorForeground' : undefined,
			contextValue: 'crosstalkStore',
			spoken: `The session store has ${words.join(', ')}.`,
			details: [{ name: 'Sessions', text: words.join(', ') }],
			command: undefined,
			children: sessionRows(view, hostStore, now),
			isOpen: true,
		},
	];
}

/** What is said of a store as a whole. */
export function storeWords(sessions: readonly SessionSummary[]): {
	readonly words: readonly string[];
	readonly hasDamage: boolean;
} {
	const inMemory = sessions.filter(({ residence }) => residence === 'memory').length;
	const damaged = sessions.filter(({ isDamaged }) => isDamaged).length;
	const words = [
		counted(sessions.length, 'session'),
		`${inMemory} in memory`,
		...(damaged === 0 ? [] : [`${damaged} damaged`]),
	];
	return { words, hasDamage: damaged > 0 };
}

/** The sessions with the latest checkpoints. @param store As in a `StoreTarget`; ids of rows tell those of two stores apart. */
export function sessionRows(view: StoreView, store: string, now: number): readonly Row[] {
	const rows = view.sessions.slice(0, shownSessions).map((session) => sessionRow(session, view, store, now));
	if (view.sessions.length > shownSessions) rows.push(moreRow(store, view.sessions.length - shownSessions));
	return rows;
}

/** Begins the ids of a store's rows. */
function prefixOf(store: string): string {
	return store === hostStore ? '' : `${store} `;
}

function sessionRow(session: SessionSummary, view: StoreView, store: string, now: number): Row {
	const { id, seq, generation, residence, isDamaged, inFlight } = session;
	const at = Date.parse(session.checkpointedAt);
	const happening = view.lastEvents.get(id);
	const words = [
		...(isDamaged ? ['damaged'] : []),
		`checkpoint ${seq}`,
		ago(at, now),
		`generation ${generation}`,
		residenceWords[residence],
		...(inFlight === 0 ? [] : [`${inFlight} in flight`]),
	];
	return {
		id: `${prefixOf(store)}stored ${id}`,
		target: { store, sessionId: id },
		label: shortened(id, 60),
		description: words.join(' · '),
		icon: isDamaged ? 'error' : residence === 'memory' ? 'circle-filled' : 'circle-outline',
		color: isDamaged ? 'list.errorForeground' : residence === 'memory' ? 'charts.green' : undefined,
		contextValue: isDamaged ? 'crosstalkStoredSession.damaged' : 'crosstalkStoredSession',
		spoken: `Stored session ${id}: ${words.join(', ')}.`,
		details: [
			{ name: 'Session', text: id },
			{ name: 'Last checkpoint', text: `${seq}, at ${timeOfDay(at)}, ${bytes(session.bytes)}` },
			{ name: 'Made by owner', text: `generation ${generation}` },
			{ name: 'State', text: residenceWords[residence] },
			{ name: 'Last', text: happening === undefined ? '' : `${happening.words}, ${ago(happening.at, now)}` },
		],
		command: { id: commandIds.showSessionState, title: 'Show Session State' },
		children: checkpointRows({ id, store, happening, now }, view.checkpoints.get(id) ?? [], view.problems.get(id)),
		isOpen: false,
	};
}

const residenceWords = { memory: 'in memory', disk: 'on disk' } as const satisfies Record<
	SessionSummary['residence'],
	string
>;

interface CheckpointsOf {
	/** Of the session. */
	readonly id: string;
	readonly store: string;
	readonly happening: StoreHappening | undefined;
	readonly now: number;
}

function checkpointRows(
	{ id, store, happening, now }: CheckpointsOf,
	checkpoints: readonly CheckpointSummary[],
	problem: string | undefined,
): readonly Row[] {
	const row = (key: string, further: Pick<Row, 'label' | 'description' | 'icon'> & Partial<Row>): Row => ({
		id: `${prefixOf(store)}${key} ${id}`,
		target: { store, sessionId: id },
		color: undefined,
		contextValue: 'crosstalkStoredFact',
		spoken: `${further.label}: ${further.description}.`,
		details: [],
		command: undefined,
		children: [],
		isOpen: false,
		...further,
	});
	const last =
		happening === undefined
			? []
			: [
					row('happening', {
						label: happening.words,
						description: ago(happening.at, now),
						icon: 'history',
					}),
				];
	if (problem !== undefined) {
		return [...last, row('problem', { label: problem, description: '', icon: 'warning', spoken: problem })];
	}
	if (checkpoints.length === 0) {
		return [...last, row('unread', { label: 'Checkpoints', description: 'being read', icon: 'loading~spin' })];
	}
	return [
		...last,
		...checkpoints.map((checkpoint, index) => {
			const older = checkpoints[index + 1];
			const canCompare = checkpoint.hasState && older?.hasState === true;
			return row(`checkpoint ${checkpoint.seq}`, {
				target: { store, sessionId: id, seq: checkpoint.seq },
				label: `${checkpoint.seq} ${checkpoint.tool}`,
				description: [
					timeOfDay(Date.parse(checkpoint.at)),
					checkpoint.hasState ? bytes(checkpoint.bytes) : 'state no longer kept',
					...(older !== undefined && older.generation !== checkpoint.generation
						? [`taken over by generation ${checkpoint.generation}`]
						: []),
				].join(' · '),
				icon: 'git-commit',
				contextValue: `crosstalkCheckpoint${checkpoint.hasState ? '.state' : ''}${canCompare ? '.comparable' : ''}`,
				details: [
					{ name: 'Tool', text: checkpoint.tool },
					{ name: 'Key', text: checkpoint.key ?? 'none: a repeated call runs again' },
					{ name: 'At', text: checkpoint.at },
				],
				command: canCompare
					? { id: commandIds.compareCheckpoints, title: 'Compare with the Checkpoint Before' }
					: checkpoint.hasState
						? { id: commandIds.showSessionState, title: 'Show Session State' }
						: undefined,
			});
		}),
	];
}

function moreRow(store: string, count: number): Row {
	return {
		id: `${prefixOf(store)}stored more`,
		target: { store, sessionId: undefined },
		label: `${count} more`,
		description: 'with older checkpoints',
		icon: 'ellipsis',
		color: undefined,
		contextValue: 'crosstalkMoreSessions',
		spoken: `${counted(count, 'session')} more, with older checkpoints.`,
		details: [],
		command: undefined,
		children: [],
		isOpen: false,
	};
}

/** What an event of the store says of a session, for whoever wonders where its memory went. */
export function happeningOf(event: StoreEvent, at: number): StoreHappening | undefined {
	switch (event.kind) {
		case 'evicted':
			return { words: `evicted from memory: ${evictionWords[event.reason]}`, at };
		case 'rehydrated':
			return { words: `rehydrated from disk in ${duration(event.durationMs)}`, at };
		case 'damaged':
			return { words: `damaged: ${event.reason}`, at };
		case 'checkpointed':
		case 'taken-over':
		case 'turn-ended':
		case 'turn-wanted':
			return undefined;
		default:
			return assertNever(event);
	}
}

/** Where a log takes what happens to memory, and what happens all the time. */
export interface HappeningLog {
	info(sentence: string): void;
	debug(sentence: string): void;
}

/**
 * Writes an event into the log, where it stays when the row tells of a later one.
 * @param store As it is called in a sentence.
 */
export function logHappening(event: StoreEvent, store: string, log: HappeningLog): void {
	switch (event.kind) {
		case 'evicted':
			return log.info(
				`${sessionIn(event, store)} was evicted from memory: ${evictionWords[event.reason]}. Checkpoint ${event.seq} is on disk.`,
			);
		case 'rehydrated':
			return log.info(
				`${sessionIn(event, store)} was rehydrated from disk in ${duration(event.durationMs)}: checkpoint ${event.seq}, generation ${event.generation}.`,
			);
		case 'damaged':
			return log.info(`${sessionIn(event, store)} is damaged: ${event.reason}`);
		case 'taken-over':
			return log.info(
				`${event.isOurs ? 'This process' : 'Another process'} has taken over ${store}: generation ${event.generation}.`,
			);
		case 'checkpointed':
			// Of each call: only for who asks for it.
			return log.debug(
				`${sessionIn(event, store)} has checkpoint ${event.seq} after ${event.tool}: ${bytes(event.bytes)} in ${duration(event.durationMs)}, generation ${event.generation}.`,
			);
		case 'turn-ended':
		case 'turn-wanted':
			return undefined;
		default:
			return assertNever(event);
	}
}

function sessionIn({ sessionId }: { readonly sessionId: string }, store: string): string {
	return `Session ${JSON.stringify(shortened(sessionId, 200))} of ${store}`;
}

const evictionWords = {
	idle: 'it was idle',
	always: 'nothing is kept there between calls',
	asked: 'somebody asked for it',
	memory: 'others needed the room',
	failed: 'a call failed',
	deadline: 'a call took too long',
	fenced: 'another owner has taken over',
	closing: 'the store was closed',
} as const satisfies Record<SessionEvicted['reason'], string>;
