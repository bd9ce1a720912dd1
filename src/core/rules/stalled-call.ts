import { durationText } from '../base/duration.ts';
import { agentName, serverOf } from '../conversation/index.ts';
import type { HostCall, ToolCall } from '../conversation/index.ts';
import { defineRule } from './rule.ts';

export default defineRule({
	id: 'stalled-call',
	meta: {
		description: 'A call that runs does not take far longer than its tool has ever taken.',
		family: 'concurrency',
		severity: 'warning',
		messages: {
			stalled:
				"{{agent}}'s call to {{tool}} has been running for {{minutes}} min, and nothing was heard of it. {{count}} calls of the same tool took {{longest}} at most.{{meanwhile}}",
			longest: 'The longest of the others.',
		},
	},
	create(context) {
		const running = new Set<ToolCall>();
		const tools = new Map<string, Taken>();
		const answered = new Map<string, ToolCall[]>();
		return {
			toolCall(call) {
				// When that changes all calls are looked at again.
				if (context.conversation.liveness.state !== 'live' || !isWatched(call)) return;
				if (call.result === undefined) {
					running.add(call);
					return;
				}
				if (running.size > 0) running.delete(call);
				note(tools, call);
				noteAnswer(answered, call);
			},
			time(now) {
				const { conversation } = context;
				if (conversation.liveness.state !== 'live') return;
				for (const { call } of conversation.runningCalls)
					if (call?.isSeenByHostAlone === true && isWatched(call)) running.add(call);
				let all: ReadonlyMap<string, Taken> | undefined;
				for (const call of running) {
					// What only a host has seen is made anew with everything that is told of it.
					if (call.isSeenByHostAlone && !call.agent.hostCalls.includes(call)) {
						running.delete(call);
						continue;
					}
					const since = runningSince(call);
					if (since === undefined) continue;
					const elapsed = now - since;
					if (elapsed < leastMs) continue;
					const taken = (all ??= withHostCalls(tools, running)).get(keyOf(call));
					if (taken === undefined || taken.calls.size < fewestCalls) continue;
					if (elapsed < taken.longestMs * farLonger) continue;
					const state = context.stateOf(call);
					if (state.state !== 'pending' || !state.isCertain) continue;
					const others = (answered.get(serverOf(call) ?? '') ?? []).filter(
						({ startedAt }) => (startedAt ?? 0) > since + 60_000,
					).length;
					context.report({
						at: call.place,
						messageId: 'stalled',
						data: {
							agent: agentName(call.agent),
							tool: call.name,
							minutes: Math.floor(elapsed / 60_000),
							count: taken.calls.size < mostCalls ? taken.calls.size : `At least ${mostCalls}`,
							longest: durationText(taken.longestMs),
							meanwhile: others === 0 ? '' : ' Its server has answered others meanwhile.',
						},
						toolCall: call,
						related: [{ at: taken.longest.place, messageId: 'longest' }],
					});
				}
			},
		};
	},
});

/** Nobody is sure of a call before that, whatever others took. */
const leastMs = 5 * 60_000;
const farLonger = 10;
const fewestCalls = 3;

/** What calls of one tool took. */
interface Taken {
	/** The first of them. */
	readonly calls: Set<ToolCall>;
	longest: ToolCall;
	longestMs: number;
}

const mostCalls = 20;

/** Tools of clients that nothing but the machine they run on can hold up. Commands and agents take as long as they are given. */
const quickTools: ReadonlySet<string> = new Set([
	'Read',
	'Write',
	'Edit',
	'MultiEdit',
	'NotebookEdit',
	'Glob',
	'Grep',
	'LS',
	'TodoWrite',
	'ToolSearch',
	'WebFetch',
	'WebSearch',
	'apply_patch',
	'update_plan',
	'view_image',
]);
/** These wait, for time, for something to happen or for somebody. */
const waiting =
	/(?:^|[_-])(?:wait|sleep|watch|poll|monitor|listen|follow|tail|subscribe|await|ask|confirm|approve|approval|prompt|human|user|input|review|elicit|interactive|train|build|deploy|run|execute|agent|task)(?:[_-]|$)|(?:wait|sleep|watch|poll|await|elicit)/i;
/** How long a call may take is said in it. */
const durationName =
	/(?:^|[._-])(?:time_?out|wait|sleep|delay|duration|seconds|secs?|ms|millis\w*|minutes|interval|until|deadline)(?:$|[_-])|(?:Timeout|Delay|Duration|Seconds|Ms|Minutes)$/;

function isWatched(call: ToolCall): boolean {
	if (call.answeredBy === 'provider' || call.isDetached || call.spawn !== undefined) return false;
	if (serverOf(call) === undefined) return quickTools.has(call.name);
	return !waiting.test(call.name) && call.given?.values.some(({ path }) => durationName.test(path)) !== true;
}

function keyOf(call: ToolCall): string {
	return `${serverOf(call) ?? ''} ${call.name}`;
}

/** With the calls that only a host has seen, of agents that have one running. These are made anew all the time, and would be counted more than once. */
function withHostCalls(tools: Map<string, Taken>, running: ReadonlySet<ToolCall>): ReadonlyMap<string, Taken> {
	const agents = new Set([...running].filter((call) => call.isSeenByHostAlone).map(({ agent }) => agent));
	if (agents.size === 0) return tools;
	const all = new Map([...tools].map(([key, taken]) => [key, { ...taken, calls: new Set(taken.calls) }]));
	for (const { hostCalls } of agents) for (const other of hostCalls) if (isWatched(other)) note(all, other);
	return all;
}

function note(tools: Map<string, Taken>, call: ToolCall): void {
	const { result, startedAt } = call;
	if (result === undefined || result.isError || result.denial !== undefined) return;
	const took = result.durationMs ?? (result.at ?? Number.NaN) - (startedAt ?? Number.NaN);
	if (Number.isNaN(took)) return;
	const key = keyOf(call);
	const taken = tools.get(key);
	if (taken === undefined) {
		tools.set(key, { calls: new Set([call]), longest: call, longestMs: took });
		return;
	}
	if (taken.calls.size < mostCalls) taken.calls.add(call);
	if (took <= taken.longestMs) return;
	taken.longest = call;
	taken.longestMs = took;
}

function noteAnswer(answered: Map<string, ToolCall[]>, call: ToolCall): void {
	const { server } = call;
	if (server === undefined) return;
	const calls = answered.get(server);
	if (calls === undefined) answered.set(server, [call]);
	else {
		calls.push(call);
		if (calls.length > 2 * mostCalls) calls.splice(0, mostCalls);
	}
}

/**
 * Since when the call is known to run and nothing was heard of it. A call that is written down may wait for a permission all the while: only
 * that a host has handed it to its server, or that it has told of its progress, shows that it runs.
 */
function runningSince(call: ToolCall): number | undefined {
	const passage = call.hostCalls.at(-1);
	if (passage !== undefined) {
		// While a debugger holds it, it is a person who takes their time.
		if (call.holds.some(({ released }) => released === undefined)) return undefined;
		const since = sinceOfPassage(passage);
		return since === undefined
			? undefined
			: Math.max(since, ...call.holds.map(({ released }) => released?.at ?? 0));
	}
	if (call.hookCall !== undefined) return undefined;
	return call.lastProgress?.at;
}

function sinceOfPassage(passage: HostCall): number | undefined {
	const { ended, hasAskedBack, heardAt, sends } = passage;
	const sentAt = sends.at(-1)?.at;
	// Somebody who was asked may take their time.
	if (ended !== undefined || hasAskedBack || sentAt === undefined) return undefined;
	return Math.max(sentAt, heardAt ?? 0);
}
