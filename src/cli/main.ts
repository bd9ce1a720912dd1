import { readFile } from 'node:fs/promises';
import { ExpectedError } from '../core/base/errors.ts';
import { didYouMean } from '../core/base/nearest.ts';
import type { Command, CommandIo } from './io.ts';
import { UsageError } from './usage.ts';

// Loaded when they are asked for: `--version` must not wait for readers.
const commands: Readonly<Record<string, (args: readonly string[], io: CommandIo) => Promise<Command>>> = {
	lint: async (args, io) => {
		if (!args.includes('--watch') && !args.includes('--help')) (await import('./threads.ts')).warmThreads(io, args);
		return (await import('./commands/lint.ts')).lint;
	},
	show: async () => (await import('./commands/show.ts')).show,
	sessions: async () => (await import('./commands/sessions.ts')).sessions,
	save: async () => (await import('./commands/save.ts')).save,
	compare: async () => (await import('./commands/compare.ts')).compare,
	replay: async () => (await import('./commands/replay.ts')).replay,
	host: async () => (await import('./commands/host.ts')).host,
	connect: async () => (await import('./commands/connect.ts')).connect,
	status: async () => (await import('./commands/status.ts')).status,
	run: async () => (await import('./commands/run.ts')).run,
	fault: async () => (await import('./commands/fault.ts')).fault,
	debug: async () => (await import('./commands/debug.ts')).debug,
	import: async () => (await import('./commands/import.ts')).importServers,
	restore: async () => (await import('./commands/restore.ts')).restore,
	hooks: async () => (await import('./commands/hooks.ts')).hooks,
	hook: async () => (await import('./commands/hook.ts')).hook,
	simulate: async () => (await import('./commands/simulate.ts')).simulate,
};

const help = `Usage: crosstalk <command> [options]

Shows who did what in a multi-agent session, which tool calls are answered, and what is broken.

Commands:
  lint [path…]            Report what is wrong with transcripts
  show <path|session-id>  Print a conversation as a tree
  sessions [root…]        List the sessions that agents have written
  save <session>          Save a session as one file that can be opened elsewhere
  compare <A> <B>         What differs between two runs
  replay <session>        Make the calls of a session again on real servers, and compare the results
  host                    Run the MCP host that agents share
  connect <server>        Be one of the host's MCP servers, on stdio
  status                  What the host is doing
  run <agent command…>    Run claude or codex with its MCP servers shared through the host
  fault                   Make things go wrong on purpose, and replay known bugs
  debug                   The debug adapter, for an editor that starts it
  import                  Route the MCP servers of your agents through the host
  restore                 Take back what import has done
  hooks <what>            Have agents tell the host what they do: install, remove, status
  simulate                Compare four ways to keep the state of sessions

Options:
  --help     Help, also for each command
  --version  The version

Exit code: 0 done or clean, 1 findings, 2 could not run.
`;

/** Runs one command and gives its exit code. Everything it reads and writes goes through `io`. */
export async function main(args: readonly string[], io: CommandIo): Promise<number> {
	const [name, ...rest] = args;
	const command = name !== undefined && Object.hasOwn(commands, name) ? name : undefined;
	try {
		if (name === '--version' || name === '-v') {
			io.stdout.write(`${await versionOf(io)}\n`);
			return 0;
		}
		// As people ask other programs for it.
		if (name === 'help' && rest[0] !== undefined) return await main([rest[0], '--help'], io);
		if (name === '--help' || name === '-h' || name === 'help') {
			io.stdout.write(help);
			return 0;
		}
		const load = command === undefined ? undefined : commands[command];
		if (load === undefined) {
			if (name === undefined) io.stderr.write(help);
			else
				throw new UsageError(
					name.startsWith('-')
						? `There is no option ${name}.${didYouMean(name, ['--help', '--version'])}`
						: `There is no command "${name}".${didYouMean(name, Object.keys(commands))}`,
				);
			return 2;
		}
		const loaded = await load(rest, io);
		const own = loaded.ownArguments?.(rest) ?? rest;
		if (own.includes('--help') || own.includes('-h')) {
			io.stdout.write(loaded.help);
			return 0;
		}
		return await loaded.run(rest, io);
	} catch (error) {
		return failed(error, command, io);
	}
}

export async function versionOf(io: CommandIo): Promise<string> {
	const { version } = await manifestOf(io);
	return typeof version === 'string' ? version : 'unknown';
}

async function manifestOf(io: CommandIo): Promise<Readonly<Record<string, unknown>>> {
	// Our own manifest is an object; its fields are looked at before use.
	return JSON.parse(await readFile(new URL('package.json', io.installation), 'utf8')) as Record<string, unknown>;
}

async function failed(problem: unknown, command: string | undefined, io: CommandIo): Promise<number> {
	// The person has stopped it, or nobody reads on: there is nothing to tell.
	if (io.signal.aborted) return 2;
	if (problem instanceof ExpectedError) {
		const { printableLines } = await import('../core/report/index.ts');
		// Several sentences, or a list below one.
		for (const line of printableLines(problem.message).split('\n')) {
			io.stderr.write(line.startsWith(' ') ? `${line}\n` : `crosstalk: ${line}\n`);
		}
		if (problem instanceof UsageError)
			io.stderr.write(`Try: crosstalk ${command === undefined ? '' : `${command} `}--help\n`);
		return 2;
	}
	const stack = problem instanceof Error ? (problem.stack ?? problem.message) : String(problem);
	io.stderr.write(
		`${stack}\n\nThis is a bug in Crosstalk. Please report it, with the lines above${await reportTo(io)}.\n`,
	);
	return 2;
}

async function reportTo(io: CommandIo): Promise<string> {
	try {
		const { version, bugs, homepage } = await manifestOf(io);
		const url = typeof bugs === 'object' && bugs !== null && 'url' in bugs ? bugs.url : homepage;
		const place = typeof url === 'string' ? url : 'the issue tracker of the repository that you got it from';
		return ` and the version ${String(version)}, to ${place}`;
	} catch {
		// The manifest may be the very thing that is broken.
		return ', to the issue tracker of the repository that you got it from';
	}
}
