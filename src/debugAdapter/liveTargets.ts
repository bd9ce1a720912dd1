// How live targets come to be: an agent is launched under the debugger, or the host that runs is attached to.

import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { ExpectedError } from '../core/base/errors.ts';
import { storedSessionId } from '../core/base/ids.ts';
import type { SessionId } from '../core/base/ids.ts';
import { agentOfCommand } from '../core/debug/agentPrograms.ts';
import { faultWord } from '../core/host/faults/index.ts';
import type { AttachConfiguration, LaunchConfiguration, LiveTargets, TargetClient } from './debugTarget.ts';
import type { HostLink, LiveAccess } from './hostLink.ts';
import { LaunchedRun } from './launchedRun.ts';
import { LiveTarget } from './liveTarget.ts';
import { LiveTranscripts } from './liveTranscripts.ts';

const clientName = 'the debugger';

export function createLiveTargets(access: LiveAccess): LiveTargets {
	const told = (target: LiveTarget) => {
		access.onDidCreate?.(target);
		return target;
	};
	return {
		launch: async (configuration, client, signal) => told(await launch(access, configuration, client, signal)),
		attach: async (configuration, _client, signal) => told(await attach(access, configuration, signal)),
	};
}

async function attach(
	access: LiveAccess,
	{ data, sessions, stopOnEntry }: AttachConfiguration,
	signal: AbortSignal,
): Promise<LiveTarget> {
	const link = await access.attach(data);
	if (link === undefined)
		throw new ExpectedError(
			'No host is running. Run an agent through Crosstalk first (crosstalk run -- claude), or launch one in the debugger.',
		);
	try {
		signal.throwIfAborted();
		const watched = sessions.length === 0 ? null : await chosenSessions(link, sessions);
		const { isReadOnly, reason } = await link.request('debug/attach', { client: clientName, sessions: watched });
		return new LiveTarget({
			link,
			sessions: watched,
			readOnlyReason: isReadOnly ? (reason ?? 'Another debugger has these sessions.') : undefined,
			transcripts: new LiveTranscripts(access),
			run: undefined,
			stopOnEntry,
			storedCalls: access.storedCalls?.(link.dataDirectory),
			onError: (error) => access.onError(error),
		});
	} catch (error) {
		link.dispose();
		throw error;
	}
}

/** By their ids or the beginnings of those; one that is complete may begin later. */
async function chosenSessions(link: HostLink, wanted: readonly string[]): Promise<readonly SessionId[]> {
	const known = (await link.status()).sessions.map(({ id }) => id);
	return wanted.flatMap((words) => {
		const found = known.filter((id) => id.startsWith(words) || id.slice(id.indexOf(':') + 1).startsWith(words));
		if (found.length > 0) return found.map(storedSessionId);
		if (/^[a-z-]+:[\da-f-]{32,}$/i.test(words)) return [storedSessionId(words)];
		throw new ExpectedError(`The host knows no session "${words}".`);
	});
}

async function launch(
	access: LiveAccess,
	configuration: LaunchConfiguration,
	client: TargetClient,
	signal: AbortSignal,
): Promise<LiveTarget> {
	const agent = configuration.as ?? agentOfCommand(configuration.program);
	if (agent === undefined)
		throw new ExpectedError(
			`"${configuration.program}" is no agent that Crosstalk knows how to debug: it is neither claude nor codex. If it is one of them by another name, say so with "as".`,
		);
	if (agent === 'codex' && configuration.mcpConfig !== undefined)
		throw new ExpectedError(
			'Codex takes its MCP servers from its config.toml alone; "mcpConfig" is for Claude Code.',
		);
	const { files } = access.platform;
	const { cwd, mcpConfig } = configuration;
	if (cwd !== undefined && (await files.stat(cwd))?.isDirectory !== true)
		throw new ExpectedError(`"cwd": there is no folder ${cwd}.`);
	if (mcpConfig !== undefined && (await files.stat(resolve(cwd ?? '', mcpConfig))) === undefined)
		throw new ExpectedError(`"mcpConfig": there is no file ${mcpConfig}.`);
	const link = await access.attachOrStart(configuration.data, signal);
	let run: LaunchedRun | undefined;
	try {
		run = await LaunchedRun.create();
		const output: { print: ((text: string) => void) | undefined; waiting: string[] } = {
			print: undefined,
			waiting: [],
		};
		await startRun(access, configuration, { client, link, run, output });
		const { sessionId, source } = await aborted(run.begun, signal);
		const { isReadOnly, reason } = await link.request('debug/attach', {
			client: clientName,
			// An agent may name its session only when it begins, and begin another one: what tells of it says that it is of this run.
			sessions: sessionId === null ? [] : [sessionId],
			source,
			hasWholeSessions: agent === 'claude',
		});
		const environment = { ...access.environment, ...givenEnvironment(configuration) };
		const target = new LiveTarget({
			link,
			sessions: sessionId === null ? [] : [sessionId],
			readOnlyReason: isReadOnly ? (reason ?? 'Another debugger has this session.') : undefined,
			transcripts: new LiveTranscripts({
				...access,
				environment,
				homeFolder: environment['HOME'] ?? access.homeFolder,
			}),
			run,
			stopOnEntry: configuration.stopOnEntry,
			storedCalls: access.storedCalls?.(link.dataDirectory),
			onError: (error) => access.onError(error),
		});
		output.print = (text) => target.printProgram(text);
		for (const text of output.waiting) target.printProgram(text);
		return target;
	} catch (error) {
		link.dispose();
		run?.terminate();
		await run?.dispose();
		throw error;
	}
}

interface Start {
	readonly client: TargetClient;
	readonly link: HostLink;
	readonly run: LaunchedRun;
	/** Takes what the program prints, where it has no terminal. */
	readonly output: { print: ((text: string) => void) | undefined; readonly waiting: string[] };
}

async function startRun(
	{ program }: LiveAccess,
	configuration: LaunchConfiguration,
	{ client, link, run, output }: Start,
): Promise<void> {
	const { cwd = process.cwd(), env } = configuration;
	const args = [
		program.command,
		...program.args,
		'run',
		'--data',
		link.dataDirectory,
		'--debugger',
		run.address,
		...(configuration.as === undefined ? [] : ['--as', configuration.as]),
		...configuration.faults.flatMap((fault) => ['--fault', faultWord(fault)]),
		'--',
		configuration.program,
		...(configuration.mcpConfig === undefined ? [] : [`--mcp-config=${configuration.mcpConfig}`]),
		...configuration.args,
	];
	const environment = { ...env, ...program.environment };
	if (configuration.console !== 'internalConsole' && client.runInTerminal !== undefined) {
		await client.runInTerminal({
			title: `Crosstalk: ${configuration.program}`,
			cwd,
			args,
			env: environment,
			isIntegrated: configuration.console === 'integratedTerminal',
		});
		return;
	}
	// Nobody can type anything there: an agent that asks a person is told that there is none.
	const [command = '', ...rest] = args;
	const inherited = { ...process.env };
	for (const [name, value] of Object.entries(environment)) {
		if (value === null) delete inherited[name];
		else inherited[name] = value;
	}
	const child = spawn(command, rest, { cwd, env: inherited, stdio: ['ignore', 'pipe', 'pipe'] });
	child.once('error', (error) => run.fail(`Crosstalk cannot be started with ${command}: ${error.message}.`));
	const take = (text: string) => {
		if (output.print === undefined) output.waiting.push(text);
		else output.print(text);
	};
	child.stdout.setEncoding('utf8').on('data', take);
	child.stderr.setEncoding('utf8').on('data', take);
}

function givenEnvironment({ env }: LaunchConfiguration): Readonly<Record<string, string | undefined>> {
	return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value ?? undefined]));
}

async function aborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
	signal.throwIfAborted();
	const { promise: abort, reject } = Promise.withResolvers<never>();
	const stop = () => reject(signal.reason instanceof Error ? signal.reason : new Error('Aborted'));
	signal.addEventListener('abort', stop, { once: true });
	try {
		return await Promise.race([promise, abort]);
	} finally {
		signal.removeEventListener('abort', stop);
	}
}
