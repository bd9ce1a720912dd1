// The process that owns a directory's session store and is nothing else: it holds the database, and others find and reach it.

import { randomBytes } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Emitter } from '../../../core/base/emitter.ts';
import type { Event } from '../../../core/base/emitter.ts';
import { ExpectedError } from '../../../core/base/errors.ts';
import { DisposableStore } from '../../../core/base/lifecycle.ts';
import type { Disposable } from '../../../core/base/lifecycle.ts';
import type { HostAddress } from '../../../core/host/control.ts';
import { createTurns } from '../../../core/store/createTurns.ts';
import type { OwnerTurns, StoreTurns } from '../../../core/store/createTurns.ts';
import { readGeneration } from '../../../core/store/fence.ts';
import type { StoreLimits } from '../../../core/store/sessionStore.ts';
import { SqlError } from '../../../core/store/sqlDatabase.ts';
import { StoreError } from '../../../core/store/storeError.ts';
import type { SqlDatabase } from '../../../core/store/sqlDatabase.ts';
import { isErrno } from '../errno.ts';
import { onceLetGo } from '../host/heldFile.ts';
import { startControlServer } from '../host/controlServer.ts';
import type { ControlServer, ControlledHost } from '../host/controlServer.ts';
import { ownerFile, readAddress, removeAddress, successorFile, writeAddress } from '../host/dataDirectory.ts';
import { controlSocketPath } from '../host/localSocket.ts';
import { takeLock } from '../host/ownership.ts';
import type { Lock } from '../host/ownership.ts';
import { nodeStorePlatform } from './nodeStorePlatform.ts';
import type { Loss } from './storeServer.ts';

export interface OwnTurnsOptions {
	/** The folder's one true path. */
	readonly directory: string;
	readonly openDatabase: (directory: string) => Promise<SqlDatabase>;
	readonly limits: StoreLimits;
	readonly onError: (error: unknown) => void;
}

/** The store's database, claimed by this process. */
export interface OwnTurns {
	readonly turns: OwnerTurns;
	/** For what else is kept in it, by the generation of the turns. */
	readonly database: SqlDatabase;
	/** Another has claimed it since, or it has closed itself: nothing can be written here any more. */
	readonly lost: Promise<void>;
	/** Finds out whether another has claimed it while this process stood still. If so, it is lost. */
	look(): Promise<void>;
}

export async function openOwnTurns(options: OwnTurnsOptions): Promise<OwnTurns> {
	const { directory, openDatabase, limits, onError } = options;
	const lost = Promise.withResolvers<void>();
	const database = await openDatabase(directory);
	try {
		const platform = { ...nodeStorePlatform(), onError, database: watched(database, lost.resolve) };
		const turns = await createTurns(platform, limits);
		return {
			turns,
			database: platform.database,
			lost: lost.promise,
			async look() {
				// What can only be read was never claimed, so nobody can have claimed it since.
				if (turns.generation === 0) return;
				const [row] = await platform.database.read({ sql: readGeneration, parameters: [] });
				if (row?.['value'] !== turns.generation) lost.resolve();
			},
		};
	} catch (error) {
		await database.close();
		throw naming(error, directory);
	}
}

/** What the half without files says of a store does not say where it is. */
function naming(error: unknown, directory: string): unknown {
	if (!(error instanceof StoreError) || error.code !== 'unusable-directory' || error.message.includes(directory))
		return error;
	const sentence = `${error.message} It is in ${directory}, and is kept as it is.`;
	return new StoreError(error.code, sentence, undefined, { cause: error });
}

/** Closes turns. Those that run a second later are no longer waited for: `onImpatience` ends them, except for what is being written. */
export async function drained(turns: StoreTurns, onImpatience: () => void): Promise<void> {
	const impatience = setTimeout(onImpatience, drainMs);
	try {
		await turns.close();
	} finally {
		clearTimeout(impatience);
	}
}

/** Tells when a write is refused because this process is the owner no more. */
function watched(database: SqlDatabase, onLost: () => void): SqlDatabase {
	const tell = (error: unknown): never => {
		// Whoever is waiting for this is told first.
		if (error instanceof SqlError && (error.code === 'fenced' || error.code === 'closed')) setImmediate(onLost);
		throw error;
	};
	return {
		read: (statement) => database.read(statement).catch(tell),
		write: (statements, generation) => database.write(statements, generation).catch(tell),
		claim: async () => database.claim(),
		close: async () => database.close(),
	};
}

/** No host has listened for this directory yet. */
const nowhere = 'http://127.0.0.1:0';

/** Of several that want to succeed an owner which stands still, one does. */
export const successorLockFile = 'successor.sqlite';

export interface StoreOwnerOptions extends OwnTurnsOptions {
	/** That of the directory; `undefined`: its holder stands still, and this is the successor. */
	readonly lock: Lock | undefined;
	/** Keeps other successors out. */
	readonly successorLock: Disposable | undefined;
}

/** How long a program that ends waits for calls of others that have their turn. They may be made again. */
const drainMs = 1_000;
export const lookMs = 1_000;

export class StoreOwner {
	readonly turns: StoreTurns;
	readonly address: HostAddress;
	/** Once, as soon as it is of no more use to this process itself. */
	readonly left: Promise<void>;
	private readonly options: StoreOwnerOptions;
	private readonly own: OwnTurns;
	private readonly held: DisposableStore;
	private readonly control: ControlServer;
	private readonly losing: Emitter<Loss>;
	private readonly leave = Promise.withResolvers<void>();
	/** The lock's file, which could be removed with its folder while this process runs. */
	private readonly lockFile: bigint;
	private readonly looking: NodeJS.Timeout;
	private isSuccessor: boolean;
	private closing: Promise<void> | undefined;
	private isYielding = false;
	private isLooking = false;

	private constructor(parts: OwnerParts) {
		const { options, own, control, address, held, losing, lockFile } = parts;
		this.options = options;
		this.own = own;
		this.turns = own.turns;
		this.address = address;
		this.control = control;
		this.held = held;
		this.losing = losing;
		this.lockFile = lockFile;
		this.isSuccessor = options.lock === undefined;
		this.left = this.leave.promise;
		this.looking = setInterval(() => void this.look(), lookMs).unref();
		void own.lost.then(() => this.abandon());
	}

	/** Claims the database, and publishes where this process is found. Takes over the locks also when it fails. */
	static async open(options: StoreOwnerOptions): Promise<StoreOwner> {
		const { directory, lock, successorLock, onError } = options;
		const held = new DisposableStore();
		if (lock !== undefined) held.add(lock);
		if (successorLock !== undefined) held.add(successorLock);
		let turns: StoreTurns | undefined;
		let control: ControlServer | undefined;
		try {
			const own = await openOwnTurns(options);
			({ turns } = own);
			if (lock !== undefined) await removeDeadSockets(directory);
			const before = await readAddress(directory);
			const address: HostAddress = {
				// A host that comes after keeps its port and its token.
				url: before?.url ?? nowhere,
				token: before?.token ?? '',
				controlSocket: await controlSocketPath(directory, `store-${randomBytes(4).toString('hex')}`),
				pid: process.pid,
				generation: turns.generation,
				dataDir: directory,
				isStoreOnly: true,
			};
			const owner: { current?: StoreOwner } = {};
			const losing = new Emitter<Loss>(onError);
			control = await startControlServer({
				host: noHost(address),
				store: {
					open: async () => own.turns,
					query: async (statement) => own.database.read(statement),
					onDidLose: losing.event,
					// It is answered first.
					yield: () => setImmediate(() => owner.current?.yield()),
				},
				path: address.controlSocket,
				address: Promise.resolve(address),
				stop: () => {
					throw refusal(address);
				},
				onClients: () => undefined,
				keepsProcess: false,
				log: (sentence) => onError(new Error(sentence)),
			});
			await writeAddress(directory, address, lock === undefined ? successorFile : undefined);
			if (lock !== undefined) await removeAddress(directory, successorFile);
			const { ino } = await stat(join(directory, ownerFile), { bigint: true });
			return (owner.current = new StoreOwner({ options, own, control, address, held, losing, lockFile: ino }));
		} catch (error) {
			await control?.close();
			await turns?.close();
			held.dispose();
			throw error;
		}
	}

	/** Calls that have their turn end first. */
	async close(): Promise<void> {
		return (this.closing ??= this.shutDown(true));
	}

	private get isClosing(): boolean {
		return this.closing !== undefined;
	}

	/** The directory was left to a host. */
	get hasYielded(): boolean {
		return this.isYielding;
	}

	/** It is the owner no more, so there is nothing to wait for. */
	abandon(): void {
		this.closing ??= this.shutDown(false);
	}

	private yield(): void {
		this.isYielding = true;
		this.close().catch(this.options.onError);
	}

	private async shutDown(isOrderly: boolean): Promise<void> {
		clearInterval(this.looking);
		const { onError } = this.options;
		try {
			if (isOrderly) {
				await drained(this.turns, () => {
					this.losing.fire('ending');
					this.leave.resolve();
				});
			} else {
				this.turns.close().catch(onError);
			}
		} finally {
			this.leave.resolve();
			await this.unpublish().catch(onError);
			this.losing.fire(this.isYielding ? 'yielded' : 'lost');
			await this.control.close();
			await this.removeLeftovers().catch(onError);
			// Last of all: from now on another may be the owner.
			this.held.dispose();
		}
	}

	private async unpublish(): Promise<void> {
		const { directory } = this.options;
		for (const name of [undefined, successorFile]) {
			const published = await readAddress(directory, name);
			if (published?.controlSocket !== this.address.controlSocket) continue;
			// What the next host is to know is left there.
			if (name === undefined && published.url !== nowhere) continue;
			await removeAddress(directory, name);
		}
	}

	/** As long as it holds the lock, nobody else has a use for them. */
	private async removeLeftovers(): Promise<void> {
		if (this.isSuccessor) return;
		this.options.successorLock?.dispose();
		for (const suffix of ['', '-journal'])
			await onceLetGo(() => rm(join(this.options.directory, successorLockFile + suffix), { force: true }));
	}

	/** Whether this is still the owner, and its directory still there. */
	private async look(): Promise<void> {
		if (this.isLooking || this.isClosing) return;
		this.isLooking = true;
		try {
			const { directory } = this.options;
			if ((await inodeOf(join(directory, ownerFile))) !== this.lockFile) {
				this.abandon();
				return;
			}
			if (this.isClosing) return;
			await this.own.look();
			if (this.isSuccessor) await this.succeed();
		} catch (error) {
			// Where it has been closed meanwhile there was nothing to be found out any more.
			if (!this.isClosing) this.options.onError(error);
		} finally {
			this.isLooking = false;
		}
	}

	/** Takes the lock as soon as the one that stood still has ended or gone on. */
	private async succeed(): Promise<void> {
		const { directory } = this.options;
		const lock = await takeLock(join(directory, ownerFile), { contentionMs: 0 });
		if (lock === undefined) return;
		this.held.add(lock);
		this.isSuccessor = false;
		await writeAddress(directory, this.address);
		await removeAddress(directory, successorFile);
		this.options.successorLock?.dispose();
	}
}

interface OwnerParts {
	readonly options: StoreOwnerOptions;
	readonly own: OwnTurns;
	readonly control: ControlServer;
	readonly address: HostAddress;
	readonly held: DisposableStore;
	readonly losing: Emitter<Loss>;
	readonly lockFile: bigint;
}

/** `undefined`: it is gone. A number would not hold all of what Windows calls it. */
async function inodeOf(path: string): Promise<bigint | undefined> {
	try {
		return (await stat(path, { bigint: true })).ino;
	} catch (error) {
		if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined;
		throw error;
	}
}

/** What clients of the control socket get of a process that is no host. */
function noHost(address: HostAddress): ControlledHost {
	const { pid, generation } = address;
	const startedAt = new Date().toISOString();
	const refuse = () => {
		throw refusal(address);
	};
	const nothingChanges: Event<void> = () => ({ dispose: () => undefined });
	return {
		status: () => ({ version: 1, host: { pid, generation, startedAt }, servers: [], calls: [], sessions: [] }),
		onDidChange: nothingChanges,
		putServers: refuse,
		putScopes: refuse,
		debug: { attach: refuse },
		faults: { arm: refuse, disarm: refuse, disarmOf: () => undefined, status: [] },
		reconnect: refuse,
		outputOf: refuse,
		cancelCall: refuse,
	};
}

function refusal({ pid, dataDir }: HostAddress): ExpectedError {
	return new ExpectedError(`Process ${pid} has the session store in ${dataDir} open. It is no host.`);
}

/** Of owners that were killed. Whoever asks holds the lock, and has found no successor. */
async function removeDeadSockets(directory: string): Promise<void> {
	for (const name of await readdir(directory)) {
		if (/^store-[0-9a-f]+\.sock$/.test(name)) await rm(join(directory, name), { force: true });
	}
	for (const file of [undefined, successorFile]) {
		const dead = await readAddress(directory, file);
		if (dead?.isStoreOnly === true && process.platform !== 'win32') await rm(dead.controlSocket, { force: true });
	}
}
