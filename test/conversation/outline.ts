import { agentName, callState } from '../../src/core/conversation/index.ts';
import type { Agent, Conversation, Message, Place, ToolCall } from '../../src/core/conversation/index.ts';

/** Everything that a conversation says, as text in an order that does not depend on how its logs came in. */
export function outline(conversation: Conversation): string {
	const { format, agentVersion, entrypoint, title, cwd, liveness } = conversation;
	const agents = [...conversation.agents.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
	const damage = conversation.damage.map(
		(entry) => `damage ${at(entry.place)} ${entry.kind}${entry.isAtEnd ? ' at the end' : ''}`,
	);
	const unknown = [...conversation.unknownRecords].map(([type, count]) => `unknown ${type} ${count}`);
	return [
		`${format} ${agentVersion ?? '?'} ${entrypoint} "${title ?? ''}" in ${cwd ?? '?'}, ${liveness.state}`,
		...agents.flatMap((agent) => ['', ...agentOutline(conversation, agent)]),
		...['', ...damage.sort(), ...unknown.sort()],
	]
		.join('\n')
		.trimEnd();
}

function agentOutline(conversation: Conversation, agent: Agent): string[] {
	const { parentId, spawnCall, spawnEvidence, ended } = agent;
	const origin =
		parentId === null
			? 'root'
			: `child of ${parentId ?? '?'} by ${spawnCall?.id ?? '?'} (${spawnEvidence ?? 'no evidence'})`;
	const facts = [
		origin,
		agent.type,
		agent.relation,
		ended === undefined ? undefined : `${ended.outcome}: ${ended.evidence}`,
		agent.hasTranscript ? undefined : 'no transcript',
		agent.isHeadCut ? 'head cut' : undefined,
	];
	return [
		`agent ${agent.id} "${agentName(agent)}": ${facts.filter((fact) => fact !== undefined).join(', ')}`,
		...agent.messages.map(messageOutline),
		...agent.toolCalls.map((call) => callOutline(conversation, call)),
		...[...agent.strayResults].map((result) => `  stray result ${result.toolUseId} ${at(result.place)}`),
		...agent.compactions.map(
			(compaction) => `  compaction ${at(compaction.place)} ${compaction.trigger} in turn ${compaction.turn}`,
		),
	];
}

function messageOutline(message: Message): string {
	const { id, role, kind, parts, turn, isActive, stopReason } = message;
	return `  ${isActive ? '+' : '-'} ${turn} ${role} ${kind} ${id} ${at(message.place)} [${parts.join(', ')}]${stopReason === undefined ? '' : ` ${stopReason}`}`;
}

function callOutline(conversation: Conversation, call: ToolCall): string {
	const state = callState(conversation, call);
	const told =
		state.state === 'orphaned'
			? `orphaned (${state.cause})`
			: state.state === 'pending' && !state.isCertain
				? 'pending?'
				: state.state;
	const facts = [
		call.result === undefined ? undefined : `result ${at(call.result.place)}`,
		...call.furtherResults.map((result) => `again ${at(result.place)}`),
		...call.duplicates.map((duplicate) => `also ${at(duplicate.place)}`),
		call.isDetached ? 'detached' : undefined,
		call.outcome === undefined ? undefined : `outcome ${call.outcome}`,
		call.spawnedAgentId === undefined ? undefined : `started ${call.spawnedAgentId}`,
		call.compactedBy === undefined ? undefined : `compacted ${at(call.compactedBy.place)}`,
		call.isResultCleared ? 'cleared' : undefined,
		call.lastProgress === undefined ? undefined : `progress ${call.lastProgress.phase}`,
	];
	const name = call.server === undefined ? call.name : `${call.server}/${call.name}`;
	return `  call ${call.id} ${name} ${at(call.place)} ${told}: ${facts.filter((fact) => fact !== undefined).join(', ')}`;
}

function at({ source, range }: Place): string {
	if (source.kind !== 'transcript') return source.kind;
	const file = source.path
		.slice(source.path.lastIndexOf('/') + 1)
		.replace(/^rollout-.{20}/, '')
		.replace(/\.jsonl$/, '');
	return `${file.length > 20 ? file.slice(-6) : file}:${source.line}${range === undefined ? '' : `:${range.column}-${range.endColumn}`}`;
}
