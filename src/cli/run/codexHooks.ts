// Hooks of Codex for one session: given on its command line, in a layer of their own beside those of its configuration.
//
// Codex runs a hook only when somebody has said that it may, by a digest of it. The digest is Codex' own business, so it is asked for; what
// is said counts for our hooks alone, and for this session.

import { spawn } from 'node:child_process';
import { codex, codexEvents } from '../../core/host/hooks/codexHooks.ts';
import { record } from './agentPlan.ts';
import type { HostPlace } from './agentPlan.ts';

type Place = Pick<HostPlace, 'hooks' | 'source'>;

export interface CodexCommand {
	readonly command: string;
	/** The options that say which configuration counts. */
	readonly configuration: readonly string[];
	readonly folder: string;
	readonly environment: Readonly<Record<string, string | undefined>>;
}

const heldSeconds = 3600;
/** The answer goes out before Codex stops waiting for it. */
const marginSeconds = 5;
/** Codex gives the end of a session three seconds at the most. */
const toldSeconds = 3;
const heldEvents: ReadonlySet<string> = new Set(['PreToolUse', 'PostToolUse']);
const patienceMs = 20_000;

/** The options that make Codex tell the host what it does; a sentence why it will not. */
export async function codexHookOptions(agent: CodexCommand, place: Place): Promise<readonly string[] | string> {
	if (process.platform === 'win32') return 'Its hooks are left out: how it starts them on Windows was not tried out.';
	if (agent.configuration.some((option) => /^hooks\b/.test(option)))
		return 'Its hooks are left out: its command line has hooks of its own.';
	const options = codexEvents.flatMap((event) => ['-c', `hooks.${event}=${definitionOf(event, place)}`]);
	const listed = await listHooks(agent, options);
	const ours = (listed ?? []).filter(({ source, command }) => source === 'sessionFlags' && isOurs(command, place));
	const trusted = ours.flatMap(({ key, currentHash }) =>
		typeof key === 'string' && typeof currentHash === 'string'
			? [`${toml(key)}={trusted_hash=${toml(currentHash)}}`]
			: [],
	);
	if (trusted.length === 0)
		return 'Its hooks are left out: it does not tell which there are (codex app-server, hooks/list).';
	return [...options, '-c', `hooks.state={${trusted.join(',')}}`];
}

function definitionOf(event: string, place: Place): string {
	const isHeld = heldEvents.has(event);
	const hold = isHeld ? ['--hold', String(heldSeconds - marginSeconds)] : [];
	const timeout = isHeld ? heldSeconds : toldSeconds;
	return `[{hooks=[{type="command",command=${toml(commandOf(place, hold))},timeout=${timeout}}]}]`;
}

function commandOf({ hooks: { launcher, dataDirectory }, source }: Place, more: readonly string[]): string {
	const { command, args, env } = launcher;
	const set = Object.entries(env).map(([name, value]) => `${name}=${quoted(value)}`);
	const of = source === undefined ? [] : ['--source', source];
	const words = [command, ...args, 'hook', codex, '--data', dataDirectory, ...of, ...more];
	return [...set, ...words.map(quoted)].join(' ');
}

function isOurs(command: unknown, place: Place): boolean {
	return typeof command === 'string' && command.startsWith(commandOf(place, []));
}

/** For the shell that starts it. */
function quoted(text: string): string {
	return /^[\w./:@=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A basic string of TOML; JSON's escapes are among its own. */
function toml(text: string): string {
	return JSON.stringify(text).replaceAll('\u007F', '\\u007F');
}

type Json = Readonly<Record<string, unknown>>;

/** Every hook that counts in the folder, as Codex itself sees it; `undefined`: it does not say. */
async function listHooks(agent: CodexCommand, options: readonly string[]): Promise<readonly Json[] | undefined> {
	return new Promise((resolve) => {
		const child = spawn(agent.command, [...agent.configuration, ...options, 'app-server'], {
			cwd: agent.folder,
			// `undefined` leaves a variable out.
			env: { ...agent.environment },
			stdio: ['pipe', 'pipe', 'ignore'],
			windowsHide: true,
		});
		const done = (hooks: readonly Json[] | undefined) => {
			clearTimeout(timer);
			child.kill();
			resolve(hooks);
		};
		const timer = setTimeout(() => done(undefined), patienceMs);
		// It has ended, or was never started: another version, or none.
		child.on('error', () => done(undefined));
		child.on('exit', () => done(undefined));
		child.stdin.on('error', () => done(undefined));
		const send = (message: Json) => child.stdin.write(`${JSON.stringify(message)}\n`);
		let rest = '';
		child.stdout.setEncoding('utf8').on('data', (text: string) => {
			const lines = (rest + text).split('\n');
			rest = lines.pop() ?? '';
			for (const message of lines.map(messageIn)) {
				if (message?.['id'] === 1) {
					send({ method: 'initialized' });
					send({ id: 2, method: 'hooks/list', params: { cwds: [agent.folder] } });
				} else if (message?.['id'] === 2) done(hooksIn(message));
			}
		});
		send({ id: 1, method: 'initialize', params: { clientInfo: { name: 'crosstalk', version: '0' } } });
	});
}

function messageIn(line: string): Json | undefined {
	try {
		return record(JSON.parse(line));
	} catch {
		// Something that it prints.
		return undefined;
	}
}

function hooksIn(message: Json): readonly Json[] | undefined {
	const folders: unknown = record(message['result'])?.['data'];
	if (!Array.isArray(folders)) return undefined;
	return folders.flatMap((folder: unknown) => {
		const hooks: unknown = record(folder)?.['hooks'];
		return Array.isArray(hooks) ? hooks.map(record).filter((hook) => hook !== undefined) : [];
	});
}
