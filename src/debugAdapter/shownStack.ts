// What is shown of agents that stand still: threads, frames, scopes and variables, each with a number that holds until its agent goes on.

import { basename } from 'node:path';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { ExpectedError } from '../core/base/errors.ts';
import { pathOf, typedValue, valueAt } from './assignments.ts';
import type { AgentKey, DebugTarget, FilePlace, Level, Section, WatchedValue } from './debugTarget.ts';
import { Names, Numbers } from './numbers.ts';
import { childrenOf, shown, variableOf } from './valueTree.ts';
import type { Keys, ValueNode } from './valueTree.ts';

/** Lines and columns as the client counts them. */
export interface Counting {
	line(line: number): number;
	column(column: number): number;
}

interface ShownLevel {
	readonly agent: AgentKey;
	readonly level: Level;
}

type Shown =
	| { readonly agent: AgentKey; readonly level: Level; readonly section: Section; readonly node: undefined }
	/** `section` is absent for what was evaluated. */
	| {
			readonly agent: AgentKey | undefined;
			readonly level: Level | undefined;
			readonly section: Section | undefined;
			readonly node: ValueNode;
	  };

export class ShownStack {
	private readonly target: DebugTarget;
	private readonly counting: Counting;
	/** Numbers of threads: the same agent keeps its number. */
	private readonly threadNames = new Names();
	private readonly levels = new Numbers<ShownLevel>();
	private readonly values = new Numbers<Shown>();
	/** Frames by agent, as they were given out: asked for in pages, they are one stack. */
	private readonly stacks = new Map<AgentKey, Promise<readonly DebugProtocol.StackFrame[]>>();
	/** Numbers of frames by agent: a client that has selected one keeps it when the stack is read anew in the same stop. */
	private readonly frameNumbers = new Map<AgentKey, readonly number[]>();
	private readonly texts = new Numbers<NonNullable<Level['text']>>();
	private readonly textNumbers = new Map<string, number>();

	constructor(target: DebugTarget, counting: Counting) {
		this.target = target;
		this.counting = counting;
	}

	threadOf(agent: AgentKey): number {
		return this.threadNames.numberOf(agent);
	}

	/** @returns The agent; rejects where there is no such thread. */
	agentOf(thread: number): AgentKey {
		const key = this.threadNames.textOf(thread);
		if (key === undefined || !this.target.agents.some((agent) => agent.key === key))
			throw new ExpectedError(`There is no agent with the number ${thread} any more.`);
		return key;
	}

	threads(): DebugProtocol.Thread[] {
		return this.target.agents.map(({ key, name }) => ({ id: this.threadOf(key), name }));
	}

	async frames(thread: number, start: number, count: number): Promise<DebugProtocol.StackTraceResponse['body']> {
		const agent = this.agentOf(thread);
		const stack = this.stacks.get(agent) ?? this.ask(agent);
		const frames = await stack;
		// Its agent has gone on, or there is more to say of the stop: these frames are of before.
		if (this.stacks.get(agent) !== stack) return this.frames(thread, start, count);
		return {
			stackFrames: frames.slice(start, count === 0 ? undefined : start + count),
			totalFrames: frames.length,
		};
	}

	private ask(agent: AgentKey): Promise<readonly DebugProtocol.StackFrame[]> {
		const isCurrent = () => this.stacks.get(agent) === stack;
		const stack: Promise<readonly DebugProtocol.StackFrame[]> = this.target
			.stackOf(agent)
			.then((levels) => (isCurrent() ? this.framesOf(agent, levels) : []));
		this.stacks.set(agent, stack);
		// What failed is asked for again.
		stack.catch(() => {
			if (isCurrent()) this.stacks.delete(agent);
		});
		return stack;
	}

	/** @returns `undefined`: nothing was selected. */
	level(frame: number | undefined): Level | undefined {
		return frame === undefined ? undefined : this.shownLevel(frame).level;
	}

	agentOfFrame(frame: number): AgentKey {
		return this.shownLevel(frame).agent;
	}

	scopes(frame: number): DebugProtocol.Scope[] {
		const { agent, level } = this.shownLevel(frame);
		return level.sections.map((section) => ({
			name: section.name,
			...scopeHint(section),
			expensive: section.isExpensive,
			variablesReference: this.values.add({ agent, level, section, node: undefined }),
		}));
	}

	async variables({
		variablesReference,
		...paging
	}: DebugProtocol.VariablesArguments): Promise<DebugProtocol.Variable[]> {
		const shownValue = this.shownValue(variablesReference);
		const node = await this.nodeOf(shownValue);
		if (node === undefined) return [];
		if (typeof node === 'string') return [{ name: 'value', value: node, variablesReference: 0 }];
		return childrenOf(node, paging, (child) => this.values.add({ ...shownValue, node: child }));
	}

	/** A value that stands by itself: the result of an expression. */
	evaluated(value: unknown, frame: number | undefined, expression: string): DebugProtocol.Variable {
		const at = frame === undefined ? undefined : this.shownLevel(frame);
		return variableOf('', value, { keys: [], expression, isEditable: false }, (node) =>
			this.values.add({ agent: at?.agent, level: at?.level, section: undefined, node }),
		);
	}

	/** @param reference Of what holds the value. */
	async setVariable(reference: number, name: string, text: string): Promise<DebugProtocol.Variable> {
		const { section, node } = this.shownValue(reference);
		if (section === undefined) throw new ExpectedError('The value of an expression cannot be changed.');
		const isList = node !== undefined && Array.isArray(node.value);
		return this.edit(section, [...(node?.keys ?? []), isList ? Number(name) : name], text);
	}

	/** Changes what keys lead to in the section that has that name in expressions. */
	async setNamed(frame: number | undefined, name: string, keys: Keys, text: string): Promise<DebugProtocol.Variable> {
		const section = this.level(frame)?.sections.find(({ expression }) => expression === name);
		if (section === undefined)
			throw new ExpectedError(
				frame === undefined
					? 'Select the call that is to be changed.'
					: `There is no "${name}" here that could be changed.`,
			);
		return this.edit(section, keys, text);
	}

	async setExpression(frame: number | undefined, expression: string, text: string): Promise<DebugProtocol.Variable> {
		const path = pathOf(expression);
		if (path === undefined) throw new ExpectedError(`${expression} names no value that could be changed.`);
		return this.setNamed(frame, path.name, path.keys, text);
	}

	/**
	 * What a data breakpoint on a value would wait for; a sentence where there can be none.
	 * @param reference Of what holds the value of that name; without it the name is an expression.
	 */
	watched(reference: number | undefined, name: string, frame: number | undefined): WatchedValue | string {
		if (reference === undefined) {
			const path = pathOf(name);
			const section = this.level(frame)?.sections.find(({ expression }) => expression === path?.name);
			if (path === undefined || section?.watched === undefined) return `No breakpoint can wait for ${name}.`;
			return section.watched(path.keys);
		}
		const { section, node } = this.shownValue(reference);
		if (section?.watched === undefined) return `No breakpoint can wait for ${name}.`;
		const key = node !== undefined && Array.isArray(node.value) ? Number(name) : name;
		return section.watched([...(node?.keys ?? []), key]);
	}

	sourceText(number: number): NonNullable<Level['text']> {
		const text = this.texts.get(number);
		if (text === undefined) throw new ExpectedError('This text is not there any more.');
		return text;
	}

	/** There is more to say of the same stop. `null`: of all of them. */
	refresh(agent: AgentKey | null): void {
		if (agent === null) this.stacks.clear();
		else this.stacks.delete(agent);
	}

	/** The agents have gone on. `null`: all of them. */
	forget(agent: AgentKey | null): void {
		const isGone = (shownThing: { readonly agent: AgentKey | undefined }) =>
			agent === null || shownThing.agent === agent || shownThing.agent === undefined;
		this.levels.remove(isGone);
		this.values.remove(isGone);
		this.refresh(agent);
		if (agent === null) this.frameNumbers.clear();
		else this.frameNumbers.delete(agent);
	}

	placeFields(place: FilePlace): { source: DebugProtocol.Source; line: number; column: number } {
		return {
			source: { name: basename(place.path), path: place.path },
			line: this.counting.line(place.line),
			column: this.counting.column(place.column ?? 1),
		};
	}

	private framesOf(agent: AgentKey, levels: readonly Level[]): readonly DebugProtocol.StackFrame[] {
		const numbers = this.frameNumbers.get(agent) ?? [];
		const frames = levels.map((level, index) => {
			const number = numbers[index];
			if (number === undefined) return this.frameOf(level, this.levels.add({ agent, level }));
			this.levels.put(number, { agent, level });
			return this.frameOf(level, number);
		});
		this.frameNumbers.set(
			agent,
			frames.map(({ id }) => id),
		);
		return frames;
	}

	private frameOf(level: Level, id: number): DebugProtocol.StackFrame {
		const { name, place, text, repeat } = level;
		const canRestart = repeat !== undefined;
		if (text !== undefined) {
			return {
				id,
				name,
				canRestart,
				source: { name: text.name, sourceReference: this.textNumber(text) },
				line: this.counting.line(place?.line ?? 1),
				column: this.counting.column(1),
			};
		}
		if (place === undefined) return { id, name, canRestart, line: 0, column: 0, presentationHint: 'subtle' };
		const { endColumn } = place;
		return {
			id,
			name,
			canRestart,
			...this.placeFields(place),
			...(endColumn === undefined
				? {}
				: { endLine: this.counting.line(place.line), endColumn: this.counting.column(endColumn) }),
		};
	}

	private textNumber(text: NonNullable<Level['text']>): number {
		let number = this.textNumbers.get(text.name);
		if (number === undefined) {
			number = this.texts.add(text);
			this.textNumbers.set(text.name, number);
		}
		return number;
	}

	private shownLevel(frame: number): ShownLevel {
		const found = this.levels.get(frame);
		if (found === undefined) throw new ExpectedError('The agent has gone on meanwhile.');
		return found;
	}

	private shownValue(reference: number): Shown {
		const found = this.values.get(reference);
		if (found === undefined) throw new ExpectedError('The agent has gone on meanwhile.');
		return found;
	}

	/** A section that holds a plain value is shown as one row. */
	private async nodeOf({ section, node }: Shown): Promise<ValueNode | string | undefined> {
		if (node !== undefined || section === undefined) return node;
		const value = await section.read();
		if (value === undefined) return undefined;
		if (typeof value !== 'object' || value === null) return shown(value);
		return { value, keys: [], expression: section.expression, isEditable: section.edit !== undefined };
	}

	private async edit(section: Section, keys: Keys, text: string): Promise<DebugProtocol.Variable> {
		if (section.edit === undefined) {
			throw new ExpectedError(
				this.target.abilities.canGoBack
					? 'A replay cannot be changed: what it shows has happened.'
					: `${section.name} cannot be changed here.`,
			);
		}
		const value = typedValue(text, valueAt(await section.read(), keys));
		await section.edit(keys, value);
		const { expression } = section;
		return variableOf(String(keys.at(-1) ?? section.name), value, { keys, expression, isEditable: true }, (node) =>
			this.values.add({ agent: undefined, level: undefined, section, node }),
		);
	}
}

function scopeHint({ name }: Section): { readonly presentationHint?: string } {
	if (name === 'Arguments') return { presentationHint: 'arguments' };
	return name === 'Result' ? { presentationHint: 'returnValue' } : {};
}
