import { counted, singleLine, truncated } from '../core/base/text.ts';
import {
	agentName,
	agentsInOrder,
	callState,
	callsOf,
	durationOf,
	hostCallWords,
	notificationWords,
	serverChangesOf,
	serverChangeWords,
	serverOf,
} from '../core/conversation/index.ts';
import type { Agent, CallState, Compaction, Message, ToolCall } from '../core/conversation/index.ts';
import type { ReadSession } from '../core/core.ts';
import { printable } from '../core/report/index.ts';
import type { TranscriptFiles } from '../core/transcripts/files.ts';
import { Bodies } from '../core/runs/bodies.ts';
import { bodiesOf } from './conversationJson.ts';
import type { ShowOptions } from './conversationJson.ts';
import { durationText } from '../core/base/duration.ts';
import { mainPlace, sourceOf } from './findings.ts';
import { grouped } from './grouped.ts';
import { isoTime } from './summary.ts';

/** A row of the tree, with the rows below it made when they are printed. */
interface Row {
	/** Read first where its beginning does not do. */
	readonly text: string | (() => Promise<string>);
	readonly children: readonly (() => Row)[];
	/** Whose arguments and result stand below the row when all is to be shown. */
	readonly call?: ToolCall | undefined;
}

type Item =
	| { readonly kind: 'turn'; readonly line: number; readonly column: number; readonly message: Message }
	| { readonly kind: 'refusal'; readonly line: number; readonly column: number; readonly message: Message }
	| { readonly kind: 'call'; readonly line: number; readonly column: number; readonly call: ToolCall }
	| { readonly kind: 'compaction'; readonly line: number; readonly column: number; readonly compaction: Compaction };

/** A conversation as a tree for people, row by row. */
export async function* conversationText(
	read: ReadSession,
	files: TranscriptFiles,
	{ isFull, hasColours }: ShowOptions,
): AsyncIterable<string> {
	const { conversation } = read;
	const main = mainPlace(read.files);
	const paint = (code: string, text: string) => (hasColours ? `\u001b[${code}m${text}\u001b[0m` : text);
	const bodies = new Bodies(files);
	// Files may claim parents in a circle; each agent is shown once.
	const shown = new Set<Agent>();
	const agents = agentsInOrder(conversation);
	const childrenOf = grouped(agents, (agent) => agent.parentId);
	try {
		yield `${header()}\n`;
		for (const agent of agents) {
			if (agent.parentId === null || agent.parentId === undefined || !conversation.agents.has(agent.parentId))
				yield* printed(agentRow(agent), '', '');
		}
		for (const agent of agents) {
			if (!shown.has(agent)) yield* printed(agentRow(agent), '', '');
		}
		const connections = connectionsRow();
		if (connections !== undefined) yield* printed(connections, '', '');
	} finally {
		await bodies.close();
	}

	function header(): string {
		const { title, cwd, startedAt, liveness } = conversation;
		const facts = [
			`${read.files.format} ${printable(read.files.nativeId)}`,
			...(title === undefined ? [] : [printable(truncated(singleLine(title), 100))]),
			...(cwd === undefined ? [] : [`in ${printable(cwd)}`]),
			...(startedAt === undefined ? [] : [`started ${isoTime(startedAt) ?? ''}`]),
			`${liveness.state === 'unknown' ? 'live or ended: not known' : liveness.state}. ${liveness.evidence}`,
		];
		return facts.join('\n');
	}

	async function* printed(row: Row, lead: string, childLead: string): AsyncIterable<string> {
		yield `${lead}${typeof row.text === 'string' ? row.text : await row.text()}\n`;
		if (isFull && row.call !== undefined)
			yield* printedBodies(row.call, `${childLead}${row.children.length > 0 ? '│ ' : '  '}  `);
		for (const [index, child] of row.children.entries()) {
			const isLast = index === row.children.length - 1;
			yield* printed(child(), `${childLead}${isLast ? '└─ ' : '├─ '}`, `${childLead}${isLast ? '   ' : '│  '}`);
		}
	}

	async function* printedBodies(call: ToolCall, lead: string): AsyncIterable<string> {
		const { arguments: given, result } = await bodiesOf(call, bodies);
		for (const [name, value] of [
			['arguments', given],
			['result', result],
		] as const) {
			if (value === undefined) continue;
			const text = typeof value === 'string' ? value : JSON.stringify(value, undefined, 2);
			yield `${lead}${paint('2', `${name}:`)}\n`;
			for (const line of text.split(/\r?\n/)) yield `${lead}  ${printable(line)}\n`;
		}
	}

	function agentRow(agent: Agent): Row {
		shown.add(agent);
		const { type, ended, toolCalls } = agent;
		const facts = [
			...(agent.relation === 'subagent' ? [] : [agent.relation]),
			counted(callsOf(agent).length, 'call'),
			...(ended === undefined ? [] : [ended.outcome]),
			...(agent.hasTranscript ? [] : [unwrittenWords(agent)]),
		];
		const items = itemsOf(agent);
		const shownBelowCalls = new Set(toolCalls.flatMap((call) => spawnedBy(call)));
		const others = (childrenOf.get(agent.id) ?? []).filter(
			(child) => child !== agent && !shownBelowCalls.has(child),
		);
		return {
			text: `${paint('1', printable(agentName(agent)))}${type === undefined ? '' : ` (${printable(type)})`} · ${facts.join(' · ')}`,
			children: [
				...hostCallsOf(agent).map((call) => () => callRow(call, placed(call).line)),
				...rowsOf(items),
				...others.filter((child) => !shown.has(child)).map((child) => () => agentRow(child)),
			],
		};
	}

	function itemsOf(agent: Agent): Item[] {
		const items: Item[] = [
			...agent.messages
				.filter(({ kind }) => kind === 'prompt' || kind === 'notification')
				.map((message) => ({ kind: 'turn', message, ...placed(message) }) as const),
			...agent.messages
				.filter(isRefusal)
				.map((message) => ({ kind: 'refusal', message, ...placed(message) }) as const),
			...agent.toolCalls.map((call) => ({ kind: 'call', call, ...placed(call) }) as const),
			...agent.compactions.map(
				(compaction) => ({ kind: 'compaction', compaction, ...placed(compaction) }) as const,
			),
		];
		return items.sort((one, other) => one.line - other.line || one.column - other.column);
	}

	/** What only the host has seen, in the order of time: it belongs to no turn. */
	function hostCallsOf(agent: Agent): ToolCall[] {
		return [...agent.hostCalls].sort((one, other) => (one.startedAt ?? Infinity) - (other.startedAt ?? Infinity));
	}

	/** What has happened to the servers, once: most often all agents had the same connection. */
	function connectionsRow(): Row | undefined {
		const changes = [...new Set(agents.flatMap((agent) => serverChangesOf(conversation, agent)))]
			// Whether it could be connected is told next.
			.filter(({ change }) => change.type === 'reconnect' || change.state !== 'connecting')
			.sort((one, other) => (one.at ?? Infinity) - (other.at ?? Infinity));
		if (changes.length === 0) return undefined;
		return {
			text: paint('1', 'connections to MCP servers'),
			children: changes.map((item) => () => {
				const time = isoTime(item.at);
				return {
					text: `${time === null ? '' : `${paint('2', time)} `}${printable(serverChangeWords(item))}`,
					children: [],
				};
			}),
		};
	}

	function placed({ place }: Pick<ToolCall, 'place'>): { readonly line: number; readonly column: number } {
		return { line: sourceOf(place, main).line, column: place.range?.column ?? 1 };
	}

	/** What follows stands below the prompt, or below the notification that has woken the agent. */
	function rowsOf(items: readonly Item[]): (() => Row)[] {
		const rows: (() => Row)[] = [];
		let turn: (() => Row)[] = rows;
		for (const item of items) {
			if (item.kind !== 'turn') {
				turn.push(() => rowOf(item));
				continue;
			}
			const children: (() => Row)[] = [];
			turn = children;
			rows.push(() => ({ text: turnText(item.message, item.line), children }));
		}
		return rows;
	}

	function turnText(message: Message, line: number): Row['text'] {
		const isNotification = message.kind === 'notification';
		const rowText = (text: string) => {
			const said = printable(truncated(text, 80));
			return `turn ${message.turn}${isNotification ? ', a notification' : ''}${said === '' ? '' : ` "${said}"`}${message.isActive ? '' : ' (left)'} · ${paint('2', `line ${line}`)}`;
		};
		return isNotification
			? async () => rowText(notificationWords(await wholeText(message)))
			: rowText(textOf(message));
	}

	async function wholeText(message: Message): Promise<string> {
		const { text, place } = message;
		const whole = text === undefined ? undefined : await bodies.read(place, text);
		return typeof whole === 'string' ? whole : textOf(message);
	}

	function rowOf(item: Exclude<Item, { kind: 'turn' }>): Row {
		switch (item.kind) {
			case 'call':
				return callRow(item.call, item.line);
			case 'compaction':
				return compactionRow(item.compaction, item.line);
			case 'refusal':
				return {
					text: async () => {
						const said = singleLine(await wholeText(item.message));
						return `${paint('31', printable(truncated(said, 400)))} · ${paint('2', `line ${item.line}`)}`;
					},
					children: [],
				};
		}
	}

	function callRow(call: ToolCall, line: number): Row {
		const server = serverOf(call);
		const name = printable(server === undefined ? call.name : `${server}/${call.name}`);
		const duration = durationOf(call);
		const state = callState(conversation, call);
		const facts = [
			stateText(state, paint),
			...(state.state === 'pending' && call.startedAt !== undefined
				? [`since ${isoTime(call.startedAt) ?? ''}`]
				: []),
			...(duration === undefined ? [] : [durationText(duration)]),
			...(call.isDetached
				? [`went on in the background${call.outcome === undefined ? '' : `: ${call.outcome}`}`]
				: []),
			...(call.isResultCleared ? ['result cleared'] : []),
			...hostCallWords(call, state).map(printable),
			...(call.message.isActive ? [] : ['no longer part of the conversation']),
		];
		const children = spawnedBy(call).filter((agent) => !shown.has(agent));
		return {
			text: `${name} · ${facts.join(' · ')} · ${paint('2', `line ${line}`)}`,
			children: children.map((agent) => () => agentRow(agent)),
			call,
		};
	}

	function spawnedBy(call: ToolCall): Agent[] {
		return (childrenOf.get(call.agent.id) ?? []).filter((agent) => agent.spawnCall === call);
	}

	function compactionRow({ trigger, tokensBefore, tokensAfter }: Compaction, line: number): Row {
		const tokens =
			tokensBefore === undefined
				? ''
				: ` · ${tokensBefore}${tokensAfter === undefined ? '' : ` → ${tokensAfter}`} tokens`;
		return {
			text: `${paint('35', 'compaction')} (${trigger})${tokens} · ${paint('2', `line ${line}`)}`,
			children: [],
		};
	}
}

/** That the provider has not answered, in the words with which Claude Code begins what it writes in place of an answer. */
function isRefusal(message: Message): boolean {
	return message.kind === 'local' && textOf(message).startsWith('API Error');
}

/** The beginning of a message, in one line. */
function textOf({ text }: Message): string {
	return singleLine((text?.preview ?? '').replaceAll(/^"|"$/g, ''));
}

/** Of an agent without a transcript. */
function unwrittenWords({ hostCalls, report }: Agent): string {
	if (hostCalls.some((call) => call.hostCalls.length > 0)) return 'seen by the host alone';
	return report === undefined ? 'no transcript' : 'known by hooks alone';
}

function stateText(state: CallState, paint: (code: string, text: string) => string): string {
	switch (state.state) {
		case 'completed':
			return paint('32', 'completed');
		case 'failed':
			return paint('31', 'failed');
		case 'pending':
			return paint('33', 'pending');
		case 'orphaned':
			return paint('31', `orphaned (${state.cause})`);
		case 'abandoned':
			return paint('2', 'abandoned');
	}
}
