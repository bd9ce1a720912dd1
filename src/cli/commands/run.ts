import { randomUUID } from 'node:crypto';
import { agentOfCommand } from '../../core/debug/agentPrograms.ts';
import type { AgentProgram } from '../../core/debug/agentPrograms.ts';
import { declaredIntents } from '../../core/host/agentIdentity.ts';
import type { DeclaredIntent } from '../../core/host/agentIdentity.ts';
import { printable } from '../../core/report/index.ts';
import { attachOrStart } from '../../platform/node/host/attach.ts';
import type { FaultDefinition } from '../../core/host/faults/index.ts';
import { placeAt } from '../../platform/node/host/hooks/hookTarget.ts';
import type { ScopeSettings } from '../../core/scope/index.ts';
import { readScopeConfig } from '../../platform/node/host/serverConfigs.ts';
import { dataDirectory } from '../dataOption.ts';
import { faultsOf, readFaultFile } from '../faults/readFaults.ts';
import { ownProgram } from '../ownProgram.ts';
import type { AgentPlan, Invocation } from '../run/agentPlan.ts';
import { planClaudeCode } from '../run/claudeCode.ts';
import { planCodex } from '../run/codex.ts';
import { connectDebugger } from '../run/debuggerLink.ts';
import type { DebuggerLink } from '../run/debuggerLink.ts';
import { assertStarts, runInForeground } from '../run/foreground.ts';
import { HostKeeper } from '../run/hostKeeper.ts';
import { RunFolder, isProcessRunning } from '../run/runFolder.ts';
import type { Command, CommandIo } from '../io.ts';
import { UsageError, absolutePath, oneOf, parseOptions } from '../usage.ts';

const help = `Usage: crosstalk run [options] [--] <agent command…>

Runs claude or codex so that its MCP servers are shared through the host and its hooks tell the host
which agent makes which call. Nothing is written into any configuration: names, permissions and
everything else stay as they are, and so does the terminal.

Options:
  --as AGENT     claude or codex, for a command of another name
  --env NAME     Every server of this run gets this variable of your environment; NAME=VALUE sets one.
                 May be given several times. Servers of the host get few variables by themselves
  --headless, --interactive, --scheduled
                 Who calls, where scopes are held to by that (default: headless for claude -p and codex
                 exec, and where there is no terminal)
  --scope FILE   What to do with calls of this run that do not say where to look: "scope", with comments
  --fault FAULT  Something that goes wrong on purpose with calls of this run, as in crosstalk fault --help.
                 May be given several times; armed for as long as the run takes
  --faults FILE  The same from a file: a list, or an object with "faults"
  --hooks        Codex tells the host what it does, too, and its calls can be stopped there. Each event
                 starts a program, which takes a tenth of a second; a debugger adds this by itself.
                 Claude Code always does so, at no cost
  --data DIR     The data directory of the host
  --debugger SOCKET
                 The debugger that has started this run: it is told of the session and of the end, and the
                 agent waits for it to be ready. A debugger adds this by itself
  --help         This text

Exit code: that of the agent; 2 could not run.
`;

export const run: Command = {
	help,
	ownArguments: (args) => args.slice(0, commandStart(args)),
	async run(args, io) {
		const start = commandStart(args);
		const options = readOptions(args.slice(0, start), io);
		const link = options.debugger === undefined ? undefined : await connectDebugger(options.debugger);
		try {
			const exitCode = await runAgent(args, start, options, link, io);
			await link?.end({ type: 'ended', exitCode });
			return exitCode;
		} catch (error) {
			const message = error instanceof Error ? error.message : String(error);
			await link?.end({ type: 'failed', message });
			throw error;
		} finally {
			link?.dispose();
		}
	},
};

async function runAgent(
	args: readonly string[],
	start: number,
	options: RunOptions,
	link: DebuggerLink | undefined,
	io: CommandIo,
): Promise<number> {
	const [command, ...rest] = args[start] === '--' ? args.slice(start + 1) : args.slice(start);
	if (command === undefined) throw new UsageError('The command of an agent is needed.');
	const agent = options.agent ?? agentOf(command);
	const invocation: Invocation = {
		command,
		args: rest,
		workingFolder: io.workingFolder,
		homeFolder: io.homeFolder,
		environment: agentEnvironment(io.environment),
		isTerminal: io.stdout.isTerminal,
		serverVariables: options.serverVariables,
		hasHooks: options.hasHooks,
	};
	const plan = await (agent === 'claude' ? planClaudeCode(invocation) : planCodex(invocation));
	if (plan === undefined) {
		if (link !== undefined)
			throw new UsageError(`"${[command, ...rest].join(' ')}" starts no session that could be debugged.`);
		return runInForeground({ ...invocation });
	}
	// Remarks about a program that is not there would be in the way, and a host would be started for nothing.
	if (!plan.hasAnswered) await assertStarts(invocation);
	for (const note of plan.notes) io.stderr.write(`crosstalk: ${command}: ${printable(note)}\n`);
	return runThroughHost({ plan, invocation, options, link, io });
}

interface Run {
	readonly plan: AgentPlan;
	readonly invocation: Invocation;
	readonly options: RunOptions;
	readonly link: DebuggerLink | undefined;
	readonly io: CommandIo;
}

async function runThroughHost({ plan, invocation, options, link, io }: Run): Promise<number> {
	const program = ownProgram(io);
	const { dataDirectory: directory } = options;
	const source = `run-${randomUUID()}`;
	const scopes = options.scope === undefined ? undefined : await scopesIn(options.scope, io);
	const { faultFile } = options;
	const inFile = faultFile === undefined ? [] : await readFaultFile(absolutePath(io, faultFile), faultFile);
	const faults = [...options.faults, ...inFile];
	// What was said in words counts; then the agent's own command line; then whether anybody is there to see it.
	const hasSource = scopes !== undefined || faults.length > 0 || link !== undefined;
	const intent = options.intent ?? (plan.isHeadless || !invocation.isTerminal ? 'headless' : 'interactive');
	const keeper = await HostKeeper.begin({
		attach: async () => attachOrStart({ directory, client: 'crosstalk run', program }),
		source,
		servers: plan.servers,
		scopes,
		faults,
	});
	try {
		const folder = await RunFolder.create(keeper.address.dataDir, isProcessRunning);
		try {
			const launch = await plan.launch({
				address: keeper.address,
				names: keeper.names,
				connect: {
					command: program.command,
					args: [
						...[...program.args, 'connect', '--data', keeper.address.dataDir, '--intent', intent],
						...(hasSource ? ['--source', source] : []),
					],
					environment: program.environment,
				},
				source: hasSource ? source : undefined,
				hooks: await placeAt(keeper.address, {
					command: program.command,
					args: program.args,
					env: program.environment,
				}),
				write: (name, text) => folder.write(name, text),
			});
			for (const remark of launch.remarks ?? [])
				io.stderr.write(`crosstalk: ${invocation.command}: ${printable(remark)}\n`);
			await link?.begin({
				dataDirectory: keeper.address.dataDir,
				pid: process.pid,
				sessionId: launch.sessionId ?? null,
				source,
			});
			return await runInForeground({
				...invocation,
				args: launch.args,
				environment: { ...invocation.environment, ...launch.environment },
				terminated: link?.terminated,
				isOutputRelayed: link !== undefined && !invocation.isTerminal,
			});
		} finally {
			await folder.remove();
		}
	} finally {
		await keeper.end();
	}
}

async function scopesIn(path: string, io: CommandIo): Promise<ScopeSettings> {
	const { scopes = {}, problems } = await readScopeConfig(path);
	for (const { line, message } of problems)
		io.stderr.write(`crosstalk: ${printable(`${path}:${line}: ${message}`)}\n`);
	return scopes;
}

/** An editor that stands in for Node is told so by a variable, which would make Node of every Electron that the agent starts. */
function agentEnvironment(environment: CommandIo['environment']): CommandIo['environment'] {
	if (process.versions['electron'] === undefined) return environment;
	return Object.fromEntries(Object.entries(environment).filter(([name]) => name !== 'ELECTRON_RUN_AS_NODE'));
}

/** Where the agent's command begins: at the first word that is no option, or at `--`. */
function commandStart(args: readonly string[]): number {
	let index = 0;
	while (index < args.length) {
		const word = args[index] ?? '';
		if (word === '--' || !word.startsWith('-')) break;
		index += optionsWithValue.has(word) ? 2 : 1;
	}
	return index;
}

const optionsWithValue = new Set(['--as', '--env', '--data', '--scope', '--fault', '--faults', '--debugger']);

interface RunOptions {
	readonly agent: AgentProgram | undefined;
	readonly serverVariables: Readonly<Record<string, string>>;
	readonly hasHooks: boolean;
	readonly dataDirectory: string;
	readonly intent: DeclaredIntent | undefined;
	/** Absolute. */
	readonly scope: string | undefined;
	/** A path, or the name of a pipe on Windows. */
	readonly debugger: string | undefined;
	readonly faults: readonly FaultDefinition[];
	/** As the person gave it. */
	readonly faultFile: string | undefined;
}

function readOptions(args: readonly string[], io: CommandIo): RunOptions {
	const { values } = parseOptions(args, {
		as: { type: 'string' },
		env: { type: 'string', multiple: true },
		data: { type: 'string' },
		scope: { type: 'string' },
		fault: { type: 'string', multiple: true },
		faults: { type: 'string' },
		hooks: { type: 'boolean' },
		interactive: { type: 'boolean' },
		headless: { type: 'boolean' },
		scheduled: { type: 'boolean' },
		debugger: { type: 'string' },
	});
	const [intent, ...others] = declaredIntents.filter((known) => values[known] === true);
	if (others.length > 0) throw new UsageError(`--${intent} and --${others.join(' and --')} exclude each other.`);
	const serverVariables: Record<string, string> = {};
	for (const variable of values.env ?? []) {
		const [name = '', ...rest] = variable.split('=');
		const value = rest.length > 0 ? rest.join('=') : io.environment[name];
		if (name === '' || value === undefined) throw new UsageError(`--env: there is no variable "${variable}".`);
		serverVariables[name] = value;
	}
	return {
		agent: values.as === undefined ? undefined : oneOf('--as', values.as, ['claude', 'codex']),
		serverVariables,
		hasHooks: values.hooks === true || values.debugger !== undefined,
		dataDirectory: dataDirectory(io, values.data),
		intent,
		scope: values.scope === undefined ? undefined : absolutePath(io, values.scope),
		debugger: values.debugger,
		faults: faultsOf(values.fault ?? [], '--fault '),
		faultFile: values.faults,
	};
}

function agentOf(command: string): AgentProgram {
	const agent = agentOfCommand(command);
	if (agent !== undefined) return agent;
	throw new UsageError(
		`"${command}" is neither claude nor codex; if it is one of them by another name, say so with --as.`,
	);
}
