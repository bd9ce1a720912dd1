// The stack of an agent that runs: its held call, the calls that started it, up to the main agent; each with its line of a transcript, where
// that is written already.

import { indentedJson, jsonText } from '../core/base/jsonText.ts';
import type { Agent, Conversation, Place, ToolCall } from '../core/conversation/index.ts';
import { agentName } from '../core/conversation/index.ts';
import type { HeldCall } from '../core/debug/index.ts';
import type { DebuggedAgent, FilePlace, Level, Section } from './debugTarget.ts';
import type { StoredCallReader } from '../core/store/storedCalls.ts';
import { stateSection } from './liveStates.ts';
import { agentIn, callIn } from './liveTranscripts.ts';
import type { LiveTranscripts } from './liveTranscripts.ts';

export interface LevelActions {
	readonly edit: (keys: readonly (string | number)[], value: unknown) => Promise<void>;
	readonly answer: (result: string, isError: boolean) => Promise<void>;
	readonly repeat: () => Promise<void>;
}

export interface HeldLevel {
	readonly call: HeldCall;
	/** What it would go on with. */
	readonly current: () => unknown;
}

export interface LevelOptions {
	readonly agent: DebuggedAgent;
	readonly held: HeldLevel | undefined;
	readonly transcripts: LiveTranscripts;
	readonly actions: LevelActions;
	/** `undefined`: there is no session store. */
	readonly storedCalls: StoredCallReader | undefined;
}

export interface Levels {
	readonly levels: readonly Level[];
	/** Whether the held call has been found in its transcript, or never will be. */
	readonly isComplete: boolean;
	/** Whether there is a transcript of the session at all. */
	readonly hasTranscript: boolean;
}

export async function levelsOf({ agent, held, transcripts, actions, storedCalls }: LevelOptions): Promise<Levels> {
	const conversation = agent.sessionId === null ? undefined : await transcripts.read(agent.sessionId);
	const found = callIn(conversation, held?.call.toolUseId ?? null);
	const levels: Level[] = [];
	const self = agentIn(conversation, agent.agentId);
	if (held !== undefined) {
		const { call } = held;
		const state =
			storedCalls === undefined || call.server === null
				? []
				: [stateSection(call, self?.toolCalls.map(({ id }) => id) ?? [], storedCalls)];
		levels.push(heldLevel(held, found, state, actions));
	}
	if (self === undefined || conversation === undefined) {
		levels.push({ name: agent.name, place: undefined, sections: [] });
	} else levels.push(...spawnLevels(conversation, self));
	return {
		levels,
		hasTranscript: conversation !== undefined,
		isComplete:
			held === undefined || found !== undefined || held.call.toolUseId === null || agent.sessionId === null,
	};
}

function heldLevel(
	{ call, current }: HeldLevel,
	found: ToolCall | undefined,
	state: readonly Section[],
	actions: LevelActions,
): Level {
	const isBefore = call.at === 'before';
	const edit = call.canEdit ? actions.edit : undefined;
	const given = parsed(call.arguments);
	const sections: Section[] = [
		{
			name: 'Arguments',
			expression: 'arguments',
			isExpensive: false,
			read: async () => (isBefore ? current() : given),
			...(isBefore && edit !== undefined ? { edit } : {}),
		},
	];
	if (!isBefore)
		sections.push({
			name: 'Result',
			expression: 'result',
			isExpensive: false,
			read: async () => current(),
			...(edit === undefined ? {} : { edit }),
		});
	sections.push(...state);
	if (found !== undefined) sections.push(...messageSections(found));
	return {
		name: titleOf(call.tool, isBefore ? current() : given),
		place: found === undefined ? undefined : filePlace(found.place),
		// An editor goes to a frame that has something to show; the line of the call may not be written yet, or nowhere.
		...(found === undefined ? { text: textOf(call, current) } : {}),
		sections,
		// What only its agent could make again is held at the agent's own hook.
		...(isBefore || call.heldBy === 'hook' ? {} : { repeat: actions.repeat }),
		...((isBefore ? call.canAnswer : call.canEdit) ? { answer: actions.answer } : {}),
	};
}

function textOf({ tool, stopId }: HeldCall, current: () => unknown): NonNullable<Level['text']> {
	return {
		// Of each stop its own: a client keeps what it has read.
		name: `${tool} ${stopId}.json`,
		read: async () => `${indentedJson(current())}\n`,
	};
}

/** From the agent itself up: the calls that started it and its parents. */
function spawnLevels(conversation: Conversation, agent: Agent): readonly Level[] {
	const levels: Level[] = [];
	const seen = new Set<Agent>();
	for (let current: Agent | undefined = agent; current !== undefined && !seen.has(current);) {
		seen.add(current);
		const { spawnCall, parentId }: Agent = current;
		if (spawnCall === undefined) {
			levels.push({
				name: agentName(current),
				place: current.messages[0] === undefined ? undefined : filePlace(current.messages[0].place),
				sections: [],
			});
			// It was started by somebody, and nobody knows with which call.
			current = parentId === null || parentId === undefined ? undefined : conversation.agents.get(parentId);
			continue;
		}
		levels.push({
			name: `${spawnCall.name}(${agentName(current)})`,
			place: filePlace(spawnCall.place),
			sections: messageSections(spawnCall),
		});
		current = spawnCall.agent;
	}
	return levels;
}

function messageSections({ message }: ToolCall): readonly Section[] {
	const { tokens, texts } = message;
	const sections: Section[] = [];
	if (tokens !== undefined)
		sections.push({
			name: 'Usage',
			isExpensive: false,
			read: async () => ({ inputTokens: tokens.input, outputTokens: tokens.output, model: message.model }),
		});
	if (texts.length > 0)
		sections.push({
			name: 'Message',
			isExpensive: false,
			read: async () => texts.map(({ preview }) => preview).join('\n'),
		});
	return sections;
}

function filePlace({ source, range }: Place): FilePlace | undefined {
	if (source.kind !== 'transcript') return undefined;
	return { path: source.path, line: source.line, column: range?.column, endColumn: range?.endColumn };
}

const longestTitle = 80;

/** `analytics_query(page: 2, sort: "name")`. */
function titleOf(tool: string, args: unknown): string {
	if (typeof args !== 'object' || args === null || Array.isArray(args)) return tool;
	const words = Object.entries(args).map(([name, value]) => {
		const text = jsonText(value);
		return `${name}: ${text.length > 30 ? `${text.slice(0, 29)}…` : text}`;
	});
	const all = words.join(', ');
	return `${tool}(${all.length > longestTitle ? `${all.slice(0, longestTitle - 1)}…` : all})`;
}

export function parsed(text: string | null): unknown {
	if (text === null) return undefined;
	try {
		return JSON.parse(text) as unknown;
	} catch {
		// A result may be words alone.
		return text;
	}
}
