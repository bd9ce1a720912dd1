import { ExpectedError } from '../../base/errors.ts';
import type { SessionId } from '../../base/ids.ts';
import { matches } from '../../scope/settings.ts';
import type { RecordOrigin } from '../recorder.ts';
import { faultText, timesOf } from './faultDefinition.ts';
import type { FaultDefinition } from './faultDefinition.ts';

/**
 * Whose calls a fault may befall: those of callers that have come with a source (`ConnectionIdentity.scopeSource`: one run of an agent), or
 * those of one session.
 */
export type FaultTarget =
	| { readonly kind: 'source'; readonly source: string }
	| { readonly kind: 'session'; readonly sessionId: SessionId };

/** One fault that lies in wait, and what has become of it so far. */
export interface FaultStatus {
	readonly id: string;
	readonly definition: FaultDefinition;
	/** Of the definition, in words. */
	readonly description: string;
	readonly target: FaultTarget;
	/** Who has armed it, in its own words. */
	readonly armedBy: string;
	/** It stays when whoever has armed it goes. No fault survives its host. */
	readonly isKept: boolean;
	/** Calls that it was looked at for. */
	readonly matched: number;
	readonly applied: number;
	/** A sentence: why it could not be applied the last time that it should have been. */
	readonly problem?: string | undefined;
}

/** What a fault has to know of a call. */
export interface FaultCall {
	readonly server: string;
	readonly tool: string;
	readonly record: RecordOrigin;
}

export interface ArmedFault {
	readonly id: string;
	readonly definition: FaultDefinition;
	readonly target: FaultTarget;
	/** Nobody has taken it back. */
	readonly isArmed: boolean;
	/** It has happened. */
	apply(): void;
	/** It could not be done to this call; the next one that matches has it again. */
	fail(problem: string): void;
}

class Armed implements ArmedFault {
	readonly id: string;
	readonly definition: FaultDefinition;
	readonly target: FaultTarget;
	readonly armedBy: string;
	readonly owner: object | undefined;
	isArmed = true;
	matched = 0;
	/** Those under way, too. */
	taken = 0;
	applied = 0;
	problem: string | undefined;
	private readonly changed: () => void;

	constructor(options: {
		id: string;
		definition: FaultDefinition;
		target: FaultTarget;
		armedBy: string;
		owner: object | undefined;
		changed: () => void;
	}) {
		this.id = options.id;
		this.definition = options.definition;
		this.target = options.target;
		this.armedBy = options.armedBy;
		this.owner = options.owner;
		this.changed = options.changed;
	}

	/** Whether it befalls this one of the calls that match, the `matched`th. */
	isDue(): boolean {
		const limit = timesOf(this.definition);
		if (limit !== undefined && this.taken >= limit) return false;
		const { every, probability, seed = 0 } = this.definition;
		if (every !== undefined) return this.matched % every === 0;
		return probability === undefined || fractionOf(seed, this.matched) < probability;
	}

	apply(): void {
		this.applied++;
		this.problem = undefined;
		this.changed();
	}

	fail(problem: string): void {
		this.taken--;
		this.problem = problem;
		this.changed();
	}
}

/** The faults that are armed in this host. As long as there are none, a call costs one look at a flag. */
export class FaultBook {
	private readonly armed = new Map<string, Armed>();
	private readonly namesOf: (server: string) => readonly string[];
	private readonly newId: () => string;
	private readonly changed: () => void;
	isEmpty = true;

	constructor(options: {
		/** Every name that somebody has for a server. */
		namesOf: (server: string) => readonly string[];
		newId: () => string;
		changed: () => void;
	}) {
		this.namesOf = options.namesOf;
		this.newId = options.newId;
		this.changed = options.changed;
	}

	/**
	 * @param owner Whoever arms them: they go with it (`disarmOf`). `undefined`: they stay.
	 * @param armedBy Its name, for people.
	 */
	arm(
		definitions: readonly FaultDefinition[],
		target: FaultTarget,
		armedBy: string,
		owner: object | undefined,
	): readonly FaultStatus[] {
		if (this.armed.size + definitions.length > mostArmed)
			throw new ExpectedError(`No more than ${mostArmed} faults can be armed at a time.`);
		const armed = definitions.map(
			(definition) => new Armed({ id: this.newId(), definition, target, armedBy, owner, changed: this.changed }),
		);
		for (const fault of armed) this.armed.set(fault.id, fault);
		this.isEmpty = this.armed.size === 0;
		this.changed();
		return armed.map(statusOf);
	}

	/** Gives how many there were of them. */
	disarm(ids: readonly string[] | undefined): number {
		const known = ids === undefined ? [...this.armed.keys()] : ids.filter((id) => this.armed.has(id));
		for (const id of known) {
			const fault = this.armed.get(id);
			if (fault !== undefined) fault.isArmed = false;
			this.armed.delete(id);
		}
		if (known.length > 0) {
			this.isEmpty = this.armed.size === 0;
			this.changed();
		}
		return known.length;
	}

	/** Whoever has armed them has gone. */
	disarmOf(owner: object): void {
		const own = [...this.armed.values()].filter((fault) => fault.owner === owner);
		this.disarm(own.map(({ id }) => id));
	}

	/** In the order in which they were armed. */
	get status(): readonly FaultStatus[] {
		return [...this.armed.values()].map(statusOf);
	}

	/** What befalls this call, if anything does; every fault that could have befallen it counts it. */
	take(call: FaultCall, source: string | undefined): ArmedFault | undefined {
		let found: Armed | undefined;
		for (const fault of this.armed.values()) {
			if (!isMeant(fault.target, call.record, source) || !this.isMatch(fault.definition, call)) continue;
			fault.matched++;
			if (found !== undefined || !fault.isDue()) continue;
			fault.taken++;
			found = fault;
		}
		return found;
	}

	private isMatch({ tool, agent }: FaultDefinition, call: FaultCall): boolean {
		const { agentId } = call.record;
		if (agent !== undefined && (agentId === undefined || !matches(agent, agentId))) return false;
		if (tool === undefined) return true;
		return this.namesOf(call.server).some(
			(name) => matches(tool, `${name}/${call.tool}`) || matches(tool, `mcp__${name}__${call.tool}`),
		);
	}
}

/** Whether these calls are such as a fault was armed for. Of a call that nobody knows the session of, a session is not meant. */
export function isMeant(target: FaultTarget, record: RecordOrigin, source: string | undefined): boolean {
	if (target.kind === 'source') return source === target.source;
	return (
		record.sessionId === target.sessionId ||
		(record.sessionId === undefined && `mcp:${record.connectionId}` === target.sessionId)
	);
}

const mostArmed = 100;

function statusOf({ id, definition, target, armedBy, owner, matched, applied, problem }: Armed): FaultStatus {
	return {
		id,
		definition,
		description: faultText(definition),
		target,
		armedBy,
		isKept: owner === undefined,
		matched,
		applied,
		...(problem === undefined ? {} : { problem }),
	};
}

/** In [0, 1), the same for the same two numbers: a step of splitmix32 over both. */
function fractionOf(seed: number, index: number): number {
	let mixed = (Math.imul(seed | 0, 0x9e37_79b9) + Math.imul(index, 0x85eb_ca6b)) | 0;
	for (const factor of [0x21f0_aaad, 0x735a_2d97]) {
		mixed ^= mixed >>> 16;
		mixed = Math.imul(mixed, factor);
	}
	mixed ^= mixed >>> 15;
	return (mixed >>> 0) / 0x1_0000_0000;
}
