// A conversation as text for people: one block per turn, bodies cut at a limit.

import type { Agent, Conversation, Message, Place, Result, ToolCall } from '../core/conversation/index.ts';
import { agentName, callState } from '../core/conversation/index.ts';
import { counted } from '../core/base/text.ts';
import type { BodyRef } from '../core/events/sessionEvent.ts';
import type { TranscriptFiles } from '../core/transcripts/files.ts';
import { cutLines, readBody } from './bodies.ts';
import { compactionWords, speakerOf, turnsOf } from './conversationRows.ts';
import type { Row, Turn } from './conversationRows.ts';
import { wordsOf } from './notifications.ts';
import { lineKey, placeKey } from './readablePlaces.ts';
import type { SessionText, TranscriptLink } from './sessionDocuments.ts';
import { callWords, formatNames, shortened, timeOfDay, toolLabel } from './words.ts';

export interface ReadableText extends SessionText {
	/** The 0-based line on which a place of the transcript is shown, by `placeKey`. */
	readonly lineOf: ReadonlyMap<string, number>;
}

/** A message of this size is read; the rest of a larger one is in the transcript. */
const textLimitBytes = 64 * 1024;
const bodyLimitBytes = 16 * 1024;
const bodyLines = 40;
/** So much is shown of a long conversation: its end. */
const shownCharacters = 4 * 1024 * 1024;

export async function readableText(
	files: TranscriptFiles,
	conversation: Conversation,
	agent: Agent,
	signal: AbortSignal,
): Promise<ReadableText> {
	const writer = new Writer(files, conversation);
	const turns = turnsOf(agent);
	// From the end, since what happened last is what one wants to know.
	const blocks: Block[] = [];
	let size = 0;
	let first = turns.length;
	while (first > 0 && size < shownCharacters) {
		const turn = turns[--first];
		if (turn === undefined) break;
		const block = await writer.turn(turn, shownCharacters - size, signal);
		signal.throwIfAborted();
		size += block.size;
		blocks.unshift(block);
	}
	const head = new Block();
	head.line(`# ${agentName(agent)}`);
	head.line('');
	head.line(
		`${formatNames[conversation.format] ?? conversation.format} session “${shortened(conversation.title ?? conversation.nativeId, 120)}”, ${counted(agent.toolCalls.length, 'call')}.`,
	);
	if (agent.spawnCall !== undefined)
		head.place(
			`Started by ${agentName(agent.spawnCall.agent)}'s call to ${toolLabel(agent.spawnCall)}`,
			agent.spawnCall.place,
			undefined,
		);
	if (first > 0) {
		head.line('');
		head.line(`> The first ${counted(first, 'turn')} are left out here; the tree in the sidebar has them.`);
	}
	head.line('');
	return joined([head, ...blocks]);
}

class Block {
	readonly lines: string[] = [];
	readonly places: {
		readonly line: number;
		readonly column: number;
		readonly length: number;
		readonly place: Place;
	}[] = [];
	size = 0;

	line(text: string): void {
		this.lines.push(text);
		this.size += text.length + 1;
	}

	/** A line that tells where it is written. */
	place(before: string, place: Place, after: string | undefined): void {
		const { source } = place;
		if (source.kind !== 'transcript') {
			this.line(`${before}${after === undefined ? '' : ` ${after}`}`);
			return;
		}
		const link = `line ${source.line}`;
		this.places.push({ line: this.lines.length, column: before.length + 2, length: link.length, place });
		this.line(`${before} (${link})${after === undefined ? '' : ` ${after}`}`);
	}
}

class Writer {
	private readonly files: TranscriptFiles;
	private readonly conversation: Conversation;
	private readonly now = Date.now();

	constructor(files: TranscriptFiles, conversation: Conversation) {
		this.files = files;
		this.conversation = conversation;
	}

	async turn(turn: Turn, budget: number, signal: AbortSignal): Promise<Block> {
		const block = new Block();
		block.line(
			turn.number === 0
				? '## Before the first turn'
				: `## Turn ${turn.number}${turn.at === undefined ? '' : ` · ${timeOfDay(turn.at)}`}`,
		);
		block.line('');
		for (const [index, row] of turn.rows.entries()) {
			signal.throwIfAborted();
			if (block.size > budget) {
				block.line(
					`> ${counted(turn.rows.length - index, 'further row')} of this turn are left out here; the tree in the sidebar has them.`,
				);
				block.line('');
				break;
			}
			await this.row(block, row);
		}
		return block;
	}

	private async row(block: Block, row: Row): Promise<void> {
		switch (row.kind) {
			case 'message': {
				const { message } = row;
				block.place(
					`**${speakerOf(message)}**`,
					message.place,
					message.isActive ? undefined : '· no longer part of the conversation',
				);
				block.line('');
				if (message.kind === 'notification') await this.notification(block, message);
				else for (const text of message.texts) await this.text(block, message.place, text);
				return;
			}
			case 'call':
				await this.call(block, row.call);
				return;
			case 'stray':
				block.place('### ⚠ A result without its call', row.result.place, undefined);
				block.line('');
				await this.result(block, row.result);
				return;
			case 'server':
				// It stands in no transcript.
				return;
			case 'compaction':
				block.place(`── ${compactionWords(row.compaction)} ──`, row.compaction.place, undefined);
				block.line('');
		}
	}

	private async call(block: Block, call: ToolCall): Promise<void> {
		const words = callWords(this.conversation, call, this.now);
		const isOrphaned = callState(this.conversation, call).state === 'orphaned';
		block.place(
			`### ${isOrphaned ? '⚠' : '⇄'} ${shortened(toolLabel(call), 120)}${words === '' ? '' : ` · ${words}`}`,
			call.place,
			undefined,
		);
		block.line('');
		await this.body(block, call.place, call.arguments);
		if (call.result === undefined) {
			block.line('*No result.*');
			block.line('');
			return;
		}
		for (const result of [call.result, ...call.furtherResults]) await this.result(block, result);
	}

	private async result(block: Block, result: Result): Promise<void> {
		block.place(result.isError ? '**Error**' : '**Result**', result.place, undefined);
		block.line('');
		await this.body(block, result.place, result.body);
	}

	private async text(block: Block, place: Place, body: BodyRef): Promise<void> {
		const read = await readBody(this.files, place, body, textLimitBytes);
		for (const line of read.text.trimEnd().split('\n')) block.line(line);
		this.cut(block, read.cut);
		block.line('');
	}

	/** Its words, and all of it as what it is: tags would be taken for Markdown's. */
	private async notification(block: Block, { place, texts }: Message): Promise<void> {
		for (const text of texts) {
			const words = await wordsOf(this.files, place, text);
			if (words !== '') block.line(words);
			block.line('');
			await this.body(block, place, text);
		}
	}

	private async body(block: Block, place: Place, body: BodyRef): Promise<void> {
		const read = cutLines(await readBody(this.files, place, body, bodyLimitBytes), bodyLines);
		// A fence longer than any inside.
		const fence = '`'.repeat(Math.max(3, ...[...read.text.matchAll(/`+/g)].map(([ticks]) => ticks.length + 1)));
		block.line(`${fence}${read.language === 'json' ? 'json' : ''}`);
		for (const line of read.text.split('\n')) block.line(line);
		block.line(fence);
		this.cut(block, read.cut);
		block.line('');
	}

	private cut(block: Block, cut: string | undefined): void {
		if (cut !== undefined) block.line(`> ${cut} The rest is in the transcript.`);
	}
}

function joined(blocks: readonly Block[]): ReadableText {
	const lines: string[] = [];
	const lineOf = new Map<string, number>();
	const links: TranscriptLink[] = [];
	for (const block of blocks) {
		for (const { line, column, length, place } of block.places) {
			const { source } = place;
			if (source.kind !== 'transcript') continue;
			for (const key of [placeKey(place), lineKey(place)]) {
				// The first row that a line of the transcript is shown in stands for it.
				if (key !== undefined && !lineOf.has(key)) lineOf.set(key, lines.length + line);
			}
			links.push({ line: lines.length + line, column, length, path: source.path, targetLine: source.line - 1 });
		}
		// One by one: a spread of a million lines would overflow the stack.
		for (const line of block.lines) lines.push(line);
	}
	return { text: lines.join('\n'), lineOf, links };
}
