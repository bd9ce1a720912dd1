// The client sets its breakpoints kind by kind and file by file; a target takes all of them together.

import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Breakpoint } from '../core/debug/index.ts';
import type { BreakpointPlan, BreakpointReport, DataBreakpoint, FilteredStop, LineBreakpoint } from './debugTarget.ts';
import { functionBreakpoint } from './functionBreakpoints.ts';
import { Names } from './numbers.ts';

/** The filter that is no rule. */
export const toolErrorFilter = 'toolError';

export class BreakpointBook {
	private readonly lines = new Map<string, readonly LineBreakpoint[]>();
	private functions: readonly Breakpoint[] = [];
	private data: readonly DataBreakpoint[] = [];
	private rules: readonly FilteredStop[] = [];
	private toolError: BreakpointPlan['toolError'];
	private configured: readonly Breakpoint[] = [];
	/** The same breakpoint set again has the same number: what was counted for it goes on. */
	private readonly numbers = new Names();

	/** Those of the launch configuration. */
	configure(breakpoints: readonly Omit<Breakpoint, 'id'>[]): void {
		this.configured = breakpoints.map((breakpoint) => ({
			...breakpoint,
			id: this.idOf('configured', JSON.stringify(breakpoint)),
		}));
	}

	/** @param lineOf What a line of the client's is, counted from 1; the same for columns. */
	setLines(
		path: string,
		given: readonly DebugProtocol.SourceBreakpoint[],
		lineOf: (line: number) => number,
		columnOf: (column: number) => number,
	): readonly string[] {
		const taken = new Set<string>();
		const breakpoints = given.map(({ line, column, condition, hitCondition, logMessage }): LineBreakpoint => {
			const place = {
				path,
				line: lineOf(line),
				column: column === undefined ? undefined : columnOf(column),
			};
			const limits = {
				condition: written(condition),
				hitCondition: written(hitCondition),
				logMessage: written(logMessage),
			};
			return { ...place, ...limits, id: this.idOf('line', JSON.stringify({ ...place, ...limits }), taken) };
		});
		if (breakpoints.length === 0) this.lines.delete(path);
		else this.lines.set(path, breakpoints);
		return breakpoints.map(({ id }) => id);
	}

	setFunctions(given: readonly DebugProtocol.FunctionBreakpoint[]): readonly string[] {
		const taken = new Set<string>();
		this.functions = given.map(({ name, condition, hitCondition }) => {
			const breakpoint = {
				...functionBreakpoint(name),
				condition: written(condition),
				hitCondition: written(hitCondition),
			};
			return { ...breakpoint, id: this.idOf('function', JSON.stringify(breakpoint), taken) };
		});
		return this.functions.map(({ id }) => id);
	}

	setData(given: readonly DebugProtocol.DataBreakpoint[]): readonly string[] {
		const taken = new Set<string>();
		this.data = given.map(({ dataId, condition, hitCondition }) => {
			const breakpoint = { dataId, condition: written(condition), hitCondition: written(hitCondition) };
			return { ...breakpoint, id: this.idOf('data', JSON.stringify(breakpoint), taken) };
		});
		return this.data.map(({ id }) => id);
	}

	/** In the order of `filters`, then of `filterOptions`, as the client expects the answers. */
	setFilters({ filters, filterOptions = [] }: DebugProtocol.SetExceptionBreakpointsArguments): readonly string[] {
		const all = [
			...filters.map((filterId) => ({ filterId, condition: undefined })),
			...filterOptions.map(({ filterId, condition }) => ({ filterId, condition: written(condition) })),
		];
		const set = all.map(({ filterId, condition }) => ({
			id: this.idOf('filter', JSON.stringify({ filterId, condition })),
			ruleId: filterId,
			condition,
		}));
		this.rules = set.filter(({ ruleId }) => ruleId !== toolErrorFilter);
		this.toolError = set.find(({ ruleId }) => ruleId === toolErrorFilter);
		return set.map(({ id }) => id);
	}

	get plan(): BreakpointPlan {
		return {
			lines: [...this.lines.values()].flat(),
			tools: [...this.configured, ...this.functions],
			data: this.data,
			rules: this.rules,
			toolError: this.toolError,
		};
	}

	/** What is wrong with those of the launch configuration. */
	problemsOfConfigured(reports: readonly BreakpointReport[]): readonly string[] {
		return this.configured.flatMap(({ id, tool }) => {
			const report = reports.find((candidate) => candidate.id === id);
			return report === undefined || report.isVerified ? [] : [`${tool}: ${report.message ?? 'It cannot stop.'}`];
		});
	}

	/** The protocol's number of a breakpoint. */
	numberOf(id: string): number {
		return Number(id.slice(1));
	}

	/** @param taken Those that were given out in the same request: two that are alike are two. */
	private idOf(kind: string, key: string, taken: Set<string> = new Set()): string {
		let id = `${kind} ${key}`;
		while (taken.has(id)) id += '+';
		taken.add(id);
		return `b${this.numbers.numberOf(id)}`;
	}
}

function written(text: string | undefined): string | undefined {
	return text === undefined || text.trim() === '' ? undefined : text;
}
