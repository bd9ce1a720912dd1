// What the scripted model says. A script is a pure function of the request: it reads off the conversation how far its agent has come,
// so it does not matter which of several agents asks first, nor whether an agent was killed and resumed in between.

import type { MultiAgentGeneration } from './codex.ts';
import type { ModelRequest, Script, ScriptedBlock, ScriptedReply } from './scriptedModel.ts';

/** The main agent's prompts begin with this; a worker's task with `WORKER n`. */
export const rootPrompt = 'ROOT TASK';

type Call = Extract<ScriptedBlock, { type: 'call' }>;

export function text(words: string): ScriptedBlock {
	return { type: 'text', text: words };
}

/** A call of a tool that is the agent's own. */
export function call(id: string, name: string, input: Record<string, unknown>): Call {
	return { type: 'call', id, name, input };
}

/** A call of a tool of the workbench server. */
export function workbenchCall(id: string, name: string, input: Record<string, unknown>): Call {
	return { type: 'call', id, namespace: 'mcp__workbench', name, input };
}

/** The first of the turns whose calls have not all been made yet; the last one is for when they have. */
export function nextTurn(
	request: ModelRequest,
	speaker: string,
	turns: readonly (readonly ScriptedBlock[])[],
): ScriptedReply {
	const next = turns.find((turn) => {
		const calls = turn.filter((block) => block.type === 'call');
		return calls.length === 0 || calls.some((block) => !request.asked.includes(block.id));
	});
	return { speaker, blocks: next ?? [text('There is nothing more to do.')] };
}

export interface WorkersOptions {
	readonly workers: number;
	/** A worker first calls `echo`, then makes this call, then says that it is done. */
	readonly secondCall: (worker: number) => { readonly name: string; readonly input: Record<string, unknown> };
	/** What the main agent calls first when it is resumed; nothing unless given. */
	readonly afterResume?: Call;
}

/** The main agent starts workers in the background, all at once, and acknowledges whatever it is told afterwards. */
export function claudeCodeWorkers(options: WorkersOptions): Script {
	return (request) => {
		if (isRoot(request)) {
			return nextTurn(request, 'main', [
				[
					text('Starting the workers.'),
					...numbers(options.workers).map((worker) => agentCall(`toolu_spawn_${worker}`, `WORKER ${worker}`)),
				],
				...(options.afterResume !== undefined && isResumed(request) ? [[options.afterResume]] : []),
				[text('Noted.')],
			]);
		}
		return workerReply(request, options, 'toolu');
	};
}

/** A subagent; Claude Code starts it in the background unless told otherwise. */
export function agentCall(id: string, prompt: string, more: Record<string, unknown> = {}): Call {
	return call(id, 'Agent', { description: prompt.toLowerCase(), prompt, subagent_type: 'general-purpose', ...more });
}

/** The root starts workers, then waits for those that have not finished, until all have. */
export function codexWorkers(generation: MultiAgentGeneration, options: WorkersOptions): Script {
	const namespace = generation === 'v1' ? 'multi_agent_v1' : 'collaboration';
	return (request) => {
		if (!isRoot(request)) return workerReply(request, options, 'call');
		const spawns = numbers(options.workers).map((worker): Call => ({
			...call(
				`call_spawn_${worker}`,
				'spawn_agent',
				generation === 'v1'
					? { message: `WORKER ${worker}`, agent_type: 'worker' }
					: { task_name: `worker_${worker}`, message: `WORKER ${worker}`, fork_turns: 'none' },
			),
			namespace,
		}));
		const unfinished = unfinishedChildren(request, generation, options.workers);
		const wait: Call = {
			...call(`call_wait_${request.asked.filter((id) => id.startsWith('call_wait')).length + 1}`, 'wait_agent', {
				...(generation === 'v1' ? { targets: unfinished } : {}),
				timeout_ms: 60_000,
			}),
			namespace,
		};
		return nextTurn(request, 'main', [
			[text('Starting the workers.'), ...spawns],
			...(unfinished.length > 0 && !isResumed(request) ? [[wait]] : []),
			...(options.afterResume !== undefined && isResumed(request) ? [[options.afterResume]] : []),
			[text('Noted.')],
		]);
	};
}

function unfinishedChildren(request: ModelRequest, generation: MultiAgentGeneration, workers: number): string[] {
	const conversation = JSON.stringify(request.body['input']).replaceAll('\\', '');
	if (generation === 'v2') {
		return numbers(workers)
			.filter((worker) => !conversation.includes(`Worker ${worker} is done.`))
			.map(String);
	}
	const started = matches(conversation, /"agent_id":"([0-9a-f-]+)"/g);
	const finished = matches(conversation, /"([0-9a-f]{8}-[0-9a-f-]+)":\{"completed"/g);
	return started.filter((id) => !finished.includes(id));
}

function matches(words: string, pattern: RegExp): string[] {
	return [...new Set([...words.matchAll(pattern)].map((match) => match[1] ?? ''))];
}

function workerReply(request: ModelRequest, options: WorkersOptions, prefix: string): ScriptedReply {
	const worker = request.said.map((words) => /^WORKER (\d+)/.exec(words)?.[1]).find((number) => number !== undefined);
	if (worker === undefined) throw new Error(`Nobody in particular asks: ${request.said.join(' | ').slice(0, 500)}`);
	const { name, input } = options.secondCall(Number(worker));
	return nextTurn(request, `worker_${worker}`, [
		[
			text('First the easy one.'),
			workbenchCall(`${prefix}_worker_${worker}_1`, 'echo', { text: `hello from ${worker}` }),
		],
		[workbenchCall(`${prefix}_worker_${worker}_2`, name, input)],
		[text(`Worker ${worker} is done.`)],
	]);
}

/** Claude Code asks for a summary in the same conversation when it compacts. */
export function isSummaryRequest(request: ModelRequest): boolean {
	return request.said.at(-1)?.startsWith('CRITICAL: Respond with TEXT ONLY') ?? false;
}

export function isRoot(request: ModelRequest): boolean {
	return request.said.some((words) => words.startsWith(rootPrompt));
}

/** The prompt of a run that resumes another begins with this. */
export const resumePrompt = `${rootPrompt} again`;

export function isResumed(request: ModelRequest): boolean {
	return request.said.some((words) => words.startsWith(resumePrompt));
}

/** From 1 on. */
export function numbers(count: number): number[] {
	return Array.from({ length: count }, (_, index) => index + 1);
}
