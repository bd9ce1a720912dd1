import { claudeCode, readClaudeCodeHook } from './claudeCodeHooks.ts';
import { codex, readCodexHook } from './codexHooks.ts';
import { claudeCodeOutput, codexOutput } from './editedOutput.ts';
import type { HookDialect } from './hookGate.ts';
import { parsed } from './hookFacts.ts';
import type { HookFacts, Json } from './hookFacts.ts';

/** What there is to know of the hooks of one kind of agent. */
interface AgentHooks {
	readonly read: (body: Json) => HookFacts | undefined;
	readonly dialect: HookDialect;
}

/** By format: the last part of the address that events are posted to. */
const agents: Readonly<Record<string, AgentHooks>> = {
	[claudeCode]: {
		read: readClaudeCodeHook,
		dialect: { allowsWithInput: false, output: claudeCodeOutput },
	},
	[codex]: {
		read: readCodexHook,
		dialect: { allowsWithInput: true, output: codexOutput },
	},
};

/** @returns `undefined` for a body that is no event of that agent. */
export function readHook(format: string, body: Uint8Array): HookFacts | undefined {
	const hooks = hooksOf(format);
	const event = hooks === undefined ? undefined : parsed(body);
	return event === undefined ? undefined : hooks?.read(event);
}

/** How events of this format are answered. */
export function dialectOf(format: string): HookDialect | undefined {
	return hooksOf(format)?.dialect;
}

function hooksOf(format: string): AgentHooks | undefined {
	return Object.hasOwn(agents, format) ? agents[format] : undefined;
}
