import { readFile, readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { LivenessProbe, ProcessEvidence, SessionFacts } from '../../core/platform.ts';
import type { SessionFiles } from '../../core/transcripts/sessionFiles.ts';
import { addressFile, readAddress } from './host/dataDirectory.ts';
import { sessionOfRecording } from './store/recordingPaths.ts';
import { isErrno } from './errno.ts';
import { readRegularText } from './regularFile.ts';

/**
 * What this machine knows of the processes behind sessions. Claude Code registers each of its processes in `<home>/sessions/<pid>.json`
 * and leaves the file behind when it is killed; Codex holds the rollouts of its threads open for as long as it lives.
 */
export class NodeLivenessProbe implements LivenessProbe {
	async probe(session: SessionFiles, facts: SessionFacts): Promise<ProcessEvidence> {
		const evidence = await evidenceOf(session, facts);
		// A copy ends where it was made, perhaps in the middle of a call: neither its age nor that nobody writes it tells of the session.
		if (session.format !== 'host' && evidence.state !== 'live' && homeOf(session) === undefined) return outside;
		if (evidence.state !== 'unknown' || facts.lastEventAt === undefined) return evidence;
		const age = Date.now() - facts.lastEventAt;
		if (age < longestCall) return evidence;
		return {
			state: 'ended',
			evidence: `Nothing was written for ${Math.floor(age / 86_400_000)} days, and no call may take that long.`,
		};
	}
}

async function evidenceOf(session: SessionFiles, facts: SessionFacts): Promise<ProcessEvidence> {
	switch (session.format) {
		case 'claude-code':
			return probeClaudeCode(session, facts.agentVersion);
		case 'codex':
			return probeCodex(facts.paths);
		case 'host':
			return (await probeHooked(session, facts)) ?? probeHost(session.recordingPath ?? '', facts.lastEventAt);
	}
}

/** The process of an agent whose hooks a host has heard, and whose transcript is not there: they say where it writes, and so where it is registered. */
async function probeHooked(
	session: SessionFiles,
	{ transcriptPath }: SessionFacts,
): Promise<ProcessEvidence | undefined> {
	const [, nativeId] = /^claude-code:(.+)$/.exec(session.nativeId) ?? [];
	if (nativeId === undefined || transcriptPath === undefined) return undefined;
	const evidence = await probeClaudeCode(
		{ format: 'claude-code', nativeId, mainPath: transcriptPath, agents: [] },
		undefined,
	);
	return evidence.state === 'unknown' ? undefined : evidence;
}

/** Calls that only a host has seen live as long as that host. Of one that was killed and started anew the earlier calls are not its own. */
async function probeHost(path: string, lastEventAt: number | undefined): Promise<ProcessEvidence> {
	const recording = sessionOfRecording(path);
	const address = recording === undefined ? undefined : await readAddress(recording.directory);
	const ended: ProcessEvidence = { state: 'ended', evidence: 'No host is running in its data directory.' };
	if (recording === undefined || address === undefined || address.isStoreOnly === true) return ended;
	if (!isProcess(address.pid)) return ended;
	try {
		// The host that is ready says where it is, once.
		const { mtimeMs } = await stat(join(recording.directory, addressFile));
		const { pid } = address;
		if (lastEventAt !== undefined && lastEventAt < mtimeMs)
			return { state: 'ended', evidence: `Nothing of it has passed the host that runs now, process ${pid}.` };
		return { state: 'live', evidence: `The host, process ${pid}, is running.`, since: mtimeMs, pid };
	} catch {
		// It has been removed meanwhile.
		return ended;
	}
}

function isProcess(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return isErrno(error, 'EPERM');
	}
}

/** Claude Code gives an MCP call 100,000 s at most, unless it is told otherwise; nothing else waits longer. Doubled, to be on the safe side. */
const longestCall = 2 * 100_000_000;

interface RegisteredProcess {
	readonly pid: number;
	readonly sessionId: string;
	readonly startedAt: number | undefined;
	/** Linux: the start time in clock ticks, which tells a process from a later one with the same id. */
	readonly procStart: string | undefined;
	readonly pidDomain: string | undefined;
}

async function probeClaudeCode(session: SessionFiles, agentVersion: string | undefined): Promise<ProcessEvidence> {
	const home = homeOf(session);
	if (home === undefined) return outside;
	let names: string[];
	try {
		names = await readdir(join(home, 'sessions'));
	} catch {
		// Versions before the registry leave no trace of their processes.
		return unlisted;
	}
	let dead: RegisteredProcess | undefined;
	for (const name of names) {
		if (!/^\d+\.json$/.test(name)) continue;
		const registered = await readRegistration(join(home, 'sessions', name));
		if (registered === undefined || registered.sessionId !== session.nativeId) continue;
		if (!(await isOfThisMachine(registered))) {
			return {
				state: 'unknown',
				evidence: 'Its process runs, or ran, in another container or on another machine.',
			};
		}
		if (await isRunning(registered)) {
			return {
				state: 'live',
				evidence: `Its process ${registered.pid} is running.`,
				since: registered.startedAt,
				pid: registered.pid,
			};
		}
		dead = registered;
	}
	if (dead !== undefined) {
		return {
			state: 'ended',
			evidence: `Its process ${dead.pid} was killed: it is gone and has not signed off.`,
			pid: dead.pid,
		};
	}
	if (agentVersion !== undefined && isRegisteringVersion(agentVersion)) {
		return {
			state: 'ended',
			evidence: "Its process has signed off: the agent's list of running processes does not name it.",
		};
	}
	return unlisted;
}

/** Measured: 2.1.328 registers every process. Of the versions before 2.1.300 it is not known which do. */
function isRegisteringVersion(version: string): boolean {
	const [major = 0, minor = 0, patch = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
	return major > 2 || (major === 2 && (minor > 1 || (minor === 1 && patch >= 300)));
}

const unlisted: ProcessEvidence = {
	state: 'unknown',
	evidence: 'This version keeps no list of its processes, so nothing tells whether it still runs.',
};

const outside: ProcessEvidence = {
	state: 'unknown',
	evidence: "The transcript lies outside of an agent's home: it may be a copy from while the session ran.",
};

/**
 * `<home>` of `<home>/projects/<project>/<session>.jsonl`, `<home>/sessions/2026/11/22/<rollout>.jsonl` and `<home>/archived_sessions/<rollout>.jsonl`.
 * A project is called by the path of its folder, with a dash for whatever is no letter and no digit.
 */
function homeOf({ format, mainPath, agents }: SessionFiles): string | undefined {
	const place =
		format === 'codex' ? /^(.*)[/\\](?:archived_sessions|sessions[/\\]\d{4})[/\\]/ : /^(.*)[/\\]projects[/\\]\w?-/;
	return place.exec(mainPath ?? agents[0]?.path ?? '')?.[1];
}

async function readRegistration(path: string): Promise<RegisteredProcess | undefined> {
	try {
		// JSON.parse gives `any`; each field is checked.
		const value = JSON.parse(await readRegularText(path)) as Record<string, unknown>;
		const { pid, sessionId, startedAt, procStart, pidDomain } = value;
		if (typeof pid !== 'number' || typeof sessionId !== 'string') return undefined;
		return {
			pid,
			sessionId,
			startedAt: typeof startedAt === 'number' ? startedAt : undefined,
			procStart: typeof procStart === 'string' ? procStart : undefined,
			pidDomain: typeof pidDomain === 'string' ? pidDomain : undefined,
		};
	} catch {
		// Torn in mid-write, or gone meanwhile: as if it were not there.
		return undefined;
	}
}

/** A process id means something only where it was given: not on another machine, nor in another container. */
async function isOfThisMachine(registered: RegisteredProcess): Promise<boolean> {
	if (
		process.platform !== 'linux' ||
		registered.pidDomain === undefined ||
		!registered.pidDomain.startsWith('linux:')
	) {
		return true;
	}
	try {
		return registered.pidDomain.endsWith(await readlink('/proc/self/ns/pid'));
	} catch {
		// No /proc: nothing speaks against it.
		return true;
	}
}

async function isRunning(registered: RegisteredProcess): Promise<boolean> {
	try {
		process.kill(registered.pid, 0);
	} catch (error) {
		// Somebody else's process may not be signalled, but it is there.
		if (!isErrno(error, 'EPERM')) return false;
	}
	if (process.platform !== 'linux' || registered.procStart === undefined) return true;
	try {
		const stat = await readFile(`/proc/${registered.pid}/stat`, 'utf8');
		// The name in parentheses may hold anything; the fields behind it are counted from its last one.
		const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
		// A killed process that nobody has waited for yet is a zombie.
		return fields[19] === registered.procStart && fields[0] !== 'Z' && fields[0] !== 'X';
	} catch {
		return false;
	}
}

async function probeCodex(transcripts: readonly string[]): Promise<ProcessEvidence> {
	if (process.platform !== 'linux') {
		return { state: 'unknown', evidence: 'On this system nothing tells whether Codex still writes the rollout.' };
	}
	const paths = new Set(transcripts);
	const holder = await findHolder(paths);
	if (holder.pid !== undefined) {
		return {
			state: 'live',
			evidence: `Its process ${holder.pid} holds the rollout open.`,
			since: await startOf(holder.pid),
			pid: holder.pid,
		};
	}
	if (holder.sawAll) return { state: 'ended', evidence: 'No process holds the rollout open.' };
	return {
		state: 'unknown',
		evidence: 'Not every process could be looked at, so nothing tells whether Codex still writes the rollout.',
	};
}

/** The process that has one of the files open. Processes of other users cannot be looked at. */
async function findHolder(
	paths: ReadonlySet<string>,
): Promise<{ readonly pid: number | undefined; readonly sawAll: boolean }> {
	let sawAll = true;
	for (const pid of await readdir('/proc')) {
		if (!/^\d+$/.test(pid)) continue;
		let descriptors: string[];
		try {
			descriptors = await readdir(`/proc/${pid}/fd`);
		} catch (error) {
			// Gone meanwhile, or not ours; only a Codex that is not ours would matter.
			if (isErrno(error, 'EACCES') && (await commandOf(pid)).includes('codex')) sawAll = false;
			continue;
		}
		for (const descriptor of descriptors) {
			try {
				if (
					paths.has(await readlink(`/proc/${pid}/fd/${descriptor}`)) &&
					Number(pid) !== process.pid &&
					(await commandOf(pid)).includes('codex')
				) {
					return { pid: Number(pid), sawAll };
				}
			} catch {
				// Closed meanwhile.
			}
		}
	}
	return { pid: undefined, sawAll };
}

async function commandOf(pid: string): Promise<string> {
	try {
		return await readFile(`/proc/${pid}/comm`, 'utf8');
	} catch {
		return '';
	}
}

/** Epoch milliseconds at which a process began. */
async function startOf(pid: number): Promise<number | undefined> {
	try {
		const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
		const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
		const boot = /^btime (\d+)$/m.exec(await readFile('/proc/stat', 'utf8'))?.[1];
		// Linux has had 100 ticks a second for programs on every platform it runs Node on.
		return boot === undefined || Number.isNaN(ticks) ? undefined : Number(boot) * 1000 + ticks * 10;
	} catch {
		return undefined;
	}
}
