// Who looked where in a session, as text for people.

import { counted } from '../core/base/text.ts';
import { agentName } from '../core/conversation/index.ts';
import type { Conversation, ToolCall } from '../core/conversation/index.ts';
import type { Look, MissedValue, ParameterCoverage, ToolCoverage } from '../core/rules/coverage.ts';
import type { SessionText, TranscriptLink } from './sessionDocuments.ts';
import { formatNames, shortened } from './words.ts';

/** So many calls of one row are named by their lines. */
const shownCalls = 8;

export function coverageText(conversation: Conversation, coverage: readonly ToolCoverage[]): SessionText {
	const writer = new Writer();
	writer.line('# Who looked where');
	writer.line('');
	writer.line(
		`${formatNames[conversation.format] ?? conversation.format} session “${shortened(conversation.title ?? conversation.nativeId, 120)}”.`,
	);
	const shown = coverage.filter(({ parameters }) => parameters.length > 0);
	if (shown.length === 0) {
		writer.line('');
		writer.line(
			coverage.length === 0
				? 'No tool of an MCP server was called in it.'
				: `None of the ${counted(coverage.length, 'tool')} that were called has a parameter that says where it looks, as far as is known.`,
		);
	}
	for (const tool of shown) writeTool(writer, tool);
	return writer.end();
}

function writeTool(writer: Writer, { server, tool, calls, unknown, parameters }: ToolCoverage): void {
	writer.line('');
	writer.line(`## ${server} · ${tool}`);
	writer.line('');
	writer.line(`${counted(calls, 'completed call')}.`);
	if (unknown !== undefined) writer.line(`> ${unknown} What follows goes by the names of arguments alone.`);
	for (const parameter of parameters) writeParameter(writer, parameter);
}

function writeParameter(writer: Writer, { parameter, looks, missed }: ParameterCoverage): void {
	writer.line('');
	writer.line(`### ${parameter.path}`);
	writer.line('');
	if (looks.length === 0) {
		writer.line('No call has said or shown where it looked.');
		return;
	}
	writer.table(['Agent', 'Looked at', 'Entries', 'Calls'], looks.map(rowOf));
	if (missed.length === 0) return;
	writer.line('');
	writer.line('Nobody looked at:');
	writer.line('');
	for (const value of missed) writer.line(`- ${cell(value.value)} (${missedWords[value.source]})`);
}

const missedWords: Readonly<Record<MissedValue['source'], string>> = {
	schema: 'the schema allows it',
	result: 'an answer names it',
	call: 'a call to another tool has passed it',
};

function rowOf({ agent, value, taken, calls, items }: Look): Row {
	const where = value ?? (taken === undefined ? '(not said)' : `${taken} (not said)`);
	return { cells: [cell(agentName(agent)), cell(where), items === undefined ? '?' : String(items)], calls };
}

function cell(text: string): string {
	return shortened(text, 80).replaceAll('|', '¦');
}

interface Row {
	/** All but the last, which is for the calls. */
	readonly cells: readonly string[];
	readonly calls: readonly ToolCall[];
}

class Writer {
	private readonly lines: string[] = [];
	private readonly links: TranscriptLink[] = [];

	line(text: string): void {
		this.lines.push(text);
	}

	/** In columns: it is read as it is written. */
	table(head: readonly string[], rows: readonly Row[]): void {
		const columns = head
			.slice(0, -1)
			.map((title, column) => Math.max(title.length, ...rows.map(({ cells }) => cells[column]?.length ?? 0)));
		const padded = (cells: readonly string[]) =>
			columns.map((width, column) => `| ${(cells[column] ?? '').padEnd(width)} `).join('');
		this.line(`${padded(head)}| ${head.at(-1) ?? ''} |`);
		this.line(`${columns.map((width) => `|${'-'.repeat(width + 2)}`).join('')}|---|`);
		for (const { cells, calls } of rows) this.linked(`${padded(cells)}| `, calls);
	}

	end(): SessionText {
		return { text: `${this.lines.join('\n')}\n`, links: this.links };
	}

	/** A row that ends with the places of calls. */
	private linked(before: string, calls: readonly ToolCall[]): void {
		let text = before;
		for (const [index, { place }] of calls.slice(0, shownCalls).entries()) {
			if (index > 0) text += ', ';
			if (place.source.kind !== 'transcript') {
				text += 'not in a transcript';
				continue;
			}
			const { path, line } = place.source;
			const words = `line ${line}`;
			this.links.push({
				line: this.lines.length,
				column: text.length,
				length: words.length,
				path,
				targetLine: line - 1,
			});
			text += words;
		}
		if (calls.length > shownCalls) text += ` and ${calls.length - shownCalls} more`;
		this.lines.push(`${text} |`);
	}
}
