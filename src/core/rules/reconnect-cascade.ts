import { agentName, unnamedAgentId } from '../conversation/index.ts';
import type { Agent, Conversation, HostCall, Place, ServerChange, ToolCall } from '../conversation/index.ts';
import type { Reconnect, UpstreamStateChanged } from '../events/sessionEvent.ts';
import { counted } from '../base/text.ts';
import { failureOf, failureOfPassage, isKeptByFault } from './callFailure.ts';
import { defineRule } from './rule.ts';
import type { RuleContext } from './rule.ts';

export default defineRule({
	id: 'reconnect-cascade',
	meta: {
		description: "One agent's time-out or cancellation costs no other agent its calls.",
		family: 'concurrency',
		severity: 'error',
		messages: {
			cascade:
				"{{agent}}'s call to {{tool}} {{how}}, and {{server}} was reconnected for it while other agents' calls were running there: {{count}} of {{others}} lost. Whether they were carried out nobody knows.",
			written:
				"{{agent}}'s call to {{tool}} {{how}}, and with it the connection to {{server}} was gone for other agents: {{count}} of {{others}} lost at that moment. Whether they were carried out nobody knows.",
			ending: 'The call {{how}} here.',
			reconnect: 'The connection to {{server}} was torn down here: {{reason}}',
			lost: "{{agent}}'s call to {{tool}} was running on the same connection, and was lost.",
		},
	},
	create(context) {
		const written = new WrittenFailures();
		return {
			serverCall: (call) => written.look(call),
			conversation(conversation) {
				for (const cascade of recordedCascades(conversation)) report(context, cascade);
				for (const cascade of written.cascades()) report(context, cascade);
			},
		};
	},
});

/** A call that ended in a way that takes a connection down where nobody takes care, and those that ran on the connection. */
interface Cascade {
	readonly server: string;
	readonly trigger: ToolCall;
	readonly how: 'timed out' | 'was cancelled';
	readonly endedAt: Place;
	/** `undefined`: no host tells of it. */
	readonly teardown: { readonly place: Place; readonly reason: string } | undefined;
	readonly lost: readonly ToolCall[];
}

function report(context: RuleContext, { server, trigger, how, endedAt, teardown, lost }: Cascade): void {
	const torn =
		teardown === undefined
			? []
			: [{ at: teardown.place, messageId: 'reconnect', data: { server, reason: teardown.reason } }];
	const others = [...new Set(lost.map(({ agent }) => agent))].map(agentName);
	context.report({
		at: trigger.place,
		messageId: teardown === undefined ? 'written' : 'cascade',
		data: {
			agent: agentName(trigger.agent),
			tool: trigger.name,
			how,
			server,
			count: counted(lost.length, 'call'),
			others: `${listed(others)} ${lost.length === 1 ? 'was' : 'were'}`,
		},
		toolCall: trigger,
		related: [
			{ at: endedAt, messageId: 'ending', data: { how } },
			...torn,
			...lost.map((call) => ({
				at: call.place,
				messageId: 'lost',
				data: { agent: agentName(call.agent), tool: call.name },
			})),
		],
	});
}

const mostNamed = 4;

function listed(names: readonly string[]): string {
	const named = names.slice(0, mostNamed).join(', ');
	return names.length > mostNamed ? `${named} and ${names.length - mostNamed} more` : named;
}

/** Between the end of the call and the teardown when a host asks the server first whether it lives. */
const mostProbingMs = 15_000;
/** The same where nothing says why the connection was made anew. */
const mostSilenceMs = 1_000;
/** Between the teardown and the end of what ran; the order in which a producer tells of them is its own. */
const mostDelayMs = 2_000;
const disorderMs = 100;

/** What a host has recorded: calls that were lost when a connection was torn down on purpose, right after another agent's call had ended badly. */
function* recordedCascades({ serverChanges, troubledCalls }: Conversation): Iterable<Cascade> {
	// Nearly every recording has no trouble, or no reconnect.
	if (troubledCalls.size < 2 || serverChanges.length === 0) return;
	const endings = [...troubledCalls].filter(isBadEnding).sort((one, other) => timeOf(one) - timeOf(other));
	const lost = [...troubledCalls].filter(isLost);
	if (endings.length === 0 || lost.length === 0) return;
	const taken = new Set<HostCall>();
	for (const [index, change] of serverChanges.entries()) {
		const { at, upstreamId, server } = change;
		if (at === undefined || !isTeardown(change)) continue;
		const trigger = endings.findLast(
			(call) =>
				timeOf(call) <= at + disorderMs &&
				(wasSentOver(call, upstreamId, at) || (isKeptByFault(call) && call.server === server)),
		);
		if (trigger?.call === undefined || trigger.ended === undefined) continue;
		const cause = causeOf(serverChanges, index);
		// It went by itself, somebody asked for it, or it had forgotten the session: no call is to blame.
		if (cause === 'exited' || cause === 'requested' || cause === 'lost') continue;
		if (timeOf(trigger) < at - (cause === undefined ? mostSilenceMs : mostProbingMs)) continue;
		const { agent } = trigger.call;
		const victims = lost.filter(
			(call) =>
				!taken.has(call) &&
				isOther(call.call?.agent, agent) &&
				wasSentOver(call, upstreamId, at) &&
				timeOf(call) >= at - disorderMs &&
				timeOf(call) <= at + mostDelayMs,
		);
		if (victims.length === 0) continue;
		for (const victim of victims) taken.add(victim);
		yield {
			server,
			trigger: trigger.call,
			how: trigger.ended.ending === 'timed-out' ? 'timed out' : 'was cancelled',
			endedAt: trigger.ended.place,
			teardown: { place: change.place, reason: sentence(change.change.reason) },
			lost: victims.flatMap(({ call }) => (call === undefined ? [] : [call])),
		};
	}
}

function isBadEnding(passage: HostCall): boolean {
	const failure = failureOfPassage(passage);
	return failure === 'timed-out' || failure === 'cancelled';
}

/** Its end is none that the server or the caller has brought about. */
function isLost(passage: HostCall): boolean {
	const failure = failureOfPassage(passage);
	return failure === 'unknown' || failure === 'connection-lost';
}

function timeOf({ ended }: HostCall): number {
	return ended?.at ?? Number.NaN;
}

function isOther(agent: Agent | undefined, than: Agent): boolean {
	// Of those whom no source names nobody knows whether they are one or several.
	return agent !== undefined && agent !== than && agent.id !== unnamedAgentId && than.id !== unnamedAgentId;
}

/** Handed to the server over this connection before that time, and not over another one since. */
function wasSentOver({ sends }: HostCall, upstreamId: string, at: number): boolean {
	const last = sends.findLast((sending) => sending.at !== undefined && sending.at <= at);
	return last?.upstreamId === upstreamId;
}

/** The old connection is let go, and it has not gone by itself. */
function isTeardown({ change }: ServerChange): boolean {
	if (change.type === 'reconnect') return false;
	const { state, exitCode, signal } = change;
	return (state === 'reconnecting' || state === 'connecting') && exitCode === undefined && signal === undefined;
}

/** What the reconnect that the teardown belongs to was made for, when its producer says so. */
function causeOf(changes: readonly ServerChange[], index: number): Reconnect['cause'] {
	const { upstreamId } = changes[index] ?? {};
	const made = changes.find(
		({ change }, other) => other > index && change.type === 'reconnect' && change.upstreamId === upstreamId,
	);
	return made?.change.type === 'reconnect' ? made.change.cause : undefined;
}

function sentence(reason: UpstreamStateChanged['reason']): string {
	if (reason === undefined || reason === '') return 'nobody says why.';
	return reason.endsWith('.') ? reason : `${reason}.`;
}

/** A moment, by the clocks of transcripts. */
const mostMomentMs = 2_000;
/** Fewer may be a server that hung and then died of the same cause. */
const fewestLost = 2;

/** Calls of transcripts that failed without an answer and that no host has seen. */
class WrittenFailures {
	private readonly timedOut = new Set<ToolCall>();
	private readonly lost = new Set<ToolCall>();

	look(call: ToolCall): void {
		const { result, hostCalls } = call;
		const isOfInterest = hostCalls.length === 0 && result?.at !== undefined && result.isError;
		const failure = isOfInterest ? failureOf(call) : undefined;
		keep(this.timedOut, call, failure === 'timed-out');
		keep(this.lost, call, failure === 'connection-lost' || failure === 'unknown');
	}

	*cascades(): Iterable<Cascade> {
		if (this.lost.size < fewestLost) return;
		const taken = new Set<ToolCall>();
		const triggers = [...this.timedOut].sort((one, other) => endOf(one) - endOf(other));
		for (const trigger of triggers) {
			const { server, result } = trigger;
			const at = endOf(trigger);
			const victims = [...this.lost].filter(
				(call) =>
					!taken.has(call) &&
					call.server === server &&
					isOther(call.agent, trigger.agent) &&
					(call.startedAt ?? at) < at &&
					Math.abs(endOf(call) - at) <= mostMomentMs,
			);
			if (server === undefined || result === undefined || victims.length < fewestLost) continue;
			for (const victim of victims) taken.add(victim);
			yield { server, trigger, how: 'timed out', endedAt: result.place, teardown: undefined, lost: victims };
		}
	}
}

function keep<Item>(items: Set<Item>, item: Item, isKept: boolean): void {
	if (isKept) items.add(item);
	else if (items.size > 0) items.delete(item);
}

function endOf({ result }: ToolCall): number {
	return result?.at ?? Number.NaN;
}
