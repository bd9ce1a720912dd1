// What a live target needs of the host, and of the program that it is part of; the shells hand it in.

import type { Event } from '../core/base/emitter.ts';
import type { Disposable } from '../core/base/lifecycle.ts';
import type { Core } from '../core/core.ts';
import type { DebugNotifications, DebugRequests } from '../core/debug/index.ts';
import type { HostStatus } from '../core/host/status.ts';
import type { StoredCallReader } from '../core/store/storedCalls.ts';
import type { Platform } from '../core/platform.ts';
import type { LiveTarget } from './liveTarget.ts';

/** A debugger's own connection to one host: what it has set and what it holds is let go with it. */
export interface HostLink extends Disposable {
	/** The data directory, by its one true path. */
	readonly dataDirectory: string;
	/** Rejects with an `ExpectedError` when the host refuses, or ends before it has answered. */
	request<Name extends keyof DebugRequests>(
		name: Name,
		params: DebugRequests[Name]['params'],
	): Promise<DebugRequests[Name]['result']>;
	status(): Promise<HostStatus>;
	/** From now on whenever it is different, at most ten times a second, and once at once. */
	watchStatus(listener: (status: HostStatus) => void): Disposable;
	onNotification<Name extends keyof DebugNotifications>(
		name: Name,
		listener: (params: DebugNotifications[Name]) => void,
	): Disposable;
	/** Once, when the host has ended. At once for whoever asks later. */
	readonly onDidClose: Event<void>;
}

/** How Crosstalk's command line is started. */
export interface OwnProgram {
	readonly command: string;
	readonly args: readonly string[];
	readonly environment: Readonly<Record<string, string>>;
}

export interface LiveAccess {
	/** `undefined`: no host runs there. @param directory `undefined`: the user's own. Rejects with a sentence when one runs that cannot be spoken to. */
	attach(directory: string | undefined): Promise<HostLink | undefined>;
	/** Starts a host where none runs. */
	attachOrStart(directory: string | undefined, signal: AbortSignal): Promise<HostLink>;
	readonly program: OwnProgram;
	readonly core: Core;
	readonly platform: Platform;
	readonly homeFolder: string;
	readonly environment: Readonly<Record<string, string | undefined>>;
	/** Reads what the session store of a data directory keeps of calls. `undefined`: there is none. */
	storedCalls?(dataDirectory: string): StoredCallReader | undefined;
	/** Told of each target that is made. */
	readonly onDidCreate?: ((target: LiveTarget) => void) | undefined;
	/** A mistake of our own, for the log. */
	onError(error: unknown): void;
}
