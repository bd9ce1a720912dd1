import { parsedText, record } from './hookFacts.ts';
import type { HookFacts, Json } from './hookFacts.ts';

/** Puts another result into the place of a call's own; `undefined`: it cannot be. */
export type EditedOutput = (edited: string, facts: HookFacts) => Json | undefined;

/**
 * What a hook has to answer so that its agent gets another result. Claude Code (2.1.328) takes for an MCP tool a list of content blocks or
 * a text, for a tool of its own a value of the same shape as that tool's result; any other one it leaves aside without a word.
 *
 * @param edited JSON or words; of an MCP tool a `CallToolResult`.
 * @returns `undefined`: it cannot be put into the place of this result.
 */
export function claudeCodeOutput(edited: string, facts: HookFacts): Json | undefined {
	const value = parsedOr(edited);
	if (facts.mcpServer !== undefined) {
		const content = record(value)?.['content'];
		return inPlace({ updatedMCPToolOutput: Array.isArray(content) ? content : (value ?? edited) });
	}
	// A number or a word of JSON is words to a tool whose result is a text.
	const output = ownOutput(
		typeof value === 'object' && value !== null ? value : textOf(value, edited),
		facts.toolResponse,
	);
	return output === undefined ? undefined : inPlace({ updatedToolOutput: output });
}

function inPlace(output: Json): Json {
	return { hookSpecificOutput: { hookEventName: 'PostToolUse', ...output } };
}

/** Codex (0.169) takes words in the place of any result, as the reason why that is kept back. */
export function codexOutput(edited: string): Json {
	return { decision: 'block', reason: wordsOf(edited) };
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
function parsedOr(json: string): unknown {
	return parsedText(json) ?? json;
}

/** A result that was typed by hand, as words: of some answers hooks take nothing else. */
export function wordsOf(result: string): string {
	const words = textIn(result);
	// A reason that says nothing would be a refusal of the hook itself.
	return words.trim() === '' ? 'The call was not made; somebody has answered it with nothing.' : words;
}

function textIn(result: string): string {
	const value = parsedText(result);
	if (typeof value === 'string') return value;
	const content = record(value)?.['content'];
	if (!Array.isArray(content)) return result;
	const texts = content.map((block) => record(block)?.['text']).filter((text) => typeof text === 'string');
	return texts.length === 0 ? result : texts.join('\n');
}
