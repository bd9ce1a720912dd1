import type { StoreEvent } from '../../../core/store/createTurns.ts';
import {
	closeCodes,
	decodeObjectMessage,
	encodeObjectMessage,
	longestMessage,
	ping,
	pong,
} from '../../../core/store/objectMessages.ts';
import type { ObjectFailure, ObjectRequestName, ObjectRequests } from '../../../core/store/objectMessages.ts';
import { StoreError } from '../../../core/store/storeError.ts';
import { utf8Length } from '../../../core/store/utf8.ts';

/** The way to the object is lost, or its memory is. What was asked and not answered may have been done. */
export class ObjectLostError extends Error {
	override readonly name = 'ObjectLostError';
	readonly isOverloaded: boolean;

	constructor(message: string, isOverloaded: boolean) {
		super(message);
		this.isOverloaded = isOverloaded;
	}
}

/** The object does not know the turn of a commit: nothing of it was written. */
export class TurnUnknownError extends Error {
	override readonly name = 'TurnUnknownError';
}

export interface ObjectSocketOptions {
	readonly url: URL;
	readonly token: string;
	readonly onEvent: (event: StoreEvent) => void;
	/** Once, however it ends. What was asked and not answered has been rejected with `ObjectLostError`. */
	readonly onClose: () => void;
}

interface Asked {
	readonly resolve: (value: unknown) => void;
	readonly reject: (error: unknown) => void;
}

const openingMs = 10_000;

/** Between two looks whether the other side is still there, while something is asked of it. */
const lookMs = 4_000;
const silentLooks = 2;

/** A WebSocket to the object of one session. */
export class ObjectSocket {
	private readonly socket: WebSocket;
	private readonly options: ObjectSocketOptions;
	private readonly asked = new Map<number, Asked>();
	private lastId = 0;
	private isClosed = false;
	private watch: NodeJS.Timeout | undefined;
	private looks = 0;

	/** Rejects with `ObjectLostError`. */
	static async open(options: ObjectSocketOptions): Promise<ObjectSocket> {
		const opened = new ObjectSocket(options);
		await opened.untilOpen();
		return opened;
	}

	private constructor(options: ObjectSocketOptions) {
		this.options = options;
		const url = new URL(options.url);
		url.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:';
		this.socket = new WebSocket(url, { headers: { authorization: `Bearer ${options.token}` } });
		this.socket.addEventListener('message', ({ data }) => this.take(data));
		this.socket.addEventListener('close', ({ code, reason }) => this.closed(code, reason));
		// A close follows, or the promise of `untilOpen` says it.
		this.socket.addEventListener('error', () => undefined);
	}

	/** Rejects with what the object refuses it with (`StoreError`, `TurnUnknownError`), or with `ObjectLostError`. */
	async request<Name extends ObjectRequestName>(
		name: Name,
		params: ObjectRequests[Name]['params'],
	): Promise<ObjectRequests[Name]['result']> {
		if (this.isClosed) throw lost(1006, '');
		const id = ++this.lastId;
		const message = encodeObjectMessage({ kind: 'request', id, name, body: params });
		if (utf8Length(message) > longestMessage) {
			throw new StoreError('too-large', `A message may not be longer than ${longestMessage} bytes.`, undefined);
		}
		const answered = new Promise<unknown>((resolve, reject) => this.asked.set(id, { resolve, reject }));
		this.lookAfter();
		this.socket.send(message);
		// The other side is a `SessionObject` of the same version of the protocol.
		return (await answered) as ObjectRequests[Name]['result'];
	}

	/** What is asked and not answered is given up. */
	close(): void {
		this.socket.close();
		this.closed(1000, '');
	}

	private async untilOpen(): Promise<void> {
		if (this.socket.readyState === WebSocket.OPEN) return;
		const timer = setTimeout(() => this.close(), openingMs);
		try {
			await new Promise<unknown>((resolve, reject) => {
				this.socket.addEventListener('open', resolve);
				// Rejected when the socket closes instead.
				this.asked.set(0, { resolve, reject });
			});
		} finally {
			clearTimeout(timer);
			this.asked.delete(0);
		}
	}

	private take(data: unknown): void {
		this.looks = 0;
		if (this.isClosed || data === pong) return;
		const message = typeof data === 'string' ? decodeObjectMessage(data) : undefined;
		switch (message?.kind) {
			case 'answer':
				this.ended(message.id)?.resolve(message.body);
				return;
			case 'failure':
				this.failed(message.id, message.body);
				return;
			case 'event':
				this.options.onEvent(message.body);
				return;
			case 'request':
			case undefined:
				// A store was greeted at this address before; what answers now is none.
				this.close();
		}
	}

	private failed(id: number, failure: ObjectFailure): void {
		const asked = this.ended(id);
		switch (failure.kind) {
			case 'refused':
				// It begins anew, and that is the end of this socket.
				if (failure.code === 'fenced' || failure.code === 'closed') {
					asked?.reject(lost(1012, failure.message));
					this.close();
				} else asked?.reject(new StoreError(failure.code, failure.message, failure.sessionId));
				return;
			case 'turn-unknown':
				asked?.reject(new TurnUnknownError('The object has lost its memory in the middle of the call.'));
				return;
			case 'bug':
				asked?.reject(new Error(`The session's object failed: ${failure.message}`));
		}
	}

	private ended(id: number): Asked | undefined {
		const asked = this.asked.get(id);
		this.asked.delete(id);
		if (this.asked.size === 0) this.lookNoMore();
		return asked;
	}

	private lookAfter(): void {
		if (this.watch !== undefined) return;
		this.looks = 0;
		this.watch = setInterval(() => {
			if (this.looks++ >= silentLooks) this.close();
			else if (this.socket.readyState === WebSocket.OPEN) this.socket.send(ping);
		}, lookMs);
	}

	private lookNoMore(): void {
		clearInterval(this.watch);
		this.watch = undefined;
	}

	private closed(code: number, reason: string): void {
		if (this.isClosed) return;
		this.isClosed = true;
		this.lookNoMore();
		const error = lost(code, reason);
		for (const { reject } of this.asked.values()) reject(error);
		this.asked.clear();
		this.options.onClose();
	}
}

function lost(code: number, reason: string): ObjectLostError {
	const why = reason === '' ? '' : `: ${reason}`;
	return new ObjectLostError(
		`The connection to the session's object ended with code ${code}${why}.`,
		code === closeCodes.overloaded,
	);
}
