import { ExpectedError } from '../base/errors.ts';

export type StoreErrorCode =
	/** A session id is absent, empty or not well-formed Unicode: there is no default session. */
	| 'invalid-session-id'
	/** A key, a tool's name or a deadline that cannot be one; the message says which. */
	| 'invalid-request'
	/** What a store is to be opened with makes no sense; the message says which option or limit. */
	| 'invalid-options'
	/** The state, the arguments or the reply is not what JSON gives back unchanged; the message says where. */
	| 'not-storable'
	/** The state or the reply is larger than the store takes. */
	| 'too-large'
	/** The key was used for a call of another tool or with other arguments. */
	| 'key-reused'
	/** There is no such checkpoint, or its state is not kept any more. */
	| 'not-kept'
	/** What is kept of this session fails its checksum. Its bytes are kept as they are; other sessions are not affected. */
	| 'session-damaged'
	/** The call took longer than it may. Nothing of it remains. */
	| 'deadline-exceeded'
	/** Memory was given up in the middle of the call. Nothing of it remains. */
	| 'evicted'
	/** Another owner has taken over. Nothing of the call remains. */
	| 'fenced'
	/** The owner ended or cannot be reached. A call that was being committed may have been: its key tells. */
	| 'owner-lost'
	/** More calls wait for this session than may. */
	| 'overloaded'
	/** The disk is full. Nothing of the call remains, and reads go on. */
	| 'disk-full'
	/** The disk failed. Nothing of the call was acknowledged. */
	| 'disk-failed'
	/** The store can only be read: its directory, or its schema is newer than this version. */
	| 'read-only'
	/** The directory cannot hold a store: the message says why and what to do. */
	| 'unusable-directory'
	| 'unauthorized'
	/** What answers at the address is no session store, or one of another version. */
	| 'not-a-store'
	| 'closed';

/** Of these the same call may be made again, with its key, and has one effect at most. */
const retryable: ReadonlySet<StoreErrorCode> = new Set([
	'evicted',
	'fenced',
	'owner-lost',
	'overloaded',
	'disk-full',
	'disk-failed',
]);

/** What the store refuses or cannot do. The message is a finished sentence that names the session. */
export class StoreError extends ExpectedError {
	override readonly name = 'StoreError';
	readonly code: StoreErrorCode;
	readonly sessionId: string | undefined;

	constructor(code: StoreErrorCode, message: string, sessionId: string | undefined, options?: ErrorOptions) {
		super(message, options);
		this.code = code;
		this.sessionId = sessionId;
	}

	get isRetryable(): boolean {
		return retryable.has(this.code);
	}
}
