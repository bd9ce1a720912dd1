import type { DebugRequests } from '../debug/debugControl.ts';
import type { ScopeSettings } from '../scope/index.ts';
import type { FaultDefinition } from './faults/faultDefinition.ts';
import type { FaultStatus, FaultTarget } from './faults/faultBook.ts';
import type { EventQuery, EventRow } from './recordedEvents.ts';
import type { ServerDefinition } from './serverDefinition.ts';
import type { HostStatus } from './status.ts';

/**
 * What a window, a command line or a debug session asks of the host over its local socket (JSON-RPC 2.0 with the framing of
 * `vscode-jsonrpc`). The socket lies in a folder that only its user may enter.
 *
 * At the same socket the session store of the data directory is to be had, in frames of its own: a connection that begins with a zero
 * byte is one of those (`platform/node/store/storeFrames.ts`).
 */
export interface ControlRequests extends DebugRequests {
	/** First. Another `protocol` than the host's own is refused with a sentence that says which side is older. */
	'host/attach': { params: { readonly protocol: number; readonly client: string }; result: HostAddress };
	'host/status': { params: Record<string, never>; result: HostStatus };
	/** From now on this client gets a notification `host/didChange` with a `HostStatus` whenever it is different, at most ten times a second, and one at once. */
	'host/watch': { params: Record<string, never>; result: null };
	/** Ends the host as soon as no call is in flight, or at once. */
	'host/stop': { params: { readonly isForced: boolean }; result: null };
	/**
	 * Makes the servers of one source (a configuration file, a run, a window) known; those that the same source gave before and gives no
	 * more are forgotten. A server keeps its name unless another source has a different server of that name.
	 * The result gives for each name the one to use in URLs.
	 *
	 * `scopes` is what the source says of the scopes of tools, for those callers alone that come with this source (the header
	 * `X-Crosstalk-Source`); without it the source says nothing. A host that has taken it says so: an older one does not know of it.
	 */
	'servers/put': {
		params: {
			readonly source: string;
			readonly servers: readonly ServerDefinition[];
			readonly scopes?: ScopeSettings | undefined;
		};
		result: { readonly names: Readonly<Record<string, string>>; readonly hasTakenScopes?: boolean | undefined };
	};
	/** Reconnects when the calls in flight have ended; resolves when the new connection stands, or fails with a sentence. */
	'servers/reconnect': { params: { readonly server: string }; result: null };
	/** What the server printed on stderr, and noise on stdout, the last 64 KB of it. */
	'servers/output': { params: { readonly server: string }; result: { readonly text: string } };
	/** Rows of the recorded events, for who cannot open their database beside the process that holds it. */
	'events/read': { params: { readonly query: EventQuery }; result: { readonly rows: readonly EventRow[] } };
	/**
	 * From now on this client gets a notification `events/didAppend` with what is recorded of these sessions (`null`: of all), in place of
	 * those that it followed before. Resolves when all that was recorded before can be read from the store; what was recorded in between
	 * may be told of and stand there. A host that knows no such request is read from the store alone.
	 */
	'events/follow': { params: { readonly sessions: readonly string[] | null }; result: null };
	'events/unfollow': { params: Record<string, never>; result: null };
	/**
	 * Makes things go wrong on purpose, for the calls of one source or one session and for nobody else's. As long as this client stays, or
	 * with `isKept` for as long as the host lives.
	 */
	'faults/arm': {
		params: {
			readonly faults: readonly FaultDefinition[];
			readonly target: FaultTarget;
			readonly isKept: boolean;
			/** Who arms them, for people. */
			readonly client: string;
		};
		result: { readonly faults: readonly FaultStatus[] };
	};
	/** Those of these ids; `null`: all that are armed, whoever has armed them. */
	'faults/disarm': { params: { readonly ids: readonly string[] | null }; result: { readonly disarmed: number } };
	'faults/list': { params: Record<string, never>; result: { readonly faults: readonly FaultStatus[] } };
	/** Cancels one call; `false`: it has ended already. */
	'calls/cancel': { params: { readonly callId: string }; result: { readonly wasInFlight: boolean } };
}

/** What was recorded a moment ago. */
export interface AppendedEvents {
	/**
	 * As they stand in the log: JSON, a line each, without a last line end. Of a very long one the message is left out, and `omittedBytes`
	 * says how long it is.
	 */
	readonly lines: string;
	/** So many before them were let go, because they came faster than they were read; they can be read from the store. */
	readonly lost: number;
}

export const CONTROL_PROTOCOL = 1;

/** The first line that `crosstalk host` prints, and what `host.json` in the data directory holds (mode 0600). */
export interface HostAddress {
	/** `http://127.0.0.1:<port>`, without the token. */
	readonly url: string;
	readonly token: string;
	/** Path of the unix socket, or name of the pipe on Windows. */
	readonly controlSocket: string;
	readonly pid: number;
	readonly generation: number;
	readonly dataDir: string;
	/** It is no host: a process that has opened the session store of this directory, and nothing else. Nobody listens at `url`. */
	readonly isStoreOnly?: true | undefined;
}
