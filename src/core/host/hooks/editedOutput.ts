import { record } from './hookFacts.ts';
import type { HookFacts, Json } from './hookFacts.ts';

/**
 * What a hook has to answer so that its agent gets another result. Claude Code (2.1.328) takes for an MCP tool a list of content blocks or
 * a text, for a tool of its own a value of the same shape as that tool's result; any other one it leaves aside without a word.
 *
 * @param edited JSON or words; of an MCP tool a `CallToolResult`.
 * @returns `undefined`: it cannot be put into the place of this result.
 */
export function editedOutput(edited: string, facts: HookFacts): Json | undefined {
	const value = parsedOr(edited);
	if (facts.mcpServer !== undefined) {
		const content = record(value)?.['content'];
		return { updatedMCPToolOutput: Array.isArray(content) ? content : (value ?? edited) };
	}
	// A number or a word of JSON is words to a tool whose result is a text.
	const output = ownOutput(
		typeof value === 'object' && value !== null ? value : textOf(value, edited),
		facts.toolResponse,
	);
	return output === undefined ? undefined : { updatedToolOutput: output };
}

function ownOutput(value: unknown, original: unknown): unknown {
	const shape = record(original);
	if (shape === undefined) return typeof value === typeof original ? value : undefined;
	const given = record(value);
	// Who changes one member of a result means the rest to stay.
	if (given !== undefined) return Object.keys(given).some((key) => key in shape) ? { ...shape, ...given } : undefined;
	if (typeof value !== 'string') return undefined;
	if ('stdout' in shape) return { ...shape, stdout: value, ...('stderr' in shape ? { stderr: '' } : {}) };
	const file = record(shape['file']);
	if (file !== undefined && typeof file['content'] === 'string')
		return { ...shape, file: { ...file, content: value } };
	for (const key of ['content', 'result']) if (typeof shape[key] === 'string') return { ...shape, [key]: value };
	if (Array.isArray(shape['content'])) return { ...shape, content: [{ type: 'text', text: value }] };
	return undefined;
}

function textOf(value: unknown, edited: string): string {
	return typeof value === 'string' ? value : edited;
}

/** A text that is no JSON stands for itself. */
function parsedOr(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return text;
	}
}
