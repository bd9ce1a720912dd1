// One way between two processes, on which both may ask and answer.

import type { Socket } from 'node:net';
import { ExpectedError } from '../../../core/base/errors.ts';
import { SmallMap } from '../../../core/base/smallMap.ts';
import { StoreError } from '../../../core/store/storeError.ts';
import type { StoreErrorCode } from '../../../core/store/storeError.ts';
import { FrameReader, FrameTooLongError, FrameWriter, frameKinds } from './storeFrames.ts';
import type { Frame, FrameKind } from './storeFrames.ts';

export interface StoreChannelOptions {
	readonly answer: (name: string, params: unknown) => Promise<unknown>;
	readonly onNotice: (name: string, params: unknown) => void;
	/** Once, however it ends. What was asked and not answered has been rejected with `ChannelClosedError`. */
	readonly onClose: () => void;
	/** A bug of ours, or a peer that is none of us. */
	readonly onError: (error: unknown) => void;
}

/** The other side is gone, or has been given up. Whether it has done what it was asked for is not known. */
export class ChannelClosedError extends Error {
	override readonly name = 'ChannelClosedError';
}

interface Asked {
	readonly resolve: (value: unknown) => void;
	readonly reject: (error: unknown) => void;
}

/** What failed on the other side, as it is sent. */
interface Failure {
	readonly code: StoreErrorCode | 'expected' | 'other';
	readonly message: string;
	readonly sessionId?: string | undefined;
}

export class StoreChannel {
	private readonly socket: Socket;
	private readonly options: StoreChannelOptions;
	private readonly asked = new SmallMap<number, Asked>();
	private lastId = 0;
	/** What has been said, and not been written. */
	private readonly said = new FrameWriter();
	private readonly flushSoon = () => this.flush();
	/** The system took all of what was said last, so that its memory could be used again. */
	private isTakenAtOnce = true;
	private isClosed = false;
	/** Looks while something is asked whether the other side is still there. */
	private watch: NodeJS.Timeout | undefined;
	private silentLooks = 0;
	private isGivenUp = false;
	private giveUpAfterMs: number | undefined;

	/** @param socket Both sides have said which protocol they speak. */
	constructor(socket: Socket, options: StoreChannelOptions) {
		this.socket = socket;
		this.options = options;
		const reader = new FrameReader((frame) => this.take(frame));
		socket.on('data', (chunk: Buffer) => {
			this.silentLooks = 0;
			try {
				reader.push(chunk);
			} catch (error) {
				options.onError(error);
				this.destroy();
			}
		});
		// What goes wrong with a socket closes it.
		socket.on('error', () => socket.destroy());
		socket.once('close', () => this.closed());
		if (socket.destroyed) this.closed();
	}

	/** Rejects with what the other side's `answer` did, or with `ChannelClosedError`. */
	request(name: string, params: unknown): Promise<unknown> {
		// Not `async`, as little on the way of a call is: each would add a step.
		return new Promise((resolve, reject) => {
			if (this.isClosed) throw new ChannelClosedError('The way is closed.');
			const id = (this.lastId = (this.lastId % 0xffff_ffff) + 1);
			this.say({ kind: frameKinds.request, id, name, value: params });
			// While somebody waits for an answer the process must not end; otherwise the way keeps it no longer than it wants.
			if (this.asked.size === 0) this.socket.ref();
			this.asked.set(id, { resolve, reject });
			this.lookAfter();
		});
	}

	notify(name: string, params: unknown): void {
		if (!this.isClosed) this.say({ kind: frameKinds.notice, id: 0, name, value: params });
	}

	/** Bytes that the other side has not read yet. */
	get unread(): number {
		return this.said.length + this.socket.writableLength;
	}

	/** The way was closed because the other side gave no sign of life. */
	get hasBeenSilent(): boolean {
		return this.isGivenUp;
	}

	/** Closes the way when the other side, asked for something, says nothing at all for so long. */
	giveUpAfter(milliseconds: number): void {
		this.giveUpAfterMs = milliseconds;
		this.lookAfter();
	}

	/** What was said already still arrives. */
	end(): void {
		this.flush();
		this.socket.end();
		const forced = setTimeout(() => this.socket.destroy(), 500);
		this.socket.once('close', () => clearTimeout(forced));
	}

	destroy(): void {
		this.socket.destroy();
		this.closed();
	}

	private take({ kind, id, name, value }: Frame): void {
		switch (kind) {
			case frameKinds.request:
				this.options.answer(name, value).then(
					(result) => this.reply(frameKinds.answer, id, result ?? null),
					(error: unknown) => this.reply(frameKinds.failure, id, this.failureOf(error)),
				);
				return;
			case frameKinds.answer:
				// What is not there goes over the way as null.
				this.asked.get(id)?.resolve(value ?? undefined);
				this.forget(id);
				return;
			case frameKinds.failure:
				// Made by `failureOf` on the other side.
				this.asked.get(id)?.reject(errorOf(value as Failure));
				this.forget(id);
				return;
			case frameKinds.notice:
				this.options.onNotice(name, value);
				return;
			case frameKinds.isAlive:
				this.say({ kind: frameKinds.alive, id: 0, name: '', value: null });
				return;
			case frameKinds.alive:
				return;
			default:
				throw new Error(`A frame of kind ${String(kind satisfies never)} is none.`);
		}
	}

	private reply(kind: FrameKind, id: number, value: unknown): void {
		if (this.isClosed) return;
		try {
			this.say({ kind, id, name: '', value });
		} catch (error) {
			this.say({ kind: frameKinds.failure, id, name: '', value: this.failureOf(error) });
		}
	}

	private failureOf(error: unknown): Failure {
		if (error instanceof StoreError)
			return { code: error.code, message: error.message, sessionId: error.sessionId };
		if (error instanceof ExpectedError) return { code: 'expected', message: error.message };
		this.options.onError(error);
		return { code: 'other', message: error instanceof Error ? error.message : String(error) };
	}

	/** What is said in one turn of the event loop goes out as one. Throws where it cannot be said. */
	private say(frame: Frame): void {
		if (this.isClosed || !this.socket.writable) return;
		const isFirst = this.said.length === 0;
		try {
			this.said.add(frame);
		} catch (error) {
			if (error instanceof FrameTooLongError)
				throw new StoreError('too-large', error.message, undefined, { cause: error });
			throw error;
		}
		if (isFirst) process.nextTick(this.flushSoon);
	}

	private flush(): void {
		if (this.said.length === 0) return;
		this.said.take((bytes) => {
			if (!this.socket.writable) return true;
			// To a peer that does not read, and on pipes of Windows always, a copy is sent: it is no larger than what was said.
			const isCopy = !this.isTakenAtOnce;
			this.socket.write(isCopy ? Buffer.from(bytes) : bytes);
			this.isTakenAtOnce = this.socket.writableLength === 0;
			return isCopy || this.isTakenAtOnce;
		});
	}

	private forget(id: number): void {
		this.asked.delete(id);
		if (this.asked.size === 0) this.socket.unref();
	}

	private lookAfter(): void {
		const { giveUpAfterMs } = this;
		if (giveUpAfterMs === undefined || this.asked.size === 0) return;
		if (this.asked.size === 1) this.silentLooks = 0;
		// Counted in looks, not by a clock: if it was this process that stood still, what came meanwhile is read before it has looked
		// often enough.
		const looks = 5;
		// It goes on from one question to the next, until there has been none for a while.
		this.watch ??= setInterval(() => {
			if (this.asked.size === 0) {
				clearInterval(this.watch);
				this.watch = undefined;
			} else if (this.silentLooks++ < looks) this.say({ kind: frameKinds.isAlive, id: 0, name: '', value: null });
			else {
				this.isGivenUp = true;
				this.destroy();
			}
		}, giveUpAfterMs / looks).unref();
	}

	private closed(): void {
		if (this.isClosed) return;
		this.isClosed = true;
		clearInterval(this.watch);
		for (const [, { reject }] of this.asked.entries()) reject(new ChannelClosedError('The other side is gone.'));
		this.asked.clear();
		this.options.onClose();
	}
}

function errorOf({ code, message, sessionId }: Failure): Error {
	switch (code) {
		case 'expected':
			return new ExpectedError(message);
		case 'other':
			return new Error(message);
		default:
			return new StoreError(code, message, sessionId);
	}
}
