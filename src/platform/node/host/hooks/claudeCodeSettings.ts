// What stands in settings of Claude Code so that its hooks reach the host.

import { claudeCode, claudeCodeEvents } from '../../../../core/host/hooks/claudeCodeHooks.ts';
import { record } from '../../../../core/host/hooks/hookFacts.ts';
import type { Json } from '../../../../core/host/hooks/hookFacts.ts';
import type { Launcher } from '../config/routing.ts';

/** A person may look at a held call for a while. If the host is gone the hook fails at once, and the agent goes on. */
const heldSeconds = 3600;
/** What the host takes in it answers at once. */
const toldSeconds = 5;
/** The answer goes out before the agent stops waiting for it. */
const marginSeconds = 5;

const heldEvents: ReadonlySet<string> = new Set(['PreToolUse', 'PostToolUse', 'PostToolUseFailure']);
/** Claude Code sends these to no address. */
const commandEvents: ReadonlySet<string> = new Set(['SessionStart', 'Setup']);
/**
 * Whoever listens to the first two takes the making of worktrees upon himself, and without an answer to the third in time the model is not
 * changed. `PostModelSwitch` tells as much.
 */
const leftEvents: ReadonlySet<string> = new Set(['WorktreeCreate', 'WorktreeRemove', 'PreModelSwitch']);

const hookedEvents: readonly string[] = claudeCodeEvents.filter((event) => !leftEvents.has(event));

export interface HookPlace {
	/** Where hooks are posted to: `http://127.0.0.1:<port>/<token>/hooks/claude-code`. */
	readonly url: string;
	/** How this program is started, up to the name of the command. */
	readonly launcher: Launcher;
	readonly dataDirectory: string;
	/** The run of an agent that these hooks are for. What is posted does not say it: as Claude Code posts to one address once, whoever asks. */
	readonly source?: string | undefined;
	/** Whether a host is started when a session begins, or a person says something, and none runs. */
	readonly startsHost: boolean;
}

/** By event: what is to be done with it. */
export function hookHandlers(place: HookPlace): ReadonlyMap<string, Json> {
	return new Map(hookedEvents.map((event) => [event, handlerOf(event, place)]));
}

export function hookAddress(url: string, hookToken: string): string {
	return `${url}/${hookToken}/hooks/${claudeCode}`;
}

/**
 * Settings with our hooks behind those that are there.
 * @param others Settings that count beside these. What they start for us already is not started twice; of two that post to the same
 * address Claude Code itself leaves one out.
 */
export function withHookHandlers(settings: Json, place: HookPlace, others: readonly Json[]): Json {
	const hooks: Record<string, unknown> = { ...record(settings['hooks']) };
	const started = new Set(
		others
			.flatMap(handlersIn)
			.filter(
				({ handler }) =>
					isOurHandler(handler) &&
					JSON.stringify(handler).includes(JSON.stringify(place.dataDirectory).slice(1, -1)),
			)
			.map(({ event }) => event),
	);
	for (const [event, handler] of hookHandlers(place)) {
		// Only the run's own says of which run a session is.
		const isTold = commandEvents.has(event) && place.source !== undefined;
		if (handler['type'] === 'command' && started.has(event) && !isTold) continue;
		const own = hooks[event];
		hooks[event] = [...(Array.isArray(own) ? (own as readonly unknown[]) : []), { hooks: [handler] }];
	}
	return { ...settings, hooks };
}

/** Every handler in settings with its event. */
export function handlersIn(settings: Json): readonly { readonly event: string; readonly handler: unknown }[] {
	return Object.entries(record(settings['hooks']) ?? {}).flatMap(([event, groups]) =>
		(Array.isArray(groups) ? groups : []).flatMap((group) => {
			const handlers: unknown = record(group)?.['hooks'];
			return Array.isArray(handlers) ? handlers.map((handler: unknown) => ({ event, handler })) : [];
		}),
	);
}

/** Whether a handler in somebody's settings is one of ours, whichever host it is for. */
export function isOurHandler(value: unknown): boolean {
	const handler = record(value);
	if (handler === undefined) return false;
	const { type, url, command, args } = handler;
	if (type === 'http') return typeof url === 'string' && ourAddress.test(url);
	if (type !== 'command') return false;
	const words = Array.isArray(args) ? args : typeof command === 'string' ? command.split(/[\s']+/) : [];
	const at = words.indexOf('hook');
	return at !== -1 && words[at + 1] === claudeCode && words.includes('--data');
}

/** The address of one of our handlers, without what follows. */
export function addressOfHandler(value: unknown): string | undefined {
	const url = record(value)?.['url'];
	return typeof url === 'string' && ourAddress.test(url) ? url.split('?')[0] : undefined;
}

/** What settings have that keeps hooks like ours from running. */
export function obstacleIn(settings: Json): string | undefined {
	return ['disableAllHooks', 'allowManagedHooksOnly', 'allowedHttpHookUrls'].find((key) => {
		const value = settings[key];
		return value !== undefined && value !== false;
	});
}

const ourAddress = /^http:\/\/127\.0\.0\.1:\d+\/[\w-]+\/hooks\/claude-code(?:\?|$)/;

function handlerOf(event: string, place: HookPlace): Json {
	if (commandEvents.has(event)) return commandHandler(place);
	// The same command for all, so that it is started once.
	if (place.startsHost && event === 'UserPromptSubmit') return commandHandler({ ...place, source: undefined });
	const isHeld = heldEvents.has(event);
	return {
		type: 'http',
		url: isHeld ? `${place.url}?hold=${heldSeconds - marginSeconds}` : place.url,
		timeout: isHeld ? heldSeconds : toldSeconds,
		onFailure: 'continue',
	};
}

function commandHandler({ launcher, dataDirectory, startsHost, source }: HookPlace): Json {
	const { command, args, env } = launcher;
	const words = [
		...[...args, 'hook', claudeCode, '--data', dataDirectory],
		...(startsHost ? ['--start'] : []),
		...(source === undefined ? [] : ['--source', source]),
	];
	const common = { timeout: 10, onFailure: 'continue' };
	const variables = Object.entries(env);
	// Started as it is, without a shell, where no variable has to be set for it.
	if (variables.length === 0) return { type: 'command', command, args: words, ...common };
	// Editors that stand in for Node are told so by one.
	if (process.platform !== 'win32') {
		const set = variables.map(([name, value]) => `${name}=${value}`);
		return { type: 'command', command: '/usr/bin/env', args: [...set, command, ...words], ...common };
	}
	const set = variables.map(([name, value]) => `$env:${name} = ${quoted(value)}; `).join('');
	return {
		type: 'command',
		// What it starts reads the event where the shell would.
		command: `${set}& ${[command, ...words].map(quoted).join(' ')}`,
		shell: 'powershell',
		...common,
	};
}

function quoted(text: string): string {
	return `'${text.replaceAll("'", "''")}'`;
}
