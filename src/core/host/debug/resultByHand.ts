import { ExpectedError } from '../../base/errors.ts';
import { jsonText } from '../../base/jsonText.ts';
import { isObject } from '../rpc.ts';
import type { JsonObject } from '../rpc.ts';

/**
 * A result that a person has typed, as JSON for its agent.
 * @param given JSON or a text.
 * @param isMcp Of an MCP tool: what is no `CallToolResult` becomes the text of one.
 * @param isError What was said beside it; `undefined`: what it says itself.
 * Throws an `ExpectedError` with the place where a `CallToolResult` is not one.
 */
export function callResult(given: string, isMcp: boolean, isError: boolean | undefined): string {
	const value = parsed(given);
	if (!isMcp) return jsonText(value === undefined ? given : value);
	if (!isObject(value) || !('content' in value || 'structuredContent' in value)) {
		const text = typeof value === 'string' ? value : given;
		return jsonText({ content: [{ type: 'text', text }], isError: isError ?? false });
	}
	const problem = problemOf(value);
	if (problem !== undefined) throw new ExpectedError(problem);
	// The text stays as it was typed where nothing has to be added: numbers keep all their digits.
	if ('content' in value && (isError === undefined || (value['isError'] ?? false) === isError)) return given;
	return jsonText({ content: [], ...value, isError: isError ?? value['isError'] ?? false });
}

function problemOf(result: JsonObject): string | undefined {
	const { content = [], structuredContent, isError } = result;
	if (isError !== undefined && typeof isError !== 'boolean') return 'At $.isError: it is true or false.';
	if (structuredContent !== undefined && !isObject(structuredContent))
		return 'At $.structuredContent: it is one JSON object.';
	if (!Array.isArray(content)) return 'At $.content: the content of a result is a list.';
	for (const [index, item] of (content as readonly unknown[]).entries()) {
		const at = `At $.content[${index}]`;
		if (!isObject(item) || typeof item['type'] !== 'string')
			return `${at}: each part of a result is an object with a "type".`;
		if (item['type'] === 'text' && typeof item['text'] !== 'string') return `${at}.text: it is a text.`;
		if ((item['type'] === 'image' || item['type'] === 'audio') && typeof item['data'] !== 'string')
			return `${at}.data: it is a text in base64.`;
	}
	return undefined;
}

function parsed(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		// A text that a person has typed.
		return undefined;
	}
}
