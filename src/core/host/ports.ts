import type { Disposable } from '../base/lifecycle.ts';
import type { ServerTransport } from './serverDefinition.ts';

/** What the host asks of the world. */
export interface HostPlatform {
	readonly clock: HostClock;
	readonly random: HostRandom;
	readonly upstreams: UpstreamTransports;
	/** Signs and checks the ids that the host gives away and takes back after a restart. */
	readonly seal: Seal;
}

export interface HostClock {
	/** Epoch milliseconds. */
	now(): number;
	/** Milliseconds with fractions from any fixed point, never going back: for durations. */
	elapsed(): number;
	/** Calls back once, after so many milliseconds, unless disposed before. */
	after(milliseconds: number, callback: () => void): Disposable;
}

export interface HostRandom {
	/** An id that nobody can guess, of letters and digits. */
	id(): string;
	/** In [0, 1). */
	fraction(): number;
}

/** A keyed digest: who does not hold the key cannot make it. */
export interface Seal {
	/** Letters, digits, `-` and `_`. The same text gives the same seal for as long as the data directory lives. */
	of(text: string): string;
}

/** Opens connections to MCP servers. It knows how bytes travel and nothing of what they say. */
export interface UpstreamTransports {
	/** Begins to connect at once. What happens is told to the listener, never before `open` has returned. */
	open(transport: ServerTransport, listener: TransportListener): UpstreamTransport;
}

export interface UpstreamTransport {
	/** Of the process behind it. */
	readonly pid: number | undefined;
	/**
	 * Sends one JSON-RPC message, without a line end. A message that is sent after the connection has closed is dropped.
	 * @param request What the message is, when it is a request: its answer and whatever belongs to it can be told apart by `id`.
	 */
	send(message: Uint8Array, request: OutgoingRequest | undefined): void;
	/** Nobody waits for the answer to this request any more. Where a request has a stream of its own, the stream is closed. */
	abandon(id: number): void;
	/** Kills the process behind it, without a warning; `onClosed` comes. `false`: there is no process of ours. */
	kill(): boolean;
	/** The handshake is done. From now on HTTP requests name this revision; on 2025-era HTTP the stream for what belongs to no request is opened. */
	handshaken(protocolVersion: string): void;
	/** Closes the connection and ends the process, gently first. Resolves when nothing of it is left. `onClosed` still comes. */
	close(): Promise<void>;
}

export interface OutgoingRequest {
	/** Unique on this connection. */
	readonly id: number;
	readonly method: string;
	/** What the headers `Mcp-Name` (tool, prompt, or URI) and `Mcp-Param-*` of revision 2026-07-28 say. Only HTTP looks at them. */
	readonly name: string | undefined;
	readonly headers: Readonly<Record<string, string>> | undefined;
	/** The revision this one request speaks, when it is not that of the handshake. */
	readonly protocolVersion: string | undefined;
}

export interface TransportListener {
	/** The way is open: a process was spawned, or an HTTP server can be asked. Messages may be sent before; they wait. */
	onOpened(): void;
	/**
	 * One JSON-RPC message. The bytes belong to the receiver.
	 * @param relatedTo The request on whose own stream it came, where requests have streams of their own.
	 */
	onMessage(message: Uint8Array, relatedTo: number | undefined): void;
	/** Output on a stdio server's stdout that is no JSON object, as text; it is kept beside stderr. */
	onNoise(text: string): void;
	onStderr(text: string): void;
	/** One request got no answer and will get none; the connection goes on. */
	onRequestFailed(id: number, failure: RequestFailure): void;
	/** Once, after the last message: nothing can be sent any more. */
	onClosed(exit: TransportExit): void;
}

export interface RequestFailure {
	/** A finished sentence. */
	readonly reason: string;
	/** The server may have begun to work on it. `false` only where it is certain that the message was never delivered. */
	readonly mayHaveRun: boolean;
	/** The server no longer knows the MCP session (HTTP 404): the connection must be made anew. */
	readonly isSessionLost: boolean;
	readonly httpStatus?: number | undefined;
}

export interface TransportExit {
	/** A finished sentence: what ended, and why as far as is known. */
	readonly reason: string;
	readonly code: number | null;
	readonly signal: string | null;
	/** The last lines the server has printed, at most 4 KB. */
	readonly stderrTail: string;
	/** The server cannot be started as it is configured (no such command, no such folder): trying again is of no use. */
	readonly isHopeless: boolean;
}
