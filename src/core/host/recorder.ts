import type { HeldCall } from '../debug/debugControl.ts';
import type { CallEnding, CallReleased, FaultInjected, ReconnectCause, ScopeDecision } from '../events/sessionEvent.ts';
import type { ConnectionIdentity } from './agentIdentity.ts';
import type { HookFacts } from './hooks/hookFacts.ts';
import type { ToolChange } from './listedTools.ts';
import type { ServerDefinition } from './serverDefinition.ts';

/** Who caused a record, as far as is known at that time. */
export interface RecordOrigin extends ConnectionIdentity {
	/** The agent's connection to the host. */
	readonly connectionId: string;
}

/**
 * Takes down what passes through the host. Implemented by the event log; the relay calls it on its hot path, so it only appends to
 * memory and lets a later moment write. Nothing here may throw.
 */
export interface Recorder {
	/** From now on these servers' secrets and arguments are kept out of what is taken down. */
	setServers(servers: readonly ServerDefinition[]): void;
	/** A text that a server has written, as it would be taken down: for those who are shown it. */
	withoutSecrets(text: string): string;
	/**
	 * One message between an agent and the host.
	 * @param bytes The whole message, as the agent sends or receives it; they are not changed afterwards.
	 */
	message(origin: RecordOrigin, message: RecordedMessage, bytes: Uint8Array): void;
	callQueued(origin: RecordOrigin, call: RecordedCall, reason: string): void;
	callSent(
		origin: RecordOrigin,
		call: RecordedCall,
		to: { upstreamId: string; pid: number | undefined; attempt: number; isRepeatable?: boolean | undefined },
	): void;
	callEnded(
		origin: RecordOrigin,
		call: RecordedCall,
		how: { ending: CallEnding; durationMs: number; reason: string | undefined },
	): void;
	scopeDecision(origin: RecordOrigin, call: RecordedCall, decision: RecordedDecision): void;
	/** Something goes wrong with a call on purpose. */
	faultInjected(origin: RecordOrigin, call: RecordedCall, fault: RecordedFault): void;
	/** A debugger has stopped a call. */
	callHeld(origin: RecordOrigin, held: HeldCall): void;
	callReleased(origin: RecordOrigin, held: HeldCall, release: RecordedRelease): void;
	/** A server has said something new of one of its tools. */
	toolDescribed(change: RecordedTool): void;
	upstreamState(change: {
		server: string;
		upstreamId: string;
		state: 'connecting' | 'connected' | 'draining' | 'reconnecting' | 'failed' | 'stopped';
		pid: number | undefined;
		exitCode: number | undefined;
		signal: string | undefined;
		reason: string | undefined;
		stderrTail: string | undefined;
	}): void;
	reconnect(record: {
		server: string;
		upstreamId: string;
		reason: string;
		cause: ReconnectCause;
		callersWaiting: number;
		drainedMs: number;
		durationMs: number;
		attempts: number;
		isSuccessful: boolean;
	}): void;
	/** @param bytes The whole of what the agent has sent. */
	hook(origin: RecordOrigin, facts: HookFacts, bytes: Uint8Array): void;
}

export interface RecordedMessage {
	readonly kind: 'request' | 'response' | 'error' | 'notification';
	/** `in`: from the agent; `out`: to the agent. */
	readonly direction: 'in' | 'out';
	readonly rpcId: string | number | undefined;
	readonly server: string;
	readonly method: string | undefined;
	readonly tool: string | undefined;
	readonly toolUseId: string | undefined;
	readonly callId: string | undefined;
}

export interface RecordedTool extends ToolChange {
	readonly server: string;
	readonly upstreamId: string;
	readonly pid: number | undefined;
}

export interface RecordedCall {
	readonly callId: string;
	readonly server: string;
	readonly tool: string | undefined;
	readonly toolUseId: string | undefined;
}

export type RecordedFault = Pick<FaultInjected, 'faultId' | 'kind' | 'description'>;

/** How a held call goes on; `change`: JSON, of its arguments (`before`) or its result. */
export type RecordedRelease = Pick<CallReleased, 'how' | 'reason' | 'heldMs' | 'change'>;

export type RecordedDecision = Pick<ScopeDecision, 'policy' | 'intent' | 'parameters' | 'outcome' | 'reason'>;
