/** What a reader of recorded events may ask of the process that holds them. JSON. */
export type EventQuery =
	/** Every log, in the order in which they began. */
	| { readonly kind: 'logs' }
	/** Chunks with a greater number, by number, some of them; only those that hold lines of one of these sessions. */
	| { readonly kind: 'chunks'; readonly after: number; readonly of: readonly string[] | undefined }
	| { readonly kind: 'log-chunks'; readonly after: number; readonly log: number }
	/** The greatest number of a chunk, or `null`. */
	| { readonly kind: 'latest' }
	/** Whether a chunk is still there: its number, or nothing. */
	| { readonly kind: 'chunk'; readonly number: number }
	| { readonly kind: 'bytes'; readonly number: number };

/** A row as JSON: bytes are base64, as `bytes`, where the query asks for them. */
export type EventRow = Readonly<Record<string, string | number | null>>;
