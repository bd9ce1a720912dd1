// What is in an agent's files, read in the plainest way: the yardstick for what Crosstalk says about them.

import { readJsonLines } from './agentProcess.ts';

export interface WrittenCall {
	readonly id: string;
	readonly name: string;
	readonly line: number;
	readonly resultLine: number | undefined;
	readonly isError: boolean;
}

type Json = Record<string, unknown>;

export async function claudeCodeCalls(transcript: string): Promise<WrittenCall[]> {
	const blocks = (await readJsonLines(transcript)).flatMap((line, index) => {
		// Copies of messages are in `api-request-blob` lines too.
		const isMessage = line['type'] === 'assistant' || line['type'] === 'user';
		return isMessage ? list(record(line['message'])['content']).map((block) => ({ block, line: index + 1 })) : [];
	});
	return pair(
		blocks
			.filter(({ block }) => block['type'] === 'tool_use')
			.map(({ block, line }) => ({ id: String(block['id']), name: String(block['name']), line })),
		blocks
			.filter(({ block }) => block['type'] === 'tool_result')
			.map(({ block, line }) => ({
				id: String(block['tool_use_id']),
				line,
				isError: block['is_error'] === true,
			})),
	);
}

export async function codexCalls(rollout: string): Promise<WrittenCall[]> {
	const items = (await readJsonLines(rollout))
		.map((line, index) => ({ type: line['type'], item: record(line['payload']), line: index + 1 }))
		.filter(({ type }) => type === 'response_item');
	return pair(
		items
			.filter(({ item }) => item['type'] === 'function_call')
			.map(({ item, line }) => ({ id: String(item['call_id']), name: String(item['name']), line })),
		items
			.filter(({ item }) => item['type'] === 'function_call_output')
			.map(({ item, line }) => ({
				id: String(item['call_id']),
				line,
				// Codex has no mark for a failure; of those that scenarios provoke this is the beginning.
				isError: String(item['output']).startsWith('aborted by user after '),
			})),
	);
}

function pair(
	calls: readonly { id: string; name: string; line: number }[],
	results: readonly { id: string; line: number; isError: boolean }[],
): WrittenCall[] {
	return calls.map((call) => {
		const result = results.find(({ id, line }) => id === call.id && line > call.line);
		return { ...call, resultLine: result?.line, isError: result?.isError ?? false };
	});
}

export function record(value: unknown): Json {
	// A JSON object is a record of unknown; for anything else there are no fields to find.
	return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

export function list(value: unknown): Json[] {
	return Array.isArray(value) ? value.map(record) : [];
}
