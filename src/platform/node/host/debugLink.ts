// A debugger's way to the host of a data directory: a connection of its own, because what a debugger has set and what it holds ends with it.

import { ErrorCodes, ResponseError } from 'vscode-jsonrpc/node';
import { ExpectedError } from '../../../core/base/errors.ts';
import type { Disposable } from '../../../core/base/lifecycle.ts';
import type { DebugNotifications, DebugRequests } from '../../../core/debug/index.ts';
import type { HostStatus } from '../../../core/host/status.ts';
import { attach, attachOrStart } from './attach.ts';
import type { Program } from './attach.ts';
import type { ControlClient } from './controlClient.ts';

export interface DebugLink extends Disposable {
	readonly dataDirectory: string;
	request<Name extends keyof DebugRequests>(
		name: Name,
		params: DebugRequests[Name]['params'],
	): Promise<DebugRequests[Name]['result']>;
	status(): Promise<HostStatus>;
	/** From now on whenever it is different, and once at once. */
	watchStatus(listener: (status: HostStatus) => void): Disposable;
	onNotification<Name extends keyof DebugNotifications>(
		name: Name,
		listener: (params: DebugNotifications[Name]) => void,
	): Disposable;
	readonly onDidClose: (listener: () => void) => Disposable;
}

export interface DebugLinkOptions {
	/** Who asks, for the host's log. */
	readonly client: string;
	/** The data directory for those who name none. */
	readonly directory: () => string;
	readonly program: Program;
	/** Of a host that has to be started; asked then. */
	readonly idleSeconds?: (() => number) | undefined;
	readonly onError: (error: unknown) => void;
}

/** Both reject with a sentence, an `ExpectedError`, where a host runs that cannot be spoken to. */
export interface DebugLinks {
	/** `undefined`: none runs there. */
	attach(directory: string | undefined): Promise<DebugLink | undefined>;
	attachOrStart(directory: string | undefined, signal: AbortSignal): Promise<DebugLink>;
	readonly program: Program;
}

export function debugLinks({ client, directory: usual, program, idleSeconds, onError }: DebugLinkOptions): DebugLinks {
	return {
		program,
		async attach(directory = usual()) {
			const control = await attach({ directory, client });
			return control === undefined ? undefined : linkOver(control, onError);
		},
		async attachOrStart(directory = usual(), signal) {
			const control = await attachOrStart({ directory, client, program, signal, idleSeconds: idleSeconds?.() });
			return linkOver(control, onError);
		},
	};
}

function linkOver(control: ControlClient, onError: (error: unknown) => void): DebugLink {
	return {
		dataDirectory: control.address.dataDir,
		async request(name, params) {
			try {
				return await control.request(name, params);
			} catch (error) {
				if (error instanceof ResponseError && error.code === ErrorCodes.MethodNotFound)
					throw new ExpectedError(
						'The host that runs is older than this debugger, and cannot stop calls. Stop it (Crosstalk: Stop Host); the next one to need it starts a new one.',
						{ cause: error },
					);
				throw error;
			}
		},
		status: async () => control.request('host/status', {}),
		watchStatus(listener) {
			const listening = control.onDidChange(listener);
			// A host that ends meanwhile is told of by `onDidClose`.
			control.request('host/watch', {}).catch((error: unknown) => {
				if (!(error instanceof ExpectedError)) onError(error);
			});
			return listening;
		},
		onNotification: (name, listener) => control.onDebug(name, listener),
		onDidClose: (listener) => control.onDidClose(listener),
		dispose: () => control.dispose(),
	};
}
