// A call on a session has two halves. The half beside the caller holds the function and the live state; the half beside the database, one
// for each session, decides whose turn it is and makes the checkpoint. They may be in one process, on two sides of a socket, or one in a
// Durable Object: this is all they say to each other.

/** The half beside the database. Everything rejects with `StoreError`. */
export interface Turns {
	/** Resolves when it is this call's turn: those that began before on this session have ended. */
	begin(request: TurnRequest): Promise<TurnStart>;
	/** Resolves when state and reply are on disk. After an error the turn has ended, and its caller's copy of the state is worth nothing. */
	commit(end: TurnEnd): Promise<TurnCommitted>;
	/** The call has failed; nothing of it remains. A turn that has ended already is let alone. One that was kept and not used is given back. */
	abort(turnId: string): Promise<void>;
}

export interface TurnRequest {
	readonly sessionId: string;
	/** Under which the first reply is kept. Without one nothing is: a call that is made again runs again. */
	readonly key: string | undefined;
	readonly tool: string;
	/** Tells these arguments of this tool from all others. */
	readonly argumentsHash: string;
	/** Of the state that the caller still holds; if it is the current one, it is not sent again. */
	readonly heldState: string | undefined;
	/** In milliseconds from the moment the turn begins; `undefined`: the store's own limit. */
	readonly deadlineMs: number | undefined;
}

export type TurnStart = TurnReplay | Turn;

/** The same call has been made: it is not run again. */
export interface TurnReplay {
	readonly kind: 'replay';
	/** JSON; empty: it was `undefined`. */
	readonly reply: string;
	/** Of the checkpoint that holds it. */
	readonly seq: number;
}

export interface Turn {
	readonly kind: 'turn';
	readonly turnId: string;
	/** Of the checkpoint that the turn starts from; 0: the session is new. */
	readonly seq: number;
	/** Names this state: it changes whenever a turn has ended, however it ended, and whenever the state was read from disk. */
	readonly stateId: string;
	/** JSON; `undefined`: it is the one that the caller holds. */
	readonly state: string | undefined;
	/** Milliseconds that the call has. */
	readonly deadlineMs: number;
}

export interface TurnEnd {
	readonly turnId: string;
	/** JSON. */
	readonly state: string;
	/** JSON; empty: it is `undefined`. */
	readonly reply: string;
	/** Of a turn that was kept: what it was used for. */
	readonly request?: TurnRequest | undefined;
	/** The caller goes on with this session, and would keep its turn for the next call. */
	readonly keep?: { readonly knowsKeys: boolean } | undefined;
}

export interface TurnCommitted {
	readonly seq: number;
	readonly stateId: string;
	readonly next?: KeptTurn | undefined;
}

/**
 * The next turn, which need not be asked for: it begins with the state that was just committed. Nobody else has his turn until it was used or
 * given back, so whoever is told that it is wanted (`turn-wanted`) says at once that it is in use, or gives it back.
 */
export interface KeptTurn {
	readonly turnId: string;
	/** Of a call that names none. */
	readonly deadlineMs: number;
	/** Those of which replies are kept: a call with one of them has to be asked for. `undefined`: the caller knows them. */
	readonly keys: readonly string[] | undefined;
}
