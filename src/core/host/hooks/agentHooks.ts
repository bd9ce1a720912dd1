import { claudeCode, readClaudeCodeHook } from './claudeCodeHooks.ts';
import type { HookDialect } from './hookGate.ts';
import { parsed } from './hookFacts.ts';
import type { HookFacts } from './hookFacts.ts';

/**
 * Reads one hook event.
 * @param format Whose it is, and the last part of the address that it was posted to.
 * @returns `undefined` for a body that is no event of that agent.
 */
export function readHook(format: string, body: Uint8Array): HookFacts | undefined {
	if (format !== claudeCode) return undefined;
	const event = parsed(body);
	return event === undefined ? undefined : readClaudeCodeHook(event);
}

export function dialectOf(format: string): HookDialect {
	const isClaudeCode = format === claudeCode;
	return { allowsWithInput: !isClaudeCode, takesOutput: isClaudeCode };
}
