import { ExpectedError } from '../core/base/errors.ts';
import type { Core, ReadSession } from '../core/core.ts';
import { printable } from '../core/report/index.ts';
import { pathsOf, withRecordings } from '../core/transcripts/sessionFiles.ts';
import type { SessionFiles } from '../core/transcripts/sessionFiles.ts';
import type { TranscriptFormatId } from '../core/transcripts/transcriptFormat.ts';
import { findRecordings } from '../platform/node/store/recordings.ts';
import type { CommandIo } from './io.ts';
import { findEverywhere, findTargets } from './targets.ts';
import { namedPath } from './usage.ts';

/**
 * The one session that a person means by a path or by an id, with what hosts have recorded of it.
 * @throws ExpectedError when there is none, or more than one.
 */
export async function namedSession(
	core: Core,
	io: CommandIo,
	what: string,
	{ as, data }: { readonly as: TranscriptFormatId | undefined; readonly data: string },
): Promise<SessionFiles> {
	const path = namedPath(io, what);
	return (await isThere(io, path))
		? withRecording(await sessionAt(core, io, path, as), io, data)
		: sessionById(core, io, what, data);
}

/**
 * Whether there is a file or a folder at a path.
 * @throws ExpectedError, with the path, when the system does not let us look.
 */
export async function isThere(io: CommandIo, path: string): Promise<boolean> {
	try {
		return (await io.platform.files.stat(path)) !== undefined;
	} catch (error) {
		if (error instanceof ExpectedError) throw new ExpectedError(`${printable(path)}: ${error.message}`);
		throw error;
	}
}

async function sessionAt(
	core: Core,
	io: CommandIo,
	path: string,
	as: TranscriptFormatId | undefined,
): Promise<SessionFiles> {
	const { targets, unread } = await findTargets(core, io, [path], as);
	const [first, ...more] = targets;
	if (first === undefined)
		throw new ExpectedError(
			`${printable(path)}: ${unread[0]?.problems[0]?.message ?? 'There is no transcript in this folder.'}`,
		);
	if (more.length > 0)
		throw new ExpectedError(
			`There are ${targets.length} sessions in ${printable(path)}; name one of them:\n${listed(targets.map(({ session }) => session))}`,
		);
	// What lies beside a transcript and could not be looked at may be its subagents.
	for (const { path: unreadPath, problems } of unread) {
		for (const { message } of problems) io.stderr.write(`crosstalk: ${printable(unreadPath)}: ${message}\n`);
	}
	return first.session;
}

/**
 * Says on stderr which files of a session could not be read whole: what a command makes of the rest is not the whole truth.
 * @throws ExpectedError when nothing of it could be read.
 */
export function sayUnread(io: CommandIo, { readings }: ReadSession): void {
	if (readings.every(({ lines, problem }) => lines === 0 && problem !== undefined))
		throw new ExpectedError(readings[0]?.problem ?? 'Nothing could be read.');
	for (const { path, problem } of readings) {
		if (problem !== undefined) io.stderr.write(`crosstalk: ${printable(path)}: ${problem}\n`);
	}
}

/** What a host has recorded of a session is shown with it; that it cannot be read is no reason not to show the rest. */
async function withRecording(session: SessionFiles, io: CommandIo, data: string): Promise<SessionFiles> {
	try {
		return withRecordings([session], await findRecordings(data))[0] ?? session;
	} catch (error) {
		if (!(error instanceof ExpectedError)) throw error;
		io.stderr.write(`crosstalk: ${printable(error.message)}\n`);
		return session;
	}
}

/** What people call a session by: with the name of its format, and without. */
function namesOf({ format, nativeId }: SessionFiles): readonly string[] {
	const own = [nativeId, `${format}:${nativeId}`];
	// The id of one that only the host knows names the agent itself.
	return format === 'host' ? [...own, nativeId.slice(nativeId.indexOf(':') + 1)] : own;
}

async function sessionById(core: Core, io: CommandIo, id: string, data: string): Promise<SessionFiles> {
	const session = await knownSession(core, io, id, data);
	if (session === undefined) throw new ExpectedError(`There is neither a file nor a session "${printable(id)}".`);
	return session;
}

/**
 * The one session on this machine that a person means by an id or by the beginning of one.
 * @throws ExpectedError when there is more than one.
 */
export async function knownSession(
	core: Core,
	io: CommandIo,
	id: string,
	data: string,
): Promise<SessionFiles | undefined> {
	const { sessions, problems } = await findEverywhere(core, io, data);
	const exact = sessions.filter((session) => namesOf(session).includes(id));
	const candidates =
		exact.length > 0 ? exact : sessions.filter((session) => namesOf(session).some((name) => name.startsWith(id)));
	const [first, ...more] = candidates;
	for (const { path, message } of problems) {
		// That of the data directory says itself where it is. What else could not be read matters where nothing else is the session.
		if (path === data) io.stderr.write(`crosstalk: ${printable(message)}\n`);
		else if (first === undefined) io.stderr.write(`crosstalk: ${printable(path)}: ${message}\n`);
	}
	if (more.length > 0)
		throw new ExpectedError(
			`"${printable(id)}" may be one of ${candidates.length} sessions; name one of them:\n${listed(candidates)}`,
		);
	return first;
}

const mostListed = 20;

function listed(sessions: readonly SessionFiles[]): string {
	const lines = sessions
		.slice(0, mostListed)
		.map((session) => `  ${session.nativeId}  ${printable(pathsOf(session)[0] ?? '')}`);
	if (sessions.length > mostListed) lines.push(`  and ${sessions.length - mostListed} more`);
	return lines.join('\n');
}
