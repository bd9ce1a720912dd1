import { commandIds } from './ids.ts';
import type { Row } from './row.ts';
import { sessionRows, storeWords } from './storeRows.ts';
import type { StoreView } from './storeRows.ts';

/** What the rows of a remote session store are made of. */
export interface RemoteStoreView {
	/** As it is in the targets of rows. */
	readonly address: string;
	/** Of the machine that it is on. */
	readonly name: string;
	/** `undefined`: nobody has looked yet, it is being read, or it could not be. */
	readonly contents: StoreView | undefined;
	readonly isReading: boolean;
	readonly problem: RemoteStoreProblem | undefined;
}

export interface RemoteStoreProblem {
	/** A sentence. */
	readonly message: string;
	/** Whether another token, or another address, is what helps. */
	readonly isMendedByConnecting: boolean;
}

/** One row, and below it the sessions. To list them wakes each, so it is closed until somebody opens it. */
export function remoteStoreRows(view: RemoteStoreView | undefined, now: number): readonly Row[] {
	if (view === undefined) return [];
	const { address, name, contents, isReading, problem } = view;
	const { words, hasDamage } =
		contents === undefined ? { words: [], hasDamage: false } : storeWords(contents.sessions);
	const said = problem === undefined ? (isReading ? ['being read'] : words) : [problem.message];
	return [
		{
			id: `remote store ${address}`,
			target: { store: address, sessionId: undefined },
			label: 'Remote session store',
			description: [name, ...(problem === undefined ? said : [])].join(' · '),
			icon: problem === undefined ? 'cloud' : 'warning',
			color: hasDamage ? 'list.errorForeground' : problem === undefined ? undefined : 'list.warningForeground',
			contextValue: 'crosstalkRemoteStore',
			spoken:
				said.length === 0
					? `The remote session store ${name}; its sessions are read when it is opened.`
					: `The remote session store ${name}: ${said.join(', ').replace(/\.$/u, '')}.`,
			details: [
				{ name: 'Address', text: address },
				{ name: 'Sessions', text: words.join(', ') },
				{ name: 'Problem', text: problem?.message ?? '' },
			],
			command: undefined,
			children: childrenOf(view, now),
			isOpen: false,
		},
	];
}

function childrenOf({ address, contents, problem }: RemoteStoreView, now: number): readonly Row[] {
	if (problem !== undefined) {
		const { message, isMendedByConnecting } = problem;
		const command = isMendedByConnecting
			? { id: commandIds.connectRemoteStore, title: 'Connect' }
			: { id: commandIds.refreshRemoteStore, title: 'Read Again' };
		return [fact(address, 'problem', { label: message, icon: 'warning', command })];
	}
	if (contents === undefined) {
		return [fact(address, 'unread', { label: 'Sessions', description: 'being read', icon: 'loading~spin' })];
	}
	if (contents.sessions.length === 0) return [fact(address, 'empty', { label: 'No session is stored there yet' })];
	return sessionRows(contents, address, now);
}

function fact(address: string, key: string, further: Partial<Row> & Pick<Row, 'label'>): Row {
	const { label, description = '' } = further;
	return {
		id: `remote ${key} ${address}`,
		target: { store: address, sessionId: undefined },
		description,
		icon: undefined,
		color: undefined,
		contextValue: 'crosstalkRemoteStoreFact',
		spoken: description === '' ? `${label.replace(/\.$/u, '')}.` : `${label}: ${description}.`,
		details: [],
		command: undefined,
		children: [],
		isOpen: false,
		...further,
	};
}
