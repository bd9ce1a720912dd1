// The calls of a run to MCP servers, as they can be made again: what they were given, when they began and ended, and what came of them.

import type { AgentId } from '../base/ids.ts';
import type { BodyRef, WireMessage } from '../events/sessionEvent.ts';
import { agentName, agentsInOrder, callsOf, serverOf } from '../conversation/index.ts';
import type { Agent, Conversation, Place, ToolCall } from '../conversation/index.ts';
import type { TranscriptFiles } from '../transcripts/files.ts';
import { TranscriptFollower } from '../transcripts/readSession.ts';
import type { SessionFiles } from '../transcripts/sessionFiles.ts';
import { Bodies, unwrapped } from './bodies.ts';

/** A call that can be made again. Bodies are read when their turn comes. */
export interface RecordedCall {
	/** In the order of their beginnings, from 0. */
	readonly index: number;
	readonly id: string;
	/** As the transcript, or else the host, names it. */
	readonly server: string;
	readonly tool: string;
	readonly agentId: AgentId;
	readonly agentName: string;
	/** Epoch milliseconds; `undefined`: no source tells. */
	readonly startedAt: number | undefined;
	/** `undefined`: it was never answered. */
	readonly endedAt: number | undefined;
	readonly durationMs: number | undefined;
	readonly place: Place;
	readonly given: RecordedBody;
	readonly outcome: RecordedOutcome | undefined;
}

export interface RecordedBody {
	readonly place: Place;
	readonly body: BodyRef;
}

export interface RecordedOutcome extends RecordedBody {
	/** `wire`: a result of MCP, or a JSON-RPC error, as the server has sent it. `transcript`: what the agent has made of it. */
	readonly from: 'wire' | 'transcript';
	readonly isError: boolean;
}

interface WireCall {
	request?: WireMessage;
	response?: WireMessage;
}

/** All calls to MCP servers, in the order in which they began. */
export async function recordedCalls(
	files: TranscriptFiles,
	session: SessionFiles,
	conversation: Conversation,
	signal?: AbortSignal,
): Promise<readonly RecordedCall[]> {
	const wire = await wireCalls(files, session, signal);
	const found: Omit<RecordedCall, 'index'>[] = [];
	for (const agent of agentsInOrder(conversation)) {
		// Where nothing tells when a call began, it came after the one before it.
		let lastAt: number | undefined;
		for (const call of callsOf(agent)) {
			const server = serverOf(call);
			if (server === undefined) continue;
			const recorded = recordedCall(agent, call, server, wire, lastAt);
			lastAt = recorded.startedAt ?? lastAt;
			found.push(recorded);
		}
	}
	// A stable order: of what began at once the agents' own counts.
	return found
		.sort((one, other) => (one.startedAt ?? Infinity) - (other.startedAt ?? Infinity) || 0)
		.map((call, index) => ({ ...call, index }));
}

function recordedCall(
	agent: Agent,
	call: ToolCall,
	server: string,
	wire: ReadonlyMap<string, WireCall>,
	lastAt: number | undefined,
): Omit<RecordedCall, 'index'> {
	const passages = call.hostCalls.map(({ callId }) => wire.get(callId)).filter((passage) => passage !== undefined);
	// A call that was made again by itself is one call: it began with the first, and the last has its answer.
	const request = passages[0]?.request;
	const response = passages.at(-1)?.response;
	const startedAt = request?.at ?? call.startedAt ?? lastAt;
	const endedAt = response?.at ?? call.result?.at ?? (call.result === undefined ? undefined : startedAt);
	return {
		id: call.id,
		server,
		tool: call.name,
		agentId: agent.id,
		agentName: agentName(agent),
		startedAt,
		endedAt,
		durationMs: startedAt === undefined || endedAt === undefined ? undefined : Math.max(0, endedAt - startedAt),
		place: call.place,
		// What the host has written is without secrets; what the agent has written is as it was.
		given:
			call.isSeenByHostAlone && request?.content !== undefined
				? bodyOf(request, request.content)
				: { place: call.place, body: call.arguments },
		outcome: outcomeOf(call, response),
	};
}

function outcomeOf(call: ToolCall, response: WireMessage | undefined): RecordedOutcome | undefined {
	// The body of a message that was too long to keep is empty.
	if (response?.content !== undefined && response.content.length > 0)
		return { ...bodyOf(response, response.content), from: 'wire', isError: response.kind === 'error' };
	const { result } = call;
	if (result === undefined || result.isInterruption || result.denial !== undefined) return undefined;
	return { place: result.place, body: result.body, from: 'transcript', isError: result.isError };
}

function bodyOf({ source }: WireMessage, body: BodyRef): RecordedBody {
	return { place: { source, range: undefined }, body };
}

/** By the host's id of the call. */
async function wireCalls(
	files: TranscriptFiles,
	session: SessionFiles,
	signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, WireCall>> {
	const calls = new Map<string, WireCall>();
	const { recordingPath } = session;
	if (recordingPath === undefined) return calls;
	const follower = await TranscriptFollower.ofRecording(files, session, recordingPath, { withPreviews: false });
	await follower.readOn((events) => {
		for (const event of events) {
			if (event.type !== 'wire-message' || event.callId === undefined || event.kind === 'notification') continue;
			const call = calls.get(event.callId) ?? {};
			calls.set(event.callId, call);
			if (event.kind === 'request') call.request ??= event;
			else call.response ??= event;
		}
	}, signal);
	return calls;
}

/** Reads what stands at a place. `undefined`: it is gone, or was never kept. */
export class RecordedBodies {
	private readonly bodies: Bodies;

	constructor(files: TranscriptFiles) {
		this.bodies = new Bodies(files);
	}

	async read({ place, body }: RecordedBody): Promise<unknown> {
		return unwrapped(await this.bodies.read(place, body));
	}

	/** As it stands, a text as a text. */
	async readPlain({ place, body }: RecordedBody): Promise<unknown> {
		return this.bodies.read(place, body);
	}

	close(): Promise<void> {
		return this.bodies.close();
	}
}
