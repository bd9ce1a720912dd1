// What an agent did at a step of a replay, and from where it was started: the levels of its stack.

import { existsSync } from 'node:fs';
import { singleLine, truncated } from '../../core/base/text.ts';
import { agentName } from '../../core/conversation/index.ts';
import type { Agent, Message, Place, Result, ToolCall } from '../../core/conversation/index.ts';
import type { Replay, ReplayStep } from '../../core/conversation/replay.ts';
import type { FilePlace, Level, Section } from '../debugTarget.ts';
import { callTitle } from '../valueTree.ts';
import type { ReplayBodies } from './replayBodies.ts';
import { durationOf } from './replayCalls.ts';
import type { ReplayStates } from './replayStates.ts';
import { argumentWatched } from './watchedArguments.ts';

/** What the session makes of a level again: whose it is, and at which step. */
export interface ReplayLevel extends Level {
	readonly agent: Agent;
	readonly index: number;
	readonly step: ReplayStep | undefined;
	readonly call: ToolCall | undefined;
}

export class ReplayLevels {
	private readonly replay: Replay;
	private readonly bodies: ReplayBodies;
	private readonly states: ReplayStates;
	/** Reads a line that no editor could open. */
	private readonly lineText: (place: Place) => Promise<string>;
	private readonly files = new Map<string, boolean>();
	/** Goes back to where a call was made. */
	private readonly goTo: (index: number) => Promise<void>;

	constructor(
		replay: Replay,
		bodies: ReplayBodies,
		states: ReplayStates,
		actions: { lineText: (place: Place) => Promise<string>; goTo: (index: number) => Promise<void> },
	) {
		this.replay = replay;
		this.bodies = bodies;
		this.states = states;
		this.lineText = actions.lineText;
		this.goTo = actions.goTo;
	}

	/** From what the agent did last, up to the main agent. */
	async stackOf(agent: Agent, index: number): Promise<readonly ReplayLevel[]> {
		const { replay } = this;
		const step = replay.lastUpTo(agent.id, index);
		if (step === undefined) return [];
		const levels = [await this.levelOf(step, index)];
		let of = agent;
		// A damaged file may name parents in a circle.
		for (let depth = 0; depth < replay.conversation.agents.size; depth++) {
			const { spawnCall } = of;
			if (spawnCall === undefined) break;
			levels.push(await this.spawnLevel(of, spawnCall, index));
			of = spawnCall.agent;
		}
		levels.push(this.agentLevel(of, index));
		return levels;
	}

	private async levelOf(step: ReplayStep, index: number): Promise<ReplayLevel> {
		const { agent, place } = step;
		switch (step.kind) {
			case 'call':
			case 'result': {
				const { call } = step;
				const result = step.kind === 'result' ? step.result : undefined;
				const title =
					call === undefined
						? 'a call that is not there'
						: callTitle(call.name, await this.bodies.argumentsOf(call));
				const came = result === undefined ? '' : result.isError ? ' → error' : ' → result';
				return {
					name: `${title}${came}`,
					...this.whereIs(place),
					sections: this.sectionsOf(call, result, index),
					repeat: this.repeatOf(call),
					agent,
					index,
					step,
					call,
				};
			}
			case 'message': {
				const { message } = step;
				return {
					name: truncated(`${messageNames[message.kind]}: ${singleLine(message.text?.preview ?? '')}`, 80),
					...this.whereIs(place),
					sections: [
						this.usageSection(agent, message, undefined, undefined, index),
						this.messageSection(message),
					],
					agent,
					index,
					step,
					call: undefined,
				};
			}
			case 'compaction': {
				const { trigger, tokensBefore, tokensAfter } = step.compaction;
				return {
					name: 'compaction',
					...this.whereIs(place),
					sections: [plainSection('Usage', 'usage', { trigger, tokensBefore, tokensAfter })],
					agent,
					index,
					step,
					call: undefined,
				};
			}
		}
	}

	/** The call that has started an agent: `Agent(explore-api)`. */
	private async spawnLevel(started: Agent, call: ToolCall, index: number): Promise<ReplayLevel> {
		return {
			name: `${call.name}(${agentName(started)})`,
			...this.whereIs(call.place),
			sections: this.sectionsOf(call, this.replay.resultAt(call, index), index),
			repeat: this.repeatOf(call),
			agent: call.agent,
			index,
			step: undefined,
			call,
		};
	}

	private repeatOf(call: ToolCall | undefined): Level['repeat'] {
		const index = call === undefined ? undefined : this.replay.indexOfCall(call);
		return index === undefined ? undefined : () => this.goTo(index);
	}

	/** The agent itself, at what began its turn. */
	private agentLevel(agent: Agent, index: number): ReplayLevel {
		const turn = this.replay.turnAt(agent, index);
		return {
			name: agentName(agent),
			...(turn === undefined ? { place: undefined } : this.whereIs(turn.place)),
			sections: [
				this.usageSection(agent, undefined, undefined, undefined, index),
				...(turn === undefined ? [] : [this.messageSection(turn)]),
			],
			agent,
			index,
			step: undefined,
			call: undefined,
		};
	}

	private sectionsOf(call: ToolCall | undefined, result: Result | undefined, index: number): readonly Section[] {
		const sections: Section[] = [];
		if (call !== undefined) {
			sections.push({
				name: 'Arguments',
				expression: 'arguments',
				isExpensive: call.arguments.length > expensive,
				read: () => this.bodies.argumentsOf(call),
				watched: (keys) => argumentWatched(call, keys),
			});
		}
		if (result !== undefined) {
			sections.push({
				name: 'Result',
				expression: 'result',
				isExpensive: result.body.length > expensive,
				read: () => this.bodies.resultOf(call, result),
			});
		}
		const state = call === undefined ? undefined : this.states.sectionOf(call, result !== undefined);
		if (state !== undefined) sections.push(state);
		const agent = call?.agent ?? result?.agent;
		if (agent !== undefined) sections.push(this.usageSection(agent, call?.message, call, result, index));
		// The message of a call that only a host has seen is made up for it.
		if (call !== undefined && !call.isSeenByHostAlone) sections.push(this.messageSection(call.message));
		return sections;
	}

	private usageSection(
		agent: Agent,
		message: Message | undefined,
		call: ToolCall | undefined,
		result: Result | undefined,
		index: number,
	): Section {
		return {
			name: 'Usage',
			expression: 'usage',
			isExpensive: false,
			read: async () =>
				defined({
					startedAt: time(call?.startedAt),
					endedAt: time(result?.at),
					durationMs: call === undefined || result === undefined ? undefined : durationOf(call, result.at),
					model: message?.model,
					inputTokens: message?.tokens?.input,
					outputTokens: message?.tokens?.output,
					agent: this.replay.countsAt(agent, index),
				}),
		};
	}

	private messageSection(message: Message): Section {
		return {
			name: 'Message',
			expression: 'message',
			isExpensive: false,
			read: async () =>
				defined({
					role: message.role,
					kind: message.kind,
					at: time(message.at),
					text:
						message.texts.length === 0 ? undefined : await this.bodies.textOf(message.place, message.texts),
					stopReason: message.stopReason,
					turn: message.turn,
					toolCalls:
						message.toolCalls.length === 0
							? undefined
							: message.toolCalls.map(({ id, name }) => ({ id, name })),
				}),
		};
	}

	/** What hosts have recorded lies within a database, below its path, where no editor finds a file. */
	private isFile(path: string): boolean {
		let isThere = this.files.get(path);
		if (isThere === undefined) this.files.set(path, (isThere = existsSync(path)));
		return isThere;
	}

	private whereIs(place: Place): Pick<Level, 'place' | 'text'> {
		const file = filePlace(place);
		if (file === undefined) return { place: undefined };
		if (this.isFile(file.path)) return { place: file };
		// One line of a recording, which lies in a database.
		return {
			place: { ...file, line: 1, column: 1 },
			text: { name: `recording, line ${file.line}.json`, read: () => this.lineText(place) },
		};
	}
}

/** Bytes from which on a section is read only when somebody opens it. */
const expensive = 256 * 1024;

const messageNames: Readonly<Record<Message['kind'], string>> = {
	prompt: 'prompt',
	response: 'response',
	notification: 'notification',
	results: 'results',
	summary: 'summary',
	interrupt: 'interrupted',
	meta: 'note',
	local: 'note',
};

export function filePlace({ source, range }: Place): FilePlace | undefined {
	if (source.kind !== 'transcript') return undefined;
	return { path: source.path, line: source.line, column: range?.column, endColumn: range?.endColumn };
}

function plainSection(name: Section['name'], expression: string, value: Readonly<Record<string, unknown>>): Section {
	return { name, expression, isExpensive: false, read: async () => defined(value) };
}

function defined(value: Readonly<Record<string, unknown>>): unknown {
	return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined && member !== null));
}

function time(at: number | undefined): string | undefined {
	return at === undefined ? undefined : new Date(at).toISOString();
}
