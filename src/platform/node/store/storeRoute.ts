// The way to a directory's store, whoever owns it: a process that runs already, or this one.

import { access, constants, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Disposable } from '../../../core/base/lifecycle.ts';
import type { HostAddress } from '../../../core/host/control.ts';
import type { StoreTurns } from '../../../core/store/createTurns.ts';
import type { Turn, TurnRequest } from '../../../core/store/turns.ts';
import { StoreError } from '../../../core/store/storeError.ts';
import { isErrno } from '../errno.ts';
import { ownerFile, readAddress, successorFile } from '../host/dataDirectory.ts';
import { takeLock } from '../host/ownership.ts';
import type { Lock } from '../host/ownership.ts';
import { connectStore } from './storeClient.ts';
import { StoreOwner, openOwnTurns, successorLockFile } from './storeOwner.ts';
import type { OwnTurnsOptions } from './storeOwner.ts';

/** One owner, for as long as it is that. */
export interface StoreRoute {
	readonly address: HostAddress;
	readonly turns: StoreTurns;
	/** The turn of a call that need not ask for it. `undefined`: it has to. */
	readonly beginKept?: (request: TurnRequest) => Turn | undefined;
	/** The owner is this process. */
	readonly isOurs: boolean;
	/** Resolves when it is of no more use. */
	readonly closed: Promise<void>;
	/** How it closed. `silent`: the owner gave no sign of life. `yielded`: it left the directory to a host. */
	ending(): 'ended' | 'silent' | 'yielded';
	/** Whether all events are told, or only those of one's own turns. */
	watch(isOn: boolean): Promise<void>;
	/** Own turns have ended. */
	close(): Promise<void>;
	/** Gives it up at once. */
	drop(): void;
}

export interface RouteOptions extends OwnTurnsOptions {
	/** How long an owner may give no sign of life until another process claims its database. */
	readonly takeOverMs: number;
	readonly signal: AbortSignal;
}

/** Two that begin together get into each other's way for about as long as this. */
const pauseMs = 4;
const longestPauseMs = 60;

/** After an owner has left the directory to a host, how long nobody else takes it. */
export const yieldedMs = 1_500;

/**
 * @param suspect An owner that gives no sign of life.
 * @param lockFrom In terms of `performance.now()`: before it the directory is left to others.
 */
export async function findRoute(
	options: RouteOptions,
	suspect: HostAddress | undefined,
	lockFrom: number,
): Promise<StoreRoute> {
	const { directory, takeOverMs, signal } = options;
	const silent = new Set<string>(suspect === undefined ? [] : [suspect.controlSocket]);
	const beganAt = performance.now();
	for (let pause = pauseMs; ; pause = Math.min(pause * 1.5, longestPauseMs)) {
		signal.throwIfAborted();
		await refuseIfGone(directory);
		const found = await attach(options, silent);
		if (found !== undefined) return found;
		if (!(await isWritable(directory))) return readOnly(options);
		const lock = performance.now() < lockFrom ? undefined : await lockOf(directory);
		if (lock !== undefined) {
			// While a lock was being taken, a successor may have claimed the database.
			const successor = await attach(options, silent).catch((error: unknown) => {
				lock.dispose();
				throw error;
			});
			if (successor === undefined) return own(options, lock, undefined);
			lock.dispose();
			return successor;
		}
		const waited = performance.now() - beganAt;
		let cause: unknown;
		if (silent.size > 0 || waited > takeOverMs) {
			try {
				const succeeded = await succeed(options, silent, waited > 2 * takeOverMs);
				if (succeeded !== undefined) return succeeded;
			} catch (error) {
				signal.throwIfAborted();
				// One that was stopped in the middle of a transaction keeps its database, too, until it goes on or ends.
				cause = error;
			}
		}
		if (waited > 3 * takeOverMs + leastWaitMs) throw unreachable(directory, await readAddress(directory), cause);
		await delay(pause * (0.5 + Math.random()), undefined, { signal });
	}
}

const leastWaitMs = 10_000;

/** To whoever is published and alive, a successor before the one that it has succeeded. */
async function attach(options: RouteOptions, silent: Set<string>): Promise<StoreRoute | undefined> {
	const { directory, takeOverMs, onError, signal } = options;
	for (const file of [successorFile, undefined]) {
		const address = await readAddress(directory, file);
		if (address === undefined || silent.has(address.controlSocket)) continue;
		const connection = await connectStore(address.controlSocket, {
			silenceMs: takeOverMs,
			onError,
			signal,
		}).catch(nobodyIfItLeaves);
		if (connection === 'nobody') continue;
		if (connection === 'silent') {
			silent.add(address.controlSocket);
			continue;
		}
		return {
			address: connection.address,
			turns: connection.turns,
			beginKept: (request) => connection.turns.beginKept(request),
			isOurs: false,
			closed: connection.closed,
			ending: () => connection.ending(),
			watch: async (isOn) => connection.turns.watch(isOn),
			close: async () => connection.turns.close(),
			drop: () => connection.destroy(),
		};
	}
	return undefined;
}

/** It has just found out that another is the owner, or it ends. */
function nobodyIfItLeaves(error: unknown): 'nobody' {
	if (error instanceof StoreError && (error.code === 'fenced' || error.code === 'closed')) return 'nobody';
	throw error;
}

async function own(
	options: RouteOptions,
	lock: Lock | undefined,
	successorLock: Disposable | undefined,
): Promise<StoreRoute> {
	const owner = await StoreOwner.open({ ...options, lock, successorLock });
	return {
		address: owner.address,
		turns: owner.turns,
		isOurs: true,
		closed: owner.left,
		ending: () => (owner.hasYielded ? 'yielded' : 'ended'),
		watch: async () => undefined,
		close: async () => owner.close(),
		drop: () => owner.abandon(),
	};
}

/**
 * Takes the place of an owner that stands still and so keeps its lock. What it writes when it goes on is refused, because this process has
 * claimed the database since. `undefined`: another process is doing that, or the database cannot be claimed yet.
 * @param isAlone Whoever keeps the others out stands still too: it is done without.
 */
async function succeed(options: RouteOptions, silent: Set<string>, isAlone: boolean): Promise<StoreRoute | undefined> {
	const successorLock = await takeLock(join(options.directory, successorLockFile), { contentionMs: 0 });
	if (successorLock === undefined && !isAlone) return undefined;
	let other: StoreRoute | undefined;
	try {
		// Another may have done it since this process has looked.
		other = await attach(options, silent);
		if (other === undefined) return await own(options, undefined, successorLock);
	} catch (error) {
		successorLock?.dispose();
		throw error;
	}
	successorLock?.dispose();
	return other;
}

/** Nothing can be claimed there, and nothing needs to be. */
async function readOnly(options: RouteOptions): Promise<StoreRoute> {
	const { turns, lost } = await openOwnTurns(options);
	const closed = Promise.withResolvers<void>();
	void lost.then(() => closed.resolve());
	const close = async () => {
		closed.resolve();
		await turns.close();
	};
	const { directory } = options;
	const address = { url: '', token: '', controlSocket: '', pid: process.pid, generation: 0, dataDir: directory };
	return {
		address,
		turns,
		isOurs: true,
		closed: closed.promise,
		ending: () => 'ended',
		watch: async () => undefined,
		close,
		drop: () => void close().catch(options.onError),
	};
}

async function isWritable(directory: string): Promise<boolean> {
	try {
		await access(directory, constants.W_OK);
		return true;
	} catch {
		// Whatever the reason is: nothing can be made there.
		return false;
	}
}

async function lockOf(directory: string): Promise<Lock | undefined> {
	return takeLock(join(directory, ownerFile), { contentionMs: 0 });
}

async function refuseIfGone(directory: string): Promise<void> {
	try {
		await stat(directory);
	} catch (error) {
		if (!isErrno(error, 'ENOENT')) throw error;
		throw new StoreError(
			'unusable-directory',
			`The directory ${directory} of the session store is gone.`,
			undefined,
			{
				cause: error,
			},
		);
	}
}

function unreachable(directory: string, owner: HostAddress | undefined, cause: unknown): StoreError {
	const who = owner === undefined ? 'Another process' : `Process ${owner.pid}`;
	const why = cause instanceof Error ? ` Its place cannot be taken: ${cause.message}` : '';
	return new StoreError(
		'owner-lost',
		`${who} owns the session store in ${directory} and cannot be reached.${why}`,
		undefined,
		{ cause },
	);
}
