import { McpServer } from '@modelcontextprotocol/server';
import type { CallToolResult, ServerContext } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { SessionStore } from '../../src/platform/node/sessionStore.ts';
import { StoreError } from '../../src/platform/node/sessionStore.ts';
import { QueryError, changeFilters, nextPage } from './analytics.ts';
import type { AnalyticsState } from './analytics.ts';
import { callersSession, idempotencyKey } from './caller.ts';
import type { CallFacts, SessionFrom } from './caller.ts';
import { columns, measures } from './strikes.ts';
import type { Column, DataSet } from './strikes.ts';

export interface AnalyticsOptions {
	readonly store: SessionStore;
	readonly data: DataSet;
	readonly sessionFrom: SessionFrom;
	/** Whether a call without a tool use id is refused. Only then may a request be sent again without a thought. */
	readonly isKeyRequired: boolean;
}

// An object has its own keys, and of `columns` the type knows them.
const column = z.enum(Object.keys(columns) as [Column, ...Column[]]);
const value = z.union([z.string(), z.number(), z.null()]);

const filter = z.object({
	column,
	is: z.enum(['equal', 'not-equal', 'one-of', 'containing', 'below', 'above']),
	value: z.union([value, z.array(value).max(100)]).describe('A list for "one-of", else one value'),
});

const page = {
	pageSize: z.int().min(1).max(200).default(50),
	groupBy: column.optional().describe('Aggregates by the values of this column'),
	measure: z.enum(measures).optional().describe('What is summed up; "cost" if nothing is said'),
	reset: z.boolean().default(false).describe('Begin again with the first row'),
};

const change = {
	add: z.array(filter).max(20).default([]).describe('Rows must pass all filters of the chain'),
	clear: z.boolean().default(false).describe('Forget the filters so far'),
};

const session = {
	session: z.string().describe('Names the analysis: whoever names the same one continues it'),
};

/** The server for one connection, or for one request: what must outlive it is in the store. */
export function createAnalyticsServer(options: AnalyticsOptions): McpServer {
	const { data, sessionFrom, isKeyRequired } = options;
	const server = new McpServer({ name: 'analytics', version: '1.0.0' });
	const named = sessionFrom === 'argument' ? session : {};
	// With a tool use id, a request that comes a second time gets the first reply and does nothing.
	const annotations = {
		readOnlyHint: false,
		destructiveHint: false,
		idempotentHint: isKeyRequired,
		openWorldHint: false,
	};

	server.registerTool(
		'analytics_query',
		{
			description:
				'The next page of wildlife strikes on aircraft that pass the filters of this session, with count, sum and mean over all pages so far.',
			inputSchema: z.object({ ...named, ...page }),
			annotations,
		},
		(args, context) =>
			call(options, 'analytics_query', args, context, (state) =>
				nextPage(state, data, {
					pageSize: args.pageSize,
					groupBy: args.groupBy,
					measure: args.measure,
					isReset: args.reset,
				}),
			),
	);
	server.registerTool(
		'analytics_filters',
		{
			description:
				'Adds to the filters of this session, or clears them. The pages begin again with the first row.',
			inputSchema: z.object({ ...named, ...change }),
			annotations,
		},
		(args, context) =>
			call(options, 'analytics_filters', args, context, (state) =>
				changeFilters(state, data, { add: args.add, isCleared: args.clear }),
			),
	);
	return server;
}

/** One call on one session: `run` changes the state, and its result leaves only when both are on disk. */
async function call(
	{ store, sessionFrom, isKeyRequired }: AnalyticsOptions,
	tool: string,
	args: Readonly<Record<string, unknown>>,
	{ mcpReq: { _meta: meta = {} }, http }: ServerContext,
	run: (state: AnalyticsState) => object,
): Promise<CallToolResult> {
	const facts: CallFacts = { meta, headers: http?.req?.headers };
	const sessionId = sessionFrom === 'argument' ? args['session'] : callersSession(facts);
	const key = idempotencyKey(facts);
	try {
		if (typeof sessionId !== 'string')
			throw new QueryError('The call does not say which session it belongs to, and there is no default.');
		if (isKeyRequired && key === undefined)
			throw new QueryError('The call has no tool use id, so a repetition could not be told from a new call.');
		const reply = await store.session(sessionId).call<AnalyticsState, object>({ key, tool, args }, run);
		return {
			content: [{ type: 'text', text: JSON.stringify(reply) }],
			// Without a key the promise is a weaker one, and whoever wants to know can.
			_meta: { 'crosstalk/delivery': key === undefined ? 'at-least-once' : 'once' },
		};
	} catch (error) {
		if (error instanceof QueryError) return refusal(error.message, false);
		if (error instanceof StoreError) return refusal(error.message, error.isRetryable);
		throw error;
	}
}

function refusal(message: string, isRetryable: boolean): CallToolResult {
	return { content: [{ type: 'text', text: message }], isError: true, _meta: { 'crosstalk/retryable': isRetryable } };
}
