import { agentName, callsOf, serverOf } from '../conversation/index.ts';
import type { Agent, ToolCall } from '../conversation/index.ts';
import type { GivenValue } from '../events/sessionEvent.ts';
import { shapeOf } from '../scope/index.ts';
import { defineRule } from './rule.ts';
import type { RuleContext } from './rule.ts';

export default defineRule({
	id: 'lost-update',
	meta: {
		description: 'No agent writes over what another one has written since it read.',
		family: 'concurrency',
		severity: 'error',
		messages: {
			lost: "{{agent}}'s call to {{tool}} on {{server}} writes over what {{other}} has written of {{what}}: {{agent}} had read it before that, and not since. What {{other}} changed is lost.",
			staleRead: '{{agent}} read it here.',
			overwritten: '{{other}} wrote it here, which {{agent}} never saw.',
			firstRead: '{{other}} had read the same.',
		},
	},
	create(context) {
		const writes = new Set<ToolCall>();
		return {
			serverCall(call) {
				if (isWrite(call)) writes.add(call);
				else if (writes.size > 0) writes.delete(call);
			},
			conversation(conversation) {
				const all = [...writes];
				for (const { hostCalls } of conversation.agents.values()) all.push(...hostCalls.filter(isWrite));
				if (all.length > 1) lookAtWrites(context, all);
			},
		};
	},
});

/** Written by hand rather than by verbs of all kinds: whole values take the place of what was there, under a name that stays the same. */
const writing = new Set(['write', 'set', 'put', 'save', 'replace', 'overwrite', 'update', 'upsert', 'store']);
/** These add to what is there, or say themselves what they take to be there. */
const merging = new Set(['append', 'add', 'insert', 'edit', 'patch', 'merge', 'increment', 'move', 'rename', 'log']);
/** Where a call says which state it is about, its server can refuse a stale one. It is read from its end, since a name may be very long. */
const guard =
	/$(?<=(?:^|[_.-])(?:sha|etag|version|revision|rev|generation|hash|checksum|lock|token|if[_-]?match|expected\w*|base\w*|old\w*|prev\w*|updated?[_-]?at|timestamp|append|mode))/i;
const identity =
	/(?:^|[_-])(?:path|file|uri|url|id|uuid|key|name|slug|number|repo|owner|table|collection|document)$|(?:Id|ID|Path|Key|Name|Url|Uri|Number)$/;

const wordsByTool = new Map<string, ReadonlySet<string>>();

function toolWords(name: string): ReadonlySet<string> {
	let words = wordsByTool.get(name);
	if (words === undefined) {
		if (wordsByTool.size >= 500) wordsByTool.clear();
		const found = name.split(/[_.\s-]+|(?<=[a-z])(?=[A-Z])/).map((word) => word.toLowerCase());
		wordsByTool.set(name, (words = new Set(found)));
	}
	return words;
}

function isWrite(call: ToolCall): boolean {
	if (!isDone(call) || call.given === undefined || call.given.isPartial) return false;
	const words = [...toolWords(call.name)];
	return words.some((word) => writing.has(word)) && !words.some((word) => merging.has(word));
}

function isDone({ result, startedAt }: ToolCall): boolean {
	return result?.at !== undefined && startedAt !== undefined && !result.isError && result.denial === undefined;
}

function isRead(call: ToolCall): boolean {
	if (!isDone(call) || [...toolWords(call.name)].some((word) => writing.has(word) || merging.has(word))) return false;
	const { verb } = shapeOf(
		{ server: serverOf(call) ?? '', name: call.name, description: undefined, inputSchema: undefined },
		false,
	);
	return verb === 'read' || verb === 'list';
}

function startOf({ startedAt }: ToolCall): number {
	return startedAt ?? Number.NaN;
}

function endOf({ result }: ToolCall): number {
	return result?.at ?? Number.NaN;
}

/** The members that say what is written; `''` where there are none: then there is one such thing. */
function identityOf(call: ToolCall): string {
	return [...membersOf(call)]
		.map(([path, value]) => `${path}=${value}`)
		.sort()
		.join('\n');
}

function isIdentity(path: string): boolean {
	return !path.includes('.') && !path.includes('[') && identity.test(path);
}

function isScalar(value: string): boolean {
	return !value.startsWith('{') && !value.startsWith('[');
}

function lookAtWrites(context: RuleContext, writes: readonly ToolCall[]): void {
	const byThing = new Map<string, ToolCall[]>();
	for (const call of writes) {
		if (call.given?.values.some(({ path }) => guard.test(path)) === true) continue;
		const key = `${serverOf(call)} ${call.name} ${identityOf(call)}`;
		const same = byThing.get(key);
		if (same === undefined) byThing.set(key, [call]);
		else same.push(call);
	}
	let pairs = 0;
	for (const same of byThing.values()) {
		if (same.length < 2 || new Set(same.map(({ agent }) => agent)).size < 2) continue;
		same.sort((one, other) => startOf(one) - startOf(other));
		for (const [index, write] of same.entries()) {
			const before = same[index - 1];
			if (
				before !== undefined &&
				before.agent !== write.agent &&
				areDifferent(before, write) &&
				pairs++ < mostPairs
			)
				lookAtPair(context, before, write);
		}
	}
}

/** Each is compared with what its agents have read. */
const mostPairs = 200;

/** Whether both set a member to something, and not to the same. */
function areDifferent(one: ToolCall, other: ToolCall): boolean {
	const values = new Map(payloadOf(one).map(({ path, value }) => [path, value]));
	return payloadOf(other).some(({ path, value }) => values.has(path) && values.get(path) !== value);
}

function payloadOf({ given }: ToolCall): readonly GivenValue[] {
	return (given?.values ?? []).filter(({ path }) => !isIdentity(path) && !path.includes('.') && !path.includes('['));
}

/** @param before What another agent has written, before `write`. */
function lookAtPair(context: RuleContext, before: ToolCall, write: ToolCall): void {
	const staleRead = lastRead(write, startOf(write));
	const firstRead = lastRead(before, startOf(before));
	// Not written from what was read; or read when the other write may have been there already.
	if (staleRead === undefined || firstRead === undefined || endOf(staleRead) > startOf(before)) return;
	if (mayHaveHeard(write.agent, startOf(before), startOf(write))) return;
	const { agent } = write;
	const data = { agent: agentName(agent), other: agentName(before.agent) };
	const server = serverOf(write) ?? '';
	const what =
		identityOf(write)
			.split('\n')[0]
			?.replace(/^[^=]*=/, '') ?? '';
	context.report({
		at: write.place,
		messageId: 'lost',
		data: { ...data, tool: write.name, server, what: what === '' ? 'the same' : what },
		toolCall: write,
		related: [
			{ at: staleRead.place, messageId: 'staleRead', data },
			{ at: before.place, messageId: 'overwritten', data },
			{ at: firstRead.place, messageId: 'firstRead', data },
		],
	});
}

/** The last time before `until` at which the agent of a write read what it writes; `undefined` where a later read may have shown it too. */
function lastRead(write: ToolCall, until: number): ToolCall | undefined {
	const server = serverOf(write);
	const written = membersOf(write);
	let last: ToolCall | undefined;
	for (const call of callsOf(write.agent)) {
		if (serverOf(call) !== server || !isRead(call) || startOf(call) >= until) continue;
		const read = membersOf(call);
		// A thing of the same kind with another name shows nothing of this one; a list may.
		const isOther = [...read].some(([path, value]) => written.has(path) && written.get(path) !== value);
		if (!isOther && (last === undefined || endOf(call) >= endOf(last))) last = call;
	}
	return last !== undefined && isOfSame(last, write) ? last : undefined;
}

function membersOf({ given }: ToolCall): ReadonlyMap<string, string> {
	return new Map(
		(given?.values ?? [])
			.filter(({ path, value }) => isIdentity(path) && isScalar(value))
			.map(({ path, value }) => [path, value]),
	);
}

/** What the read names the write names too, and both speak of one kind of thing. */
function isOfSame(read: ToolCall, write: ToolCall): boolean {
	const named = membersOf(read);
	const written = membersOf(write);
	if (named.size === 0 && written.size > 0) return false;
	if (![...named].every(([path, value]) => written.get(path) === value)) return false;
	return (
		[...named.keys()].some((path) => /path|file|uri|url/i.test(path)) || nounOf(read.name) === nounOf(write.name)
	);
}

function nounOf(name: string): string {
	const words = [...toolWords(name)].filter((word) => !writing.has(word) && !reading.test(word));
	return (words.at(-1) ?? '').replace(/s$/, '');
}

const reading = /^(?:get|read|fetch|load|show|retrieve|view)$/;

/** Whether somebody has told the agent something in between: a prompt, a notification, a subagent's answer. */
function mayHaveHeard(agent: Agent, from: number, to: number): boolean {
	const isBetween = (at: number | undefined) => at === undefined || (at >= from && at <= to);
	return (
		agent.messages.some(
			({ kind, at }) => (kind === 'prompt' || kind === 'notification' || kind === 'meta') && isBetween(at),
		) ||
		agent.toolCalls.some(
			({ spawn, name, result }) => (spawn !== undefined || messaging.test(name)) && isBetween(result?.at ?? -1),
		)
	);
}

/** Tools by which agents tell each other something. */
const messaging = /^(?:SendMessage|TaskOutput|AgentOutputTool|BashOutput|wait_agent|send_input|close_agent|wait)$/;
