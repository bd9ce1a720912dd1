// A row of a tree as plain data, so that what it says can be tried without an editor.

export interface Row {
	/** Unique in its tree, and the same for as long as it stands for the same thing. */
	readonly id: string;
	readonly target: RowTarget;
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
	readonly server: string;
	readonly callId?: string;
}

export function isRowTarget(value: unknown): value is RowTarget {
	return typeof value === 'object' && value !== null && 'server' in value && typeof value.server === 'string';
}
