// What can be asked in the debug console, beside what the condition of a breakpoint can ask: of the message, of the usage, of the other
// calls of the agent and of the other agents, as they were at the step.

import { ExpectedError } from '../../core/base/errors.ts';
import type { ToolCall } from '../../core/conversation/index.ts';
import type { Replay } from '../../core/conversation/replay.ts';
import { ExpressionValues, compileExpression, jsonOf } from '../../core/debug/expression.ts';
import type { ExpressionCall } from '../../core/debug/expression.ts';
import type { ExpressionName } from '../debugTarget.ts';
import type { ReplayBodies } from './replayBodies.ts';
import { namedAgents, seenAt, summaryOfAgent, summaryOfCall } from './replayCalls.ts';
import type { ReplayLevel } from './replayLevels.ts';

const model = { names: ['message', 'usage', 'state', 'calls', 'agents'] } as const;

export const expressionNames: readonly ExpressionName[] = [
	{ name: 'arguments', isFunction: false, detail: 'of the call' },
	{ name: 'result', isFunction: false, detail: 'of the call; null before it is there' },
	{ name: 'isError', isFunction: false, detail: 'whether the result is an error' },
	{ name: 'tool', isFunction: false, detail: 'the name of the tool' },
	{ name: 'server', isFunction: false, detail: 'the MCP server, or null' },
	{ name: 'agent', isFunction: false, detail: 'id and type' },
	{ name: 'session', isFunction: false, detail: 'the id of the session' },
	{ name: 'message', isFunction: false, detail: 'that the call is part of' },
	{ name: 'usage', isFunction: false, detail: 'times and tokens' },
	{ name: 'state', isFunction: false, detail: "of the server's session, as the session store keeps it" },
	{ name: 'calls', isFunction: false, detail: 'of the agent up to now, by id: calls["toolu_…"].state' },
	{ name: 'agents', isFunction: false, detail: 'that are there, by name: agents["main"].calls' },
];

/** What an expression finds beside its call's own. */
class ModelValues extends ExpressionValues {
	readonly message: unknown;
	readonly usage: unknown;
	readonly state: unknown;
	readonly calls: unknown;
	readonly agents: unknown;

	constructor(call: ExpressionCall, found: Readonly<Record<(typeof model.names)[number], unknown>>) {
		super(call);
		this.message = this.parsed(JSON.stringify(found.message ?? null));
		this.usage = this.parsed(JSON.stringify(found.usage ?? null));
		this.state = this.parsed(JSON.stringify(found.state ?? null));
		this.calls = this.parsed(JSON.stringify(found.calls ?? {}));
		this.agents = this.parsed(JSON.stringify(found.agents ?? {}));
	}
}

export async function evaluateAt(
	replay: Replay,
	bodies: ReplayBodies,
	text: string,
	level: ReplayLevel,
): Promise<unknown> {
	const expression = compileExpression(text, model);
	if ('problem' in expression) throw new ExpectedError(expression.problem);
	const { index, call, sections } = level;
	// The call's own step, as it was at the level's: a result that came later is not there yet.
	const place = call === undefined ? undefined : replay.indexOfCall(call);
	const step = level.step ?? (place === undefined ? undefined : replay.steps[place]);
	const seen =
		step === undefined ? undefined : await seenAt(replay, bodies, step.kind === 'call' ? { ...step, index } : step);
	const asks = (name: string) => new RegExp(`\\b${name}\\b`).test(text);
	const section = async (name: string) =>
		asks(name) ? sections.find((candidate) => candidate.expression === name)?.read() : undefined;
	const found = {
		message: await section('message'),
		usage: await section('usage'),
		state: await section('state'),
		calls: asks('calls') ? await callsOf(replay, bodies, text, level) : undefined,
		agents: asks('agents')
			? Object.fromEntries(
					[...namedAgents(replay.agentsAt(index))].map(([name, other]) => [
						name,
						summaryOfAgent(replay, other, index),
					]),
				)
			: undefined,
	};
	try {
		const outcome = expression.evaluate(new ModelValues(seen?.call ?? noCall(replay, level), found));
		if ('problem' in outcome) throw new ExpectedError(outcome.problem);
		return JSON.parse(jsonOf(outcome.value)) as unknown; // anything that JSON can be
	} catch (error) {
		if (!(error instanceof RangeError)) throw error;
		throw new ExpectedError('The value is nested too deeply to be shown.', { cause: error });
	}
}

/** All calls of the agent, in a few words; those that the expression names, with their arguments and results. */
async function callsOf(
	replay: Replay,
	bodies: ReplayBodies,
	text: string,
	{ agent, index }: ReplayLevel,
): Promise<unknown> {
	const made = replay.callsUpTo(agent, index);
	const calls: Record<string, unknown> = {};
	for (const call of made) {
		const isNamed = text.includes(call.id);
		calls[call.id] = {
			...summaryOfCall(replay, call, index),
			...(isNamed ? await bodiesOf(replay, bodies, call, index) : {}),
		};
	}
	return calls;
}

async function bodiesOf(replay: Replay, bodies: ReplayBodies, call: ToolCall, index: number): Promise<object> {
	const result = replay.resultAt(call, index);
	return {
		arguments: (await bodies.argumentsOf(call)) ?? null,
		result: result === undefined ? null : ((await bodies.resultOf(call, result)) ?? null),
	};
}

function noCall(replay: Replay, { agent }: ReplayLevel): ExpressionCall {
	return {
		argumentsText: () => '{}',
		resultText: () => undefined,
		isError: false,
		tool: '',
		server: null,
		agentId: agent.id,
		agentType: agent.type ?? null,
		sessionId: replay.conversation.sessionId,
	};
}
