import { agentsInOrder, callState, callsOf, conflictsOf, durationOf, serverOf } from '../core/conversation/index.ts';
import type { Compaction, Conversation, HostCall, ServerChange, ToolCall } from '../core/conversation/index.ts';
import type { ReadSession } from '../core/core.ts';
import { printableJson } from '../core/report/index.ts';
import type { TranscriptFiles } from '../core/transcripts/files.ts';
import { Bodies, unwrapped } from '../core/runs/bodies.ts';
import { lintedAgent, mainPlace, sourceOf } from './findings.ts';
import { isoTime, summaryOf } from './summary.ts';

export interface ShowOptions {
	readonly isFull: boolean;
	readonly hasColours: boolean;
}

/** The JSON of `show`, piece by piece: with all results it may be larger than memory. */
export async function* conversationJson(
	read: ReadSession,
	files: TranscriptFiles,
	{ isFull }: ShowOptions,
): AsyncIterable<string> {
	const { conversation } = read;
	const main = mainPlace(read.files);
	const agents = agentsInOrder(conversation);
	yield `{\n${[
		member('version', 1),
		member('session', summaryOf(read.files, conversation)),
		member(
			'agents',
			agents.map((agent) => ({
				...lintedAgent(conversation, agent),
				type: agent.type ?? null,
				relation: agent.relation,
				startedAt: isoTime(agent.firstAt),
				lastEventAt: isoTime(agent.lastAt),
				ended: agent.ended === undefined ? null : { outcome: agent.ended.outcome, at: isoTime(agent.ended.at) },
			})),
		),
		member(
			'compactions',
			agents.flatMap((agent) => agent.compactions.map(compactionJson)),
		),
		...(conversation.serverChanges.length === 0
			? []
			: [member('serverChanges', conversation.serverChanges.map(changeJson))]),
	].join(',\n')},\n`;
	yield '  "toolCalls": [';
	const bodies = new Bodies(files);
	try {
		let separator = '\n';
		for (const agent of agents) {
			for (const call of callsOf(agent)) {
				const full = isFull ? await bodiesOf(call, bodies) : {};
				yield `${separator}    ${indented(printableJson({ ...callJson(conversation, call), ...full }, 2), '    ')}`;
				separator = ',\n';
			}
		}
		yield separator === '\n' ? ']\n}\n' : '\n  ]\n}\n';
	} finally {
		await bodies.close();
	}

	function compactionJson({ agent, place, at, trigger, tokensBefore, tokensAfter }: Compaction): object {
		const { path, line } = sourceOf(place, main);
		return { agentId: agent.id, path, line, at: isoTime(at), trigger, tokensBefore, tokensAfter };
	}

	function callJson(ofConversation: Conversation, call: ToolCall): object {
		const state = callState(ofConversation, call);
		const { path, line } = sourceOf(call.place, main);
		return {
			id: call.id,
			name: call.name,
			server: serverOf(call),
			agentId: call.agent.id,
			state: state.state === 'abandoned' ? state.as : state.state,
			cause: state.state === 'orphaned' || state.state === 'abandoned' ? state.cause : undefined,
			isAbandoned: state.state === 'abandoned' ? true : undefined,
			startedAt: isoTime(call.startedAt) ?? undefined,
			endedAt: isoTime(call.result?.at) ?? undefined,
			durationMs: durationOf(call),
			path,
			line,
			resultLine: call.result === undefined ? undefined : sourceOf(call.result.place, main).line,
			spawnedAgentId: call.spawnedAgentId,
			host: call.hostCalls.length === 0 ? undefined : call.hostCalls.map(hostCallJson),
			hooks: hooksJson(call),
			holds: orNothing(
				call.holds.map(({ stopId, held, released }) => ({
					stopId,
					point: held?.point,
					by: held?.heldBy,
					cause: held?.cause,
					ruleId: held?.ruleId,
					reason: held?.reason,
					heldAt: isoTime(held?.at) ?? undefined,
					heldMs: released?.heldMs,
					outcome: released?.how,
					change: released?.change,
				})),
			),
			conflicts: orNothing(conflictsOf(call)),
		};
	}

	/** What the agent's own hooks have told of a call. */
	function hooksJson({ hookCall }: ToolCall): object | undefined {
		if (hookCall === undefined) return undefined;
		const { agentId, began, asked, ended } = hookCall;
		const place = (began ?? asked ?? ended)?.place;
		const { path, line } = place === undefined ? {} : sourceOf(place, main);
		return {
			agentId,
			beganAt: isoTime(began?.at) ?? undefined,
			askedAt: isoTime(asked?.at) ?? undefined,
			endedAt: isoTime(ended?.at) ?? undefined,
			ending: ended?.how,
			durationMs: ended?.durationMs,
			reason: ended?.reason,
			path,
			line,
		};
	}

	/** What a host has seen of a call, beside what the transcript says. */
	function hostCallJson(passage: HostCall): object {
		const { callId, server, agentId, startedAt, queued, attempts, ended, place } = passage;
		const { path, line } = sourceOf(place, main);
		return {
			callId,
			server,
			agentId,
			startedAt: isoTime(startedAt) ?? undefined,
			endedAt: isoTime(ended?.at) ?? undefined,
			durationMs: ended?.durationMs,
			ending: ended?.ending,
			reason: ended?.reason,
			queued,
			attempts,
			scope: orNothing(
				passage.scopeDecisions.map(({ policy, outcome, reason: why }) => ({ policy, outcome, reason: why })),
			),
			path,
			line,
		};
	}

	function changeJson({ server, upstreamId, at, place, change }: ServerChange): object {
		const { path, line } = sourceOf(place, main);
		const about =
			change.type === 'reconnect'
				? {
						kind: 'reconnect',
						isSuccessful: change.isSuccessful,
						callersWaiting: change.callersWaiting,
						durationMs: change.durationMs,
						attempts: change.attempts,
					}
				: {
						kind: change.state,
						pid: change.pid,
						exitCode: change.exitCode,
						signal: change.signal,
						stderrTail: change.stderrTail,
					};
		return { server, upstreamId, at: isoTime(at), ...about, reason: change.reason, path, line };
	}
}

function orNothing<Item>(items: readonly Item[]): readonly Item[] | undefined {
	return items.length === 0 ? undefined : items;
}

/** What went into a call and what came out of it. */
export async function bodiesOf(
	call: ToolCall,
	bodies: Bodies,
): Promise<{ readonly arguments: unknown; readonly result: unknown }> {
	return {
		arguments: unwrapped(await bodies.read(call.place, call.arguments)),
		result: call.result === undefined ? undefined : await bodies.read(call.result.place, call.result.body),
	};
}

function member(name: string, value: unknown): string {
	return `  ${JSON.stringify(name)}: ${indented(printableJson(value, 2), '  ')}`;
}

function indented(json: string, by: string): string {
	return json.replaceAll('\n', `\n${by}`);
}
