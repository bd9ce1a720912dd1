import { join } from 'node:path';
import { ExpectedError } from '../../core/base/errors.ts';
import { didYouMean } from '../../core/base/nearest.ts';
import { sessionId, storedSessionId } from '../../core/base/ids.ts';
import type { SessionId } from '../../core/base/ids.ts';
import { counted } from '../../core/base/text.ts';
import type { FaultStatus } from '../../core/host/faults/index.ts';
import { misspeltServers, serverOfPattern } from '../../core/host/misspeltServers.ts';
import { formatJson, printable } from '../../core/report/index.ts';
import { attach } from '../../platform/node/host/attach.ts';
import { requestFaults } from '../../platform/node/host/faultRequests.ts';
import type { ControlClient } from '../../platform/node/host/controlClient.ts';
import { dataDirectory } from '../dataOption.ts';
import { faultTable } from '../faults/faultTable.ts';
import { faultsOf } from '../faults/readFaults.ts';
import type { Command, CommandIo } from '../io.ts';
import { presetNames } from '../practice/presetNames.ts';
import { UsageError, absolutePath, oneOf, parseOptions } from '../usage.ts';

const help = `Usage: crosstalk fault arm <fault…> --session ID [options]
       crosstalk fault list [options]
       crosstalk fault disarm <id…>|--all [options]
       crosstalk fault preset cascade|compaction|scope [options]

Makes things go wrong on purpose, for one session and nobody else, or replays one of three known bugs.
A fault is a kind and what else there is to say, in one word: hang,tool=chat/*,every=3

Kinds:
  delay     The call reaches its server later (ms=1000)
  hang      The server never gets it and never answers
  error     It is answered with an error (message=TEXT, code=NUMBER for one of the protocol)
  drop      It is carried out, and the answer is lost
  kill      The server's process is killed while it runs (ms=50 after it was sent)
  tear      The connection breaks while it runs (ms=50)
  evict     The session of the store that it works on is put out of memory before (argument=session)
  twice     Its server gets it twice

Which calls:
  tool=GLOB   server/tool, or the agent's own name of it; agent=GLOB: the agent's id
  once        The first one that matches (this is so if nothing is said), or times=N
  every=N     Each so-manyth; probability=P,seed=N: by chance, the same for the same seed

Options:
  --session ID  The session whose calls are meant, as crosstalk status and crosstalk sessions show it, or the
                beginning of it; one that is still to begin in full, as in claude-code:ID. Of list: only
                what is armed for it
  --keep        They stay armed when this command ends; otherwise it goes on until it is stopped.
                No fault survives its host
  --all         Whatever is armed
  --out DIR     Where a preset leaves its sessions (default: practice/ in the data directory)
  --json        For programs
  --data DIR    The data directory of the host (default: the user's)
  --help        This text

Exit code: 0 done; 1 a preset has shown its bug; 2 could not run.
`;

const verbs = ['arm', 'list', 'disarm', 'preset'];

export const fault: Command = {
	help,
	async run(args, io) {
		const { values, positionals } = parseOptions(args, {
			session: { type: 'string' },
			keep: { type: 'boolean' },
			all: { type: 'boolean' },
			out: { type: 'string' },
			json: { type: 'boolean' },
			data: { type: 'string' },
		});
		const [verb, ...words] = positionals;
		const isJson = values.json === true;
		switch (verb) {
			case 'arm':
				if (values.session === undefined || values.session === '')
					throw new UsageError("Say whose calls are meant, with --session ID: nobody else's are touched.");
				if (words.length === 0) throw new UsageError('Say what is to go wrong, as in hang,tool=chat/*.');
				return withHost(io, values.data, async (client) =>
					arm(client, io, {
						faults: faultsOf(words, ''),
						session: await sessionNamed(io, values.session ?? '', dataDirectory(io, values.data)),
						isKept: values.keep === true,
						isJson,
					}),
				);
			case 'list':
				if (words.length > 0) throw new UsageError(`"${words[0]}" is one argument too many.`);
				if (values.session === '') throw new UsageError('The option --session needs a value.');
				return withHost(io, values.data, async (client) => {
					const armed = (await requestFaults(client, 'faults/list', {})).faults;
					const faults = values.session === undefined ? armed : armedFor(values.session, armed);
					io.stdout.write(isJson ? jsonOf({ version: 1, faults }) : listText(faults, values.session));
					return 0;
				});
			case 'disarm':
				if (values.session !== undefined)
					throw new UsageError('fault disarm takes no --session: name the faults by their ids.');
				if ((values.all === true) === words.length > 0)
					throw new UsageError('Say which faults are meant: their ids, or --all.');
				return withHost(io, values.data, async (client) => {
					const ids = values.all === true ? null : words;
					const { disarmed } = await requestFaults(client, 'faults/disarm', { ids });
					io.stdout.write(
						isJson ? jsonOf({ version: 1, disarmed }) : `${counted(disarmed, 'fault')} disarmed.\n`,
					);
					if (ids !== null && disarmed < ids.length)
						throw new ExpectedError(
							`${ids.length === 1 ? `${printable(ids[0] ?? '')} is not` : 'Some of these are not'} armed: crosstalk fault list shows what is.`,
						);
					return 0;
				});
			case 'preset': {
				if (values.session !== undefined)
					throw new UsageError('fault preset takes no --session: it plays sessions of its own.');
				const [name, extra] = words;
				if (name === undefined) throw new UsageError(`Say which preset: ${presetNames.join(', ')}.`);
				if (extra !== undefined) throw new UsageError(`"${extra}" is one argument too many.`);
				const { runPreset } = await import('../practice/presetCommand.ts');
				return runPreset(io, {
					name: oneOf('The preset', name, presetNames),
					out:
						values.out === undefined
							? join(dataDirectory(io, values.data), 'practice')
							: absolutePath(io, values.out),
					isJson,
				});
			}
			case 'serve':
				// For presets: their server is this program.
				return (await import('../practice/practiceServer.ts')).servePractice(io);
			case undefined:
				throw new UsageError(`Say what is to be done: ${verbs.join(', ')}.`);
			default:
				throw new UsageError(`"${verb}" is none of ${verbs.join(', ')}.${didYouMean(verb, verbs)}`);
		}
	},
};

interface Arming {
	readonly faults: ReturnType<typeof faultsOf>;
	readonly session: SessionId;
	readonly isKept: boolean;
	readonly isJson: boolean;
}

/**
 * The session that a person means, by the name that calls carry: `claude-code:…`, or `mcp:…` of a connection that does not say whose it is. One
 * that is still to begin can be named in full.
 */
async function sessionNamed(io: CommandIo, id: string, data: string): Promise<SessionId> {
	const [{ createCore }, { knownSession }] = await Promise.all([
		import('../../core/core.ts'),
		import('../namedSession.ts'),
	]);
	const known = await knownSession(createCore(io.platform), io, id, data);
	if (known !== undefined && known.format !== 'host') return sessionId(known.format, known.nativeId);
	// Ids of connections are counted up: one may be the beginning of another's.
	if (known !== undefined && !id.includes(':')) return storedSessionId(known.nativeId);
	if (!id.includes(':'))
		throw new ExpectedError(
			`There is no session "${printable(id)}"; crosstalk sessions shows those that there are. One that is still to begin is named in full, as in claude-code:ID.`,
		);
	return storedSessionId(id);
}

async function arm(client: ControlClient, io: CommandIo, arming: Arming): Promise<number> {
	const { faults, session, isKept, isJson } = arming;
	const armed = await requestFaults(client, 'faults/arm', {
		faults,
		target: { kind: 'session', sessionId: session },
		isKept,
		client: 'crosstalk fault',
	});
	io.stdout.write(isJson ? jsonOf({ version: 1, faults: armed.faults }) : listText(armed.faults));
	const { servers } = await client.request('host/status', {});
	const written = faults.flatMap(({ tool }) => (tool === undefined ? [] : (serverOfPattern(tool) ?? [])));
	const known = servers.map(({ name }) => name);
	for (const remark of misspeltServers(written, known)) io.stderr.write(`crosstalk: ${printable(remark)}\n`);
	if (isKept) return 0;
	io.stderr.write('crosstalk: Armed until this command is stopped.\n');
	const isEnded = await new Promise<boolean>((resolve) => {
		io.signal.addEventListener('abort', () => resolve(false), { once: true });
		if (io.signal.aborted) resolve(false);
		client.onDidClose(() => resolve(true));
	});
	if (isEnded) throw new ExpectedError('The host has ended, and with it what was armed.');
	return 0;
}

async function withHost(
	io: CommandIo,
	data: string | undefined,
	run: (client: ControlClient) => Promise<number>,
): Promise<number> {
	const directory = dataDirectory(io, data);
	const client = await attach({ directory, client: 'crosstalk fault' });
	if (client === undefined)
		throw new ExpectedError(
			`No host is running in ${printable(directory)}: there are no calls that something could go wrong with.`,
		);
	try {
		return await run(client);
	} finally {
		client.dispose();
	}
}

/** @param session The id of one, with its agent or without, or the beginning of it. */
function armedFor(session: string, faults: readonly FaultStatus[]): readonly FaultStatus[] {
	const among = (isMeant: (id: string) => boolean) =>
		faults.filter(({ target }) => target.kind === 'session' && isMeant(target.sessionId));
	// Ids of connections are counted up: one may be the beginning of another's.
	const exact = among((id) => id === session);
	if (exact.length > 0) return exact;
	return among((id) => id.startsWith(session) || id.slice(id.indexOf(':') + 1).startsWith(session));
}

function listText(faults: readonly FaultStatus[], session?: string): string {
	if (faults.length > 0) return faultTable(faults);
	return session === undefined ? 'Nothing is armed.\n' : `Nothing is armed for ${printable(session)}.\n`;
}

function jsonOf(value: unknown): string {
	return formatJson(value);
}
