// What the scene's process and the suites say to each other.

export interface Scene {
	readonly folder: string;
	readonly program: string;
	readonly args: readonly string[];
	/** The file with its MCP servers. */
	readonly mcpConfig: string;
	readonly environment: Readonly<Record<string, string>>;
	/** What reached the MCP server, one JSON object a line. */
	readonly log: string;
	/** What was written by the shell. */
	readonly shellLog: string;
}

export interface SceneState {
	/** How often the model was asked. */
	readonly requests: number;
	/** Mistakes of the script: the scene was not the one it claims to be. */
	readonly failures: readonly string[];
	/** What reached the MCP server. */
	readonly calls: readonly { readonly tool: string; readonly input: Readonly<Record<string, unknown>> }[];
	/** Lines that the agents' shells have written. */
	readonly shell: string;
	/** Tool use ids whose results the model was told. */
	readonly answered: readonly string[];
}

/** The subagents; each reads one page of its table, then writes its name with the shell. */
export const workers = [
	{ name: 'explore-orders', table: 'orders' },
	{ name: 'read-customers', table: 'customers' },
	{ name: 'check-payments', table: 'payments' },
	{ name: 'sum-refunds', table: 'refunds' },
] as const;
