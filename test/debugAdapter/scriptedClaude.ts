// Stands in for Claude Code under the debugger: it starts the servers that it is given, asks its hooks before and after each call, does what they
// answer, and makes calls as its plan says. The plan is a file that SCRIPTED_PLAN names; what the calls came to is written, a line each, into the one that
// SCRIPTED_OUTPUT names.

import { appendFileSync, readFileSync } from 'node:fs';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

export interface Plan {
	/** They work side by side; the first is the main agent. */
	readonly agents: readonly {
		readonly id: string;
		readonly type?: string;
		/** Whether it makes all its calls at once. */
		readonly isParallel?: boolean;
		readonly calls: readonly {
			readonly tool: string;
			readonly arguments: Readonly<Record<string, unknown>>;
			/** The agent that the call starts: the call ends with it. */
			readonly starts?: string;
		}[];
	}[];
}

interface HookAnswer {
	readonly hookSpecificOutput?: {
		readonly permissionDecision?: string;
		readonly permissionDecisionReason?: string;
		readonly updatedInput?: Record<string, unknown>;
		readonly updatedMCPToolOutput?: unknown;
		readonly updatedToolOutput?: unknown;
	};
}

interface Settings {
	readonly hooks?: Readonly<Record<string, readonly { readonly hooks: readonly { readonly url?: string }[] }[]>>;
}

const words = process.argv.slice(2);
const option = (name: string) => words.findLast((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
// All three are ours.
const { mcpServers } = JSON.parse(readFileSync(option('--mcp-config'), 'utf8')) as {
	mcpServers: Record<string, { command: string; args: string[]; env: Record<string, string> }>;
};
const { hooks = {} } = JSON.parse(readFileSync(option('--settings'), 'utf8')) as Settings;
const plan = JSON.parse(readFileSync(process.env['SCRIPTED_PLAN'] ?? '', 'utf8')) as Plan;
const session = option('--session-id');
const inherited = Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
const clients = new Map<string, Client>();
for (const [name, server] of Object.entries(mcpServers)) {
	const client = new Client({ name: 'claude-code', version: '2.1.328' });
	const env = { ...(Object.fromEntries(inherited) as Record<string, string>), ...server.env };
	await client.connect(new StdioClientTransport({ ...server, env }));
	// A client that knows the tools checks their results.
	await client.listTools();
	clients.set(name, client);
}

const started = new Set(plan.agents.flatMap(({ calls }) => calls.flatMap(({ starts = [] }) => starts)));
await Promise.all(plan.agents.map(async (agent, index) => (started.has(agent.id) ? undefined : work(agent, index))));
await Promise.all([...clients.values()].map(async (client) => client.close()));

type Planned = Plan['agents'][number];

async function work(agent: Planned, index: number): Promise<void> {
	const { id, type, calls } = agent;
	const who = index === 0 ? {} : { agent_id: id, agent_type: type };
	if (index > 0) await hook('SubagentStart', who);
	const make = async (call: Planned['calls'][number], number: number): Promise<void> => {
		const toolUseId = `toolu_${id}_${number + 1}`;
		const [, server, own] = /^mcp__(\w+?)__(\w+)$/.exec(call.tool) ?? [];
		const about = {
			...who,
			tool_name: call.tool,
			tool_use_id: toolUseId,
			...(server === undefined ? {} : { mcp_server: { name: server } }),
		};
		const before = (await hook('PreToolUse', { ...about, tool_input: call.arguments })).hookSpecificOutput;
		const input = before?.updatedInput ?? call.arguments;
		if (before?.permissionDecision === 'deny') {
			print(toolUseId, { denied: before.permissionDecisionReason });
			return;
		}
		const other = plan.agents.findIndex((agent) => agent.id === call.starts);
		const spawned = plan.agents[other];
		if (spawned !== undefined) await work(spawned, other);
		const client = server === undefined ? undefined : clients.get(server);
		const output =
			client === undefined || own === undefined
				? { stdout: `ran ${JSON.stringify(input)}`, stderr: '' }
				: await client.callTool({
						name: own,
						arguments: input,
						_meta: { 'claudecode/toolUseId': toolUseId },
					});
		const response = client === undefined ? output : (output as { content: unknown }).content;
		const after = (
			await hook('PostToolUse', { ...about, tool_input: input, tool_response: response, duration_ms: 1 })
		).hookSpecificOutput;
		print(toolUseId, { input, output: after?.updatedMCPToolOutput ?? after?.updatedToolOutput ?? response });
	};
	if (agent.isParallel === true) await Promise.all(calls.map(make));
	else for (const [number, call] of calls.entries()) await make(call, number);
	if (index > 0) await hook('SubagentStop', who);
}

async function hook(event: string, body: object): Promise<HookAnswer> {
	const url = hooks[event]?.flatMap((entry) => entry.hooks)[0]?.url;
	if (url === undefined) return {};
	try {
		const response = await fetch(url, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({
				hook_event_name: event,
				session_id: session,
				prompt_id: 'prompt-1',
				cwd: process.cwd(),
				transcript_path: '/nowhere.jsonl',
				...body,
			}),
		});
		const text = await response.text();
		return text === '' ? {} : (JSON.parse(text) as HookAnswer);
	} catch {
		// `onFailure: continue`
		return {};
	}
}

function print(id: string, what: object): void {
	appendFileSync(process.env['SCRIPTED_OUTPUT'] ?? '', `${JSON.stringify({ id, ...what })}\n`);
}
