import { assertNever } from '../../base/errors.ts';
import { counted } from '../../base/text.ts';
import type { AgentConnection } from '../agentConnection.ts';
import type { Exchange } from '../exchange.ts';
import { MODERN } from '../revisions.ts';
import { encoded, objectAt, readRpc, stringAt } from '../rpc.ts';
import type { HostClock } from '../ports.ts';
import type { Recorder } from '../recorder.ts';
import type { Upstream } from '../upstream.ts';
import { isMeant } from './faultBook.ts';
import type { ArmedFault, FaultBook } from './faultBook.ts';
import { defaultBreakMs, defaultDelayMs } from './faultDefinition.ts';
import type { FaultKind } from './faultDefinition.ts';

/** What goes wrong with a call on purpose, as its connection to the server looks at it. */
export interface CallFault {
	readonly kind: FaultKind;
	/** A sentence, for people. */
	readonly description: string;
	/** How often the server gets it, of what the agent has sent once. */
	readonly deliveries: 0 | 1 | 2;
	/** It was handed to its server, for the first time. */
	readonly onSent?: (() => void) | undefined;
	/** Its answer has come, and goes no further. */
	readonly onLost?: (() => void) | undefined;
	/** It has passed its limit; in place of asking the server whether it lives. */
	readonly onTimedOut?: (() => void) | undefined;
}

/** What the injection needs of the server that it stands in front of. */
export interface FaultedServer {
	readonly name: string;
	readonly clock: HostClock;
	readonly recorder: Recorder;
	/** The agents that a connection is for. */
	usersOf(upstream: Upstream): readonly AgentConnection[];
	/** Puts a session of the host's own store out of memory. `false`: the store knows none of that name. */
	readonly evictSession: ((sessionId: string) => Promise<boolean>) | undefined;
	didChange(): void;
}

/** Lets the calls of one server meet the faults that were armed for them. Calls of others are never touched. */
export class FaultInjection {
	private readonly book: FaultBook;
	private readonly server: FaultedServer;

	constructor(book: FaultBook, server: FaultedServer) {
		this.book = book;
		this.server = server;
	}

	/** A call is about to go to its server. `true`: it does not, or later. */
	befall(upstream: Upstream, exchange: Exchange): boolean {
		const { tool } = exchange;
		if (this.book.isEmpty || tool === undefined || exchange.hasMetFaults) return false;
		exchange.hasMetFaults = true;
		const call = { server: exchange.server, tool, record: exchange.record };
		const fault = this.book.take(call, exchange.agent.identity.scopeSource);
		return fault !== undefined && this.apply(fault, upstream, exchange, tool);
	}

	private apply(fault: ArmedFault, upstream: Upstream, exchange: Exchange, tool: string): boolean {
		const { definition } = fault;
		const { kind } = definition;
		const what = `${tool} on ${this.server.name}`;
		const happened = (description: string) => this.happened(fault, exchange, description);
		switch (kind) {
			case 'delay': {
				const { ms = defaultDelayMs } = definition;
				const description = `A fault on purpose held ${what} back for ${ms} ms.`;
				exchange.fault = { kind, description, deliveries: 1 };
				happened(description);
				upstream.holdBack(exchange, `a fault on purpose: ${ms} ms of delay`);
				exchange.timer = this.server.clock.after(ms, () => upstream.release(exchange));
				return true;
			}
			case 'hang': {
				const description = `A fault on purpose kept ${what} from its server, so that there is no answer.`;
				const onTimedOut = this.naiveReconnect(fault, upstream, exchange, tool);
				exchange.fault = { kind, description, deliveries: 0, onTimedOut };
				happened(description);
				return false;
			}
			case 'drop': {
				const description = `A fault on purpose lost the answer of ${what}.`;
				const onTimedOut = this.naiveReconnect(fault, upstream, exchange, tool);
				const onLost = () => happened(description);
				exchange.fault = { kind, description, deliveries: 1, onLost, onTimedOut };
				return false;
			}
			case 'error': {
				const description = `A fault on purpose answered ${what} with an error, in its server's place.`;
				exchange.fault = { kind, description, deliveries: 0 };
				happened(description);
				exchange.end({ ending: 'failed', answer: errorOf(fault, exchange), reason: description });
				this.server.didChange();
				return true;
			}
			case 'twice': {
				const description = `A fault on purpose delivered ${what} twice.`;
				exchange.fault = { kind, description, deliveries: 2, onSent: () => happened(description) };
				return false;
			}
			case 'kill': {
				const description = `A fault on purpose killed ${this.server.name} while ${tool} ran.`;
				const onSent = this.breaking(fault, upstream, exchange, () => {
					if (!upstream.killProcess())
						return `${this.server.name} is no process of this host: there is nothing to kill.`;
					happened(description);
					return undefined;
				});
				exchange.fault = { kind, description, deliveries: 1, onSent };
				return false;
			}
			case 'tear': {
				const description = `A fault on purpose broke the connection to ${this.server.name} while ${tool} ran.`;
				const onSent = this.breaking(fault, upstream, exchange, () => {
					happened(description);
					upstream.tear(description, false);
					return undefined;
				});
				exchange.fault = { kind, description, deliveries: 1, onSent };
				return false;
			}
			case 'evict':
				upstream.holdBack(exchange, 'a fault on purpose: its session is evicted');
				void this.evict(fault, exchange, what).then(() => upstream.release(exchange)); // has no failures
				return true;
			default:
				return assertNever(kind);
		}
	}

	private happened(fault: ArmedFault, exchange: Exchange, description: string): void {
		fault.apply();
		const { kind } = fault.definition;
		this.server.recorder.faultInjected(exchange.record, exchange, { faultId: fault.id, kind, description });
	}

	/** Breaks something after the call was sent, unless that would harm somebody who has not asked for it. */
	private breaking(
		fault: ArmedFault,
		upstream: Upstream,
		exchange: Exchange,
		run: () => string | undefined,
	): () => void {
		return () =>
			void this.server.clock.after(fault.definition.ms ?? defaultBreakMs, () => {
				if (!fault.isArmed) return;
				const problem =
					exchange.state === 'ended'
						? 'The call had ended before.'
						: (this.whomItWouldHarm(fault, upstream, exchange) ?? run());
				if (problem !== undefined) fault.fail(problem);
			});
	}

	private naiveReconnect(
		fault: ArmedFault,
		upstream: Upstream,
		exchange: Exchange,
		tool: string,
	): (() => void) | undefined {
		if (fault.definition.reconnect !== 'naive') return undefined;
		return () => {
			if (!fault.isArmed) return;
			const problem = this.whomItWouldHarm(fault, upstream, exchange);
			if (problem !== undefined) {
				fault.fail(problem);
				return;
			}
			upstream.tear(
				`${tool} passed its limit, and the connection to ${this.server.name} was closed at once with all that ran on it: a naive reconnect, on purpose.`,
				true,
			);
		};
	}

	/** A sentence: who else uses the connection. */
	private whomItWouldHarm({ target }: ArmedFault, upstream: Upstream, exchange: Exchange): string | undefined {
		const isOwn = (agent: AgentConnection) =>
			agent === exchange.agent || isMeant(target, agent.record, agent.identity.scopeSource);
		const others = this.server.usersOf(upstream).filter((agent) => !isOwn(agent));
		const strangers = [...upstream.runningExchanges, ...upstream.waitingExchanges].filter(
			({ agent, record }) => !isMeant(target, record, agent.identity.scopeSource),
		);
		if (others.length === 0 && strangers.length === 0) return undefined;
		const count = Math.max(others.length, strangers.length);
		return `${counted(count, 'agent')} that nobody has armed it for ${count === 1 ? 'uses' : 'use'} the connection too, so it was left alone. With "sharing": "per-session" each session has one of its own.`;
	}

	private async evict(fault: ArmedFault, exchange: Exchange, what: string): Promise<void> {
		const { argument = 'session' } = fault.definition;
		const named = stringAt(objectAt(exchange.message.params, 'arguments'), argument);
		const sessionId = named ?? exchange.record.sessionId;
		const { evictSession } = this.server;
		try {
			if (sessionId === undefined) fault.fail(`${what} names no session in "${argument}".`);
			else if (evictSession === undefined || !(await evictSession(sessionId)))
				fault.fail(`The session store of this host has no session "${sessionId}".`);
			else {
				const description = `A fault on purpose put the session "${sessionId}" out of memory before ${what}.`;
				exchange.fault = { kind: 'evict', description, deliveries: 1 };
				this.happened(fault, exchange, description);
			}
		} catch (error) {
			// The store may be another's by now; the call goes on as if nothing had been asked for.
			fault.fail(`The session could not be evicted: ${error instanceof Error ? error.message : String(error)}`);
		}
	}
}

function errorOf({ definition }: ArmedFault, exchange: Exchange) {
	const { message = 'A fault on purpose: this call was made to fail.', code } = definition;
	const result = {
		content: [{ type: 'text', text: message }],
		isError: true,
		...(exchange.protocolVersion === MODERN ? { resultType: 'complete' } : {}),
	};
	const body = code === undefined ? { result } : { error: { code, message } };
	const answer = readRpc(encoded({ jsonrpc: '2.0', id: 0, ...body }));
	if (answer.kind === 'problem') throw new Error('What was just written is an answer.');
	return answer;
}
