import { agentName } from '../conversation/index.ts';
import type { Agent, Conversation, Message, ToolCall } from '../conversation/index.ts';

/** Whether somebody is there who sees what a call brings back. `unknown` counts as `interactive`, the milder of them. */
export interface Caller {
	readonly kind: 'interactive' | 'headless' | 'scheduled' | 'unknown';
	/** A sentence: how this is known. */
	readonly evidence: string;
}

/** Whether nobody is there to see that an answer is not the one that was asked for. */
export function isUnattended({ kind }: Caller): boolean {
	return kind === 'headless' || kind === 'scheduled';
}

/**
 * Tells who calls: by where the prompt came from that began the call's turn, else by how the session was started. A subagent acts for
 * whoever began the turn of the call that started it; where that call went to the background, nobody waits for its answer.
 * What is found is remembered, so ask anew once the conversation has grown.
 */
export function callersOf(conversation: Conversation): (call: ToolCall) => Caller {
	const known = new Map<Message, Caller>();
	const hooks = new Map<Agent, readonly Message[]>();

	function ofCall(call: ToolCall, path: ReadonlySet<Agent>): Caller {
		const start = turnStart(call.agent, call.message.turn);
		if (isMadeByHook(call)) return { kind: 'headless', evidence: 'A hook made the agent go on.' };
		if (start === undefined) return ofTurn(call.agent, undefined, call.message.turn, path);
		let caller = known.get(start);
		if (caller === undefined) known.set(start, (caller = ofTurn(call.agent, start, call.message.turn, path)));
		return caller;
	}

	function ofTurn(agent: Agent, start: Message | undefined, turn: number, path: ReadonlySet<Agent>): Caller {
		// The first prompt of a subagent is its task, whatever wrote it down; a later one may be a person's.
		const isTask = turn <= 1 && agent.parentId !== null;
		const own = isTask || start === undefined ? undefined : byOrigin(start);
		if (own !== undefined) return own;
		if (agent.parentId === null) return byEntrypoint(conversation);
		return ofSpawner(agent, new Set([...path, agent]));
	}

	function ofSpawner(agent: Agent, path: ReadonlySet<Agent>): Caller {
		const { spawnCall } = agent;
		const name = agentName(agent);
		if (spawnCall !== undefined && !path.has(spawnCall.agent)) {
			const spawner = ofCall(spawnCall, path);
			if (spawnCall.isDetached && spawner.kind !== 'scheduled') {
				return {
					kind: 'headless',
					evidence: `${name} works in the background: ${agentName(spawnCall.agent)} went on without its answer.`,
				};
			}
			return inherited(name, agentName(spawnCall.agent), spawner);
		}
		const parent =
			agent.parentId === undefined || agent.parentId === null
				? undefined
				: conversation.agents.get(agent.parentId);
		// Team mates and steps of a workflow are nobody's call; they began in a turn of their parent all the same.
		if (parent !== undefined && !path.has(parent) && agent.firstAt !== undefined) {
			const { firstAt } = agent;
			const before = parent.messages.findLast(({ at }) => at !== undefined && at <= firstAt);
			if (before !== undefined) {
				const start = turnStart(parent, before.turn);
				return inherited(name, agentName(parent), ofTurn(parent, start, before.turn, path));
			}
		}
		const session = byEntrypoint(conversation);
		return session.kind === 'unknown'
			? { kind: 'unknown', evidence: `Nothing tells who started ${name}.` }
			: inherited(name, 'the session', session);
	}

	/** Whether a hook has spoken since the turn began: without it the agent would have been done. */
	function isMadeByHook({ agent, message }: ToolCall): boolean {
		let own = hooks.get(agent);
		if (own === undefined)
			hooks.set(
				agent,
				(own = agent.messages.filter(({ kind, origin }) => kind !== 'prompt' && origin === 'hook')),
			);
		return own.some((hook) => hook.turn === message.turn && isBefore(hook, message));
	}

	return (call) => ofCall(call, new Set());
}

function isBefore({ place: { source: one } }: Message, { place: { source: other } }: Message): boolean {
	return one.kind === 'transcript' && other.kind === 'transcript' && one.path === other.path && one.line < other.line;
}

function inherited(name: string, spawner: string, { kind, evidence }: Caller): Caller {
	return { kind, evidence: `${name} was started by ${spawner}. ${evidence}` };
}

/** The message that began a turn. Turns are counted as messages come, so the first message with a number is the one that raised it. */
function turnStart(agent: Agent, turn: number): Message | undefined {
	const { messages } = agent;
	let low = 0;
	let high = messages.length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		if ((messages[middle]?.turn ?? Infinity) < turn) low = middle + 1;
		else high = middle;
	}
	const message = messages[low];
	const isStart = message?.turn === turn && (message.kind === 'prompt' || message.kind === 'notification');
	return isStart ? message : undefined;
}

function byOrigin({ origin }: Message): Caller | undefined {
	switch (origin) {
		case 'typed':
			return { kind: 'interactive', evidence: 'A person typed the prompt of this turn.' };
		case 'queued':
			return {
				kind: 'interactive',
				evidence: 'A person typed the prompt of this turn ahead, while the agent was at work.',
			};
		case 'scheduled':
			return { kind: 'scheduled', evidence: 'A timer began this turn.' };
		case 'hook':
			return { kind: 'headless', evidence: 'A hook began this turn.' };
		case 'program':
			return { kind: 'headless', evidence: 'A program began this turn.' };
		// What another agent or the client itself says goes on with what somebody else has begun.
		case 'agent':
		case 'system':
		case undefined:
			return undefined;
	}
}

function byEntrypoint({ entrypoint }: Conversation): Caller {
	switch (entrypoint) {
		case 'interactive':
			return { kind: 'interactive', evidence: 'The session was started by a person.' };
		case 'headless':
			return {
				kind: 'headless',
				evidence: 'The session was started to print an answer, or by a program.',
			};
		case 'scheduled':
			return { kind: 'scheduled', evidence: 'The session was started by a timer.' };
		case 'unknown':
			return { kind: 'unknown', evidence: 'Nothing tells whether a person started the session.' };
	}
}
