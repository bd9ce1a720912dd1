import { anyGlob } from './glob.ts';
import { compileExpression } from './expression.ts';
import type { Expression, ExpressionCall, ExpressionValues } from './expression.ts';
import type { Breakpoint, StopPoint } from './debugControl.ts';
import { hitCondition } from './hitCondition.ts';
import type { HitCondition } from './hitCondition.ts';
import { logMessage } from './logMessage.ts';
import type { LogMessage } from './logMessage.ts';
import { callerNames, toolPattern } from './toolPattern.ts';
import type { ToolPattern } from './toolPattern.ts';

/** What a breakpoint looks at: a call at one point of its life. */
export interface BreakpointCall extends ExpressionCall {
	/** Every name of the tool (`mcpToolNames`, or the agent's own). */
	readonly names: readonly string[];
	/** As people know it; `null`: nobody has told. */
	readonly agentName: string | null;
}

/** What a breakpoint says of a call. */
export type BreakpointAnswer =
	| { readonly kind: 'stop' }
	| { readonly kind: 'log'; readonly text: string }
	/** Its condition could not be decided: it does not stop. */
	| { readonly kind: 'failed'; readonly message: string };

/** A breakpoint that was understood. It counts its hits; nothing else of it changes. */
export class CompiledBreakpoint {
	readonly breakpoint: Breakpoint;
	private readonly tool: ToolPattern;
	private readonly agent: ((text: string) => boolean) | undefined;
	private readonly condition: Expression | undefined;
	private readonly hit: HitCondition | undefined;
	private readonly log: LogMessage | undefined;
	/** How often tool, agent, session and point have matched. */
	private matches = 0;
	/** How often the condition was true besides. */
	private hits = 0;

	constructor(parts: {
		breakpoint: Breakpoint;
		tool: ToolPattern;
		agent: ((text: string) => boolean) | undefined;
		condition: Expression | undefined;
		hit: HitCondition | undefined;
		log: LogMessage | undefined;
	}) {
		this.breakpoint = parts.breakpoint;
		this.tool = parts.tool;
		this.agent = parts.agent;
		this.condition = parts.condition;
		this.hit = parts.hit;
		this.log = parts.log;
	}

	/**
	 * Looks at a call once; of what matches the hits are counted.
	 * @param values Of this call, shared by all breakpoints that look at it.
	 */
	lookAt(point: StopPoint, call: BreakpointCall, values: ExpressionValues): BreakpointAnswer | undefined {
		const { at = 'before', sessionId } = this.breakpoint;
		if (at !== point || (sessionId !== undefined && sessionId !== call.sessionId)) return undefined;
		if (!this.tool.matches(call.names, callerNames(call))) return undefined;
		const { agentId, agentName } = call;
		if (this.agent !== undefined && ![agentId, agentName].some((name) => name !== null && this.agent?.(name)))
			return undefined;
		this.matches++;
		values.hits = BigInt(this.matches);
		if (this.condition !== undefined) {
			const outcome = this.condition.evaluate(values);
			if ('problem' in outcome) return { kind: 'failed', message: outcome.problem };
			if (typeof outcome.value !== 'boolean')
				return { kind: 'failed', message: 'The condition is neither true nor false.' };
			if (!outcome.value) return undefined;
		}
		this.hits++;
		if (this.hit !== undefined && !this.hit(this.hits)) return undefined;
		return this.log === undefined ? { kind: 'stop' } : { kind: 'log', text: this.log(values) };
	}

	/** Takes over the hits of the same breakpoint of before. */
	goOnFrom(before: CompiledBreakpoint): void {
		this.matches = before.matches;
		this.hits = before.hits;
	}
}

/** @returns A sentence where it cannot be used. */
export function compileBreakpoint(breakpoint: Breakpoint): CompiledBreakpoint | { readonly problem: string } {
	const tool = toolPattern(breakpoint.tool);
	if (typeof tool === 'string') return { problem: tool };
	const agent = isGiven(breakpoint.agent) ? anyGlob(breakpoint.agent) : undefined;
	if (typeof agent === 'string') return { problem: `"${breakpoint.agent ?? ''}" is no pattern: ${agent}` };
	const condition = isGiven(breakpoint.condition) ? compileExpression(breakpoint.condition) : undefined;
	if (condition !== undefined && 'problem' in condition) return condition;
	const hit = isGiven(breakpoint.hitCondition) ? hitCondition(breakpoint.hitCondition) : undefined;
	if (typeof hit === 'string') return { problem: hit };
	const log = isGiven(breakpoint.logMessage) ? logMessage(breakpoint.logMessage) : undefined;
	if (log !== undefined && 'problem' in log) return log;
	return new CompiledBreakpoint({ breakpoint, tool, agent, condition, hit, log });
}

function isGiven(text: string | undefined): text is string {
	return text !== undefined && text.trim() !== '';
}
