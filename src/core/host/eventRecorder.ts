import { JsonScanner } from '../base/jsonScanner.ts';
import { truncated } from '../base/text.ts';
import type { HeldCall } from '../debug/debugControl.ts';
import { FORMAT_VERSION } from '../events/sessionEvent.ts';
import type { EventLog } from './eventLog.ts';
import type { HookFacts } from './hooks/hookFacts.ts';
import type {
	RecordedCall,
	RecordedDecision,
	RecordedFault,
	RecordedMessage,
	RecordedRelease,
	Recorder,
	RecordedTool,
	RecordOrigin,
} from './recorder.ts';
import { Redaction, redacted } from './redaction.ts';
import type { RedactedServer } from './redaction.ts';
import type { ToolCatalogue } from './toolCatalogue.ts';

/**
 * Makes events of what passes through the host and appends them to the log. It runs for every message, so an event is put together
 * as text at once: an object that is made only to be encoded would cost several times as much.
 */
export class EventRecorder implements Recorder {
	private readonly log: EventLog;
	private readonly now: () => number;
	private readonly catalogue: ToolCatalogue | undefined;
	/** By name, every one that there has been. */
	private readonly servers = new Map<string, RedactedServer>();
	private redaction = new Redaction([]);
	private seq = 0;
	private readonly scanner = new JsonScanner();
	/** Names and ids as JSON. The same few stand in every event; what is unique passes through and is let go with the rest. */
	private readonly quotedTexts = new Map<string, string>();

	/**
	 * @param clock Epoch milliseconds.
	 * @param catalogue Where what servers say of their tools is kept beside the log.
	 */
	constructor(log: EventLog, clock: { now(): number }, catalogue?: ToolCatalogue) {
		this.log = log;
		this.catalogue = catalogue;
		this.now = () => clock.now();
	}

	/**
	 * From now on these servers' secrets and arguments are kept out of the log. Those of earlier ones still are: a server that was taken
	 * out has last words, and a call may answer after a key was changed.
	 */
	setServers(servers: readonly RedactedServer[]): void {
		for (const server of servers) {
			const secrets = new Set([...(this.servers.get(server.name)?.secrets ?? []), ...server.secrets]);
			const { name, redactedArguments } = server;
			this.servers.set(name, { name, redactedArguments, secrets: [...secrets] });
		}
		this.redaction = new Redaction([...this.servers.values()]);
		this.quotedTexts.clear();
	}

	withoutSecrets(text: string): string {
		return this.redaction.text(text);
	}

	message(origin: RecordOrigin, message: RecordedMessage, bytes: Uint8Array): void {
		const { rpcId } = message;
		const id = rpcId === undefined ? '' : `,"rpcId":${typeof rpcId === 'number' ? rpcId : this.quoted(rpcId)}`;
		const callId = this.optional(',"callId":', message.callId);
		const head =
			`${this.envelope(origin)},"source":{"kind":"wire","connectionId":${this.quoted(origin.connectionId)}` +
			`,"direction":"${message.direction}"${id}},"type":"wire-message","kind":"${message.kind}"` +
			`,"server":${this.quoted(message.server)}${this.optional(',"method":', message.method)}` +
			`${this.optional(',"tool":', message.tool)}${this.optional(',"toolUseId":', message.toolUseId)}${callId}`;
		const isCall = message.kind === 'request' && message.method === 'tools/call';
		if (bytes.length > this.log.maximumMessageBytes)
			this.append(`${head},"droppedBytes":${bytes.length}`, undefined);
		else this.append(head, this.body(this.redaction.message(bytes, message.server, isCall)));
	}

	callQueued(origin: RecordOrigin, call: RecordedCall, reason: string): void {
		const { callId, server } = call;
		this.append(
			`${this.envelope(origin)},"source":{"kind":"process"},"type":"call-queued","callId":${this.quoted(callId)}` +
				`,"server":${this.quoted(server)},"reason":${this.quotedOnce(reason)}`,
			undefined,
		);
	}

	callSent(origin: RecordOrigin, call: RecordedCall, to: Parameters<Recorder['callSent']>[2]): void {
		const pid = to.pid === undefined ? '' : `,"pid":${to.pid}`;
		const repeatable = to.isRepeatable === undefined ? '' : `,"isRepeatable":${to.isRepeatable}`;
		this.append(
			`${this.envelope(origin)},"source":{"kind":"process"${pid}},"type":"call-sent"${this.call(call)}` +
				`,"upstreamId":${this.quoted(to.upstreamId)}${pid},"attempt":${to.attempt}${repeatable}`,
			undefined,
		);
	}

	callEnded(origin: RecordOrigin, call: RecordedCall, how: Parameters<Recorder['callEnded']>[2]): void {
		const reason = how.reason === undefined ? '' : `,"reason":${this.quotedOnce(how.reason)}`;
		this.append(
			`${this.envelope(origin)},"source":{"kind":"process"},"type":"call-ended"${this.call(call)}` +
				`,"ending":"${how.ending}","durationMs":${milliseconds(how.durationMs)}${reason}`,
			undefined,
		);
	}

	scopeDecision(origin: RecordOrigin, call: RecordedCall, decision: RecordedDecision): void {
		const { policy, intent, outcome } = decision;
		const parameters = decision.parameters.map(({ path, value }) => {
			// What is put in is an argument like any other.
			const kept = this.redaction.isArgumentRedacted(call.server, path) ? JSON.stringify(redacted) : value;
			return { path, value: kept === undefined ? undefined : this.redaction.text(kept) };
		});
		this.append(
			`${this.envelope(origin)},"source":{"kind":"process"},"type":"scope-decision"${this.call(call)}` +
				`,"policy":"${policy}","intent":"${intent}","parameters":${JSON.stringify(parameters)}` +
				`,"outcome":"${outcome}","reason":${this.quotedOnce(decision.reason)}`,
			undefined,
		);
	}

	faultInjected(origin: RecordOrigin, call: RecordedCall, fault: RecordedFault): void {
		this.append(
			`${this.envelope(origin)},"source":{"kind":"process"},"type":"fault-injected"${this.call(call)}` +
				`,"faultId":${this.quoted(fault.faultId)},"kind":"${fault.kind}","description":${this.quotedOnce(fault.description)}`,
			undefined,
		);
	}

	callHeld(origin: RecordOrigin, held: HeldCall): void {
		this.append(
			`${this.envelope(origin)},"source":{"kind":"process"},"type":"call-held"${this.stop(held)}` +
				`,"point":"${held.at}","heldBy":"${held.heldBy}","cause":"${held.reason}"` +
				`${this.optional(',"ruleId":', held.ruleId)},"reason":${this.quotedOnce(held.description)}`,
			undefined,
		);
	}

	callReleased(origin: RecordOrigin, held: HeldCall, release: RecordedRelease): void {
		const { how, reason, heldMs, change } = release;
		const kept =
			change === undefined
				? ''
				: `,"change":${JSON.stringify(this.changed(held, change, how === 'arguments-edited'))}`;
		this.append(
			`${this.envelope(origin)},"source":{"kind":"process"},"type":"call-released"${this.stop(held)}` +
				`,"how":"${how}","reason":${this.quotedOnce(reason)},"heldMs":${milliseconds(heldMs)}${kept}`,
			undefined,
		);
	}

	toolDescribed(change: RecordedTool): void {
		const { server, upstreamId, pid, tool, isRemoved } = change;
		const { redaction } = this;
		const name = redaction.text(tool);
		if (isRemoved) {
			this.appendObject(upstreamId, pid, { type: 'tool-described', server, tool: name, isRemoved });
			this.catalogue?.remove(server, name);
			return;
		}
		// Cut off only after what is secret is out: half of a secret would not be recognised.
		const description =
			change.description === undefined
				? undefined
				: redaction.text(change.description).slice(0, descriptionLength);
		const inputSchema =
			change.inputSchema === undefined
				? undefined
				: decoder.decode(redaction.message(utf8.encode(change.inputSchema), server, false));
		this.appendObject(upstreamId, pid, { type: 'tool-described', server, tool: name, description, inputSchema });
		this.catalogue?.put({ server, tool: name, description, inputSchema });
	}

	upstreamState(change: Parameters<Recorder['upstreamState']>[0]): void {
		const { server, upstreamId, state, pid, exitCode, signal, reason, stderrTail } = change;
		this.appendObject(upstreamId, pid, {
			type: 'upstream-state',
			server,
			upstreamId,
			state,
			pid,
			exitCode,
			signal,
			reason: reason === undefined ? undefined : this.redaction.text(reason),
			stderrTail: stderrTail === undefined ? undefined : this.redaction.text(stderrTail),
		});
	}

	reconnect(record: Parameters<Recorder['reconnect']>[0]): void {
		const { upstreamId, reason, drainedMs, durationMs } = record;
		this.appendObject(upstreamId, undefined, {
			type: 'reconnect',
			server: record.server,
			upstreamId,
			reason: this.redaction.text(reason),
			cause: record.cause,
			callersWaiting: record.callersWaiting,
			drainedMs: milliseconds(drainedMs),
			durationMs: milliseconds(durationMs),
			attempts: record.attempts,
			isSuccessful: record.isSuccessful,
		});
	}

	hook(origin: RecordOrigin, facts: HookFacts, bytes: Uint8Array): void {
		const name = this.quoted(facts.event);
		const { durationMs, isInterrupt, error, batch } = facts;
		const members = [
			this.optional(',"toolUseId":', facts.toolUseId),
			this.optional(',"toolName":', facts.toolName),
			this.optional(',"agentType":', facts.agentType),
			this.optional(',"mcpServer":', facts.mcpServer),
			durationMs === undefined ? '' : `,"durationMs":${milliseconds(durationMs)}`,
			// Cut off only after what is secret is out.
			error === undefined ? '' : `,"error":${JSON.stringify(this.redaction.text(error).slice(0, errorLength))}`,
			isInterrupt === undefined ? '' : `,"isInterrupt":${isInterrupt}`,
			batch === undefined ? '' : `,"batch":[${batch.map((id) => this.quotedOnce(id)).join(',')}]`,
			this.optional(',"spawnedAgentId":', facts.spawnedAgentId),
			this.optional(',"transcriptPath":', facts.transcriptPath),
			this.optional(',"agentTranscriptPath":', facts.agentTranscriptPath),
			this.optional(',"trigger":', facts.trigger),
		];
		const source = `"source":{"kind":"hook","event":${name}},"type":"hook","event":${name}`;
		const head = `${this.envelope(origin)},${source}${members.join('')}`;
		if (bytes.length > this.log.maximumMessageBytes)
			this.append(`${head},"droppedBytes":${bytes.length}`, undefined);
		else this.append(head, this.body(this.redaction.hook(bytes, facts.toolName)));
	}

	/** Up to the agent. Who is not known is not guessed: the connection then stands for a session of its own. */
	private envelope(origin: RecordOrigin): string {
		const { sessionId, agentId, connectionId } = origin;
		const session = this.quoted(sessionId ?? `mcp:${connectionId}`);
		const agent = agentId === undefined ? unknownAgent : `{"id":${this.quoted(agentId)}}`;
		return `{"version":${FORMAT_VERSION},"seq":${this.seq},"at":${this.now()},"sessionId":${session},"agent":${agent}`;
	}

	private call(call: RecordedCall): string {
		const tool = this.optional(',"tool":', call.tool);
		const toolUseId = this.optional(',"toolUseId":', call.toolUseId);
		return `,"callId":${this.quoted(call.callId)},"server":${this.quoted(call.server)}${tool}${toolUseId}`;
	}

	private stop({ stopId, callId, server, tool, toolUseId }: HeldCall): string {
		const call =
			this.optional(',"callId":', callId ?? undefined) + this.optional(',"server":', server ?? undefined);
		const use = this.optional(',"toolUseId":', toolUseId ?? undefined);
		return `,"stopId":${this.quoted(stopId)}${call},"tool":${this.quoted(tool)}${use}`;
	}

	/** What somebody has put in the place of arguments or of a result, without what is secret. */
	private changed({ server, tool }: HeldCall, change: string, isCall: boolean): string {
		const [head, tail] = isCall ? ['{"params":{"arguments":', '}}'] : ['{"result":', '}'];
		const bytes = utf8.encode(`${head}${change}${tail}`);
		const clean =
			server === null
				? this.redaction.hook(utf8.encode(`{"tool_input":${change}}`), tool)
				: this.redaction.message(bytes, server, isCall);
		const start = server === null ? '{"tool_input":'.length : head.length;
		const end = server === null ? 1 : tail.length;
		return truncated(decoder.decode(clean).slice(start, -end), changeLength);
	}

	private appendObject(
		upstreamId: string,
		pid: number | undefined,
		members: Readonly<Record<string, unknown>>,
	): void {
		const event = JSON.stringify({
			version: FORMAT_VERSION,
			seq: this.seq,
			at: this.now(),
			sessionId: `mcp:${upstreamId}`,
			agent: { unknown: "A connection to a server is no agent's." },
			source: { kind: 'process', pid },
			...members,
		});
		this.append(event.slice(0, -1), undefined);
	}

	/** What can stand in a line as the value of a member. */
	private body(bytes: Uint8Array): Uint8Array {
		const { scanner } = this;
		scanner.reset(bytes, 0, bytes.length);
		if (scanner.skipValue() && scanner.isAtEnd()) return onOneLine(bytes);
		// No JSON has come this far, or a mistake of ours; either way it must not spoil the line.
		return utf8.encode(JSON.stringify(this.redaction.text(decoder.decode(bytes))));
	}

	private append(head: string, message: Uint8Array | undefined): void {
		// What is not taken leaves no gap: the order of a log is dense.
		if (this.log.append(head, message)) this.seq++;
	}

	private optional(member: string, text: string | undefined): string {
		return text === undefined ? '' : member + this.quoted(text);
	}

	private quoted(text: string): string {
		const known = this.quotedTexts.get(text);
		if (known !== undefined) return known;
		const quoted = this.quotedOnce(text);
		if (this.quotedTexts.size >= 4096) this.quotedTexts.clear();
		// An id as long as a message would be kept for nothing.
		if (text.length <= 256) this.quotedTexts.set(text, quoted);
		return quoted;
	}

	private quotedOnce(text: string): string {
		return JSON.stringify(this.redaction.text(text));
	}
}

/** Of what somebody has changed in a debugger, in characters. */
const changeLength = 16 * 1024;

/** Of a tool's description, in characters. */
const descriptionLength = 4096;
const errorLength = 500;

const unknownAgent = '{"unknown":"The connection does not say which agent is behind it."}';

/** A duration as a JSON number, to the microsecond. */
function milliseconds(duration: number): number {
	return Number.isFinite(duration) ? Math.round(duration * 1000) / 1000 : 0;
}

/** Agents may send a message over several lines; between the tokens of JSON a line end is a space like any other. */
function onOneLine(bytes: Uint8Array): Uint8Array {
	if (bytes.indexOf(LINE_FEED) === -1 && bytes.indexOf(CARRIAGE_RETURN) === -1) return bytes;
	return bytes.map((byte) => (byte === LINE_FEED || byte === CARRIAGE_RETURN ? SPACE : byte));
}

const decoder = new TextDecoder();
const utf8 = new TextEncoder();

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
