/** One MCP server as a person has configured it, with every `${…}` of the configuration already resolved. */
export interface ServerDefinition {
	/** Unique; the name that agents know it by. */
	readonly name: string;
	readonly transport: ServerTransport;
	readonly sharing: Sharing;
	readonly limits: ServerLimits;
	/** Values that must never be written: from `env`, `headers` and the like. */
	readonly secrets: readonly string[];
	/** Arguments whose values must never be written, as dotted paths below a call's arguments: `password`, `auth.token`; `*` is any key. */
	readonly redactedArguments: readonly string[];
}

export type ServerTransport =
	| {
			readonly kind: 'stdio';
			readonly command: string;
			readonly args: readonly string[];
			/** Absolute; absent: the host's own. */
			readonly cwd?: string | undefined;
			/** Added to the few variables that every server gets. */
			readonly env: Readonly<Record<string, string>>;
	  }
	| {
			/** `http` is streamable HTTP, `sse` the transport of 2024-11-05. */
			readonly kind: 'http' | 'sse';
			readonly url: string;
			readonly headers: Readonly<Record<string, string>>;
	  };

/**
 * Who gets a connection of its own. `auto` begins as `shared` and becomes `per-agent` once the server has proved to be stateful.
 */
export type Sharing = 'auto' | 'shared' | 'per-session' | 'per-agent';

/** Times in milliseconds. */
export interface ServerLimits {
	/** From the time a call is sent until it is given up; progress begins it anew. */
	readonly callMs: number;
	/** As `callMs`, for single tools. */
	readonly callMsByTool: Readonly<Record<string, number>>;
	/** From the time a call is sent until it is given up, progress or not. */
	readonly maximumCallMs: number;
	/** From the start of a connection to its answered handshake. */
	readonly connectMs: number;
	/** What a server that let a call pass its limit has to answer a question in, before it counts as dead. */
	readonly probeMs: number;
	/** How long a call waits for a connection. */
	readonly queueMs: number;
	/** How many calls may wait for a connection. */
	readonly queueLength: number;
	/** Attempts to connect in a row before the server counts as failed. */
	readonly connectAttempts: number;
}

export const defaultLimits: ServerLimits = {
	callMs: 150_000,
	callMsByTool: {},
	maximumCallMs: 3_600_000,
	connectMs: 30_000,
	probeMs: 5_000,
	queueMs: 30_000,
	queueLength: 1_000,
	connectAttempts: 5,
};
