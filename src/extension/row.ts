// A row of a tree as plain data, so that what it says can be tried without an editor.

export interface Row {
	/** Unique in its tree, and the same for as long as it stands for the same thing. */
	readonly id: string;
	readonly target: RowTarget | StoreTarget;
	readonly label: string;
	readonly description: string;
	/** Of codicons. */
	readonly icon: string | undefined;
	/** Of the theme. */
	readonly color: string | undefined;
	readonly contextValue: string;
	/** For a screen reader: a sentence. */
	readonly spoken: string;
	/** For the tooltip. */
	readonly details: readonly Detail[];
	/** What a click does. */
	readonly command: { readonly id: string; readonly title: string } | undefined;
	readonly children: readonly Row[];
	/** Whether its children are shown from the beginning. */
	readonly isOpen: boolean;
}

interface Detail {
	readonly name: string;
	readonly text: string;
	/** Kept line by line, below the others. */
	readonly isBlock?: boolean;
}

/** What a command on the row is about. */
export interface RowTarget {
	/** Empty: none of the host's. */
	readonly server: string;
	readonly callId?: string;
	/** Of a call that does not pass the host. */
	readonly toolUseId?: string;
	readonly sessionId?: string;
}

/** The store of the host, in a `StoreTarget`. */
export const hostStore = 'host';

/** A session in a store, or one of its checkpoints. */
export interface StoreTarget {
	/** `hostStore`, or the address of the remote one. */
	readonly store: string;
	/** `undefined`: the store as a whole. */
	readonly sessionId: string | undefined;
	readonly seq?: number;
}

/** One of its sessions, or a checkpoint of that. */
export interface StoredTarget extends StoreTarget {
	readonly sessionId: string;
}

export function isStoredTarget(value: unknown): value is StoredTarget {
	return (
		typeof value === 'object' &&
		value !== null &&
		'store' in value &&
		typeof value.store === 'string' &&
		'sessionId' in value &&
		typeof value.sessionId === 'string'
	);
}

export function isRowTarget(value: unknown): value is RowTarget {
	return typeof value === 'object' && value !== null && 'server' in value && typeof value.server === 'string';
}
