import { agentId, sessionId } from './base/ids.ts';
import { CataloguedTools, createConversation, fold, foldWhole, nameForAgents } from './conversation/index.ts';
import type { Changes, Conversation } from './conversation/index.ts';
import { FORMAT_VERSION } from './events/sessionEvent.ts';
import type { CataloguedTool, SessionEvent } from './events/sessionEvent.ts';
import type { Platform, ProcessEvidence } from './platform.ts';
import { Linter } from './rules/linter.ts';
import type { Diagnostic, Inconclusive, RuleSettings } from './rules/linter.ts';
import type { SaveOptions, SavedSession, SessionWriter } from './runs/saveSession.ts';
import type { ScopeSettings } from './scope/scopeParameter.ts';
import { TranscriptFollower, readSession, readSidecar } from './transcripts/readSession.ts';
import type { FileReading } from './transcripts/readSession.ts';
import { findSessions, pathsOf } from './transcripts/sessionFiles.ts';
import type { AgentFile, FindOptions, FoundSessions, SessionFiles } from './transcripts/sessionFiles.ts';

/** How an unanswered last call is to be read: by what the system tells (`auto`), or as a person says. */
export type Assume = 'auto' | 'live' | 'ended';

export interface OpenOptions {
	readonly assume: Assume;
	readonly rules: RuleSettings;
	/** What a person says of the scopes of tools; nothing unless given. */
	readonly scope?: ScopeSettings | undefined;
	/** Whether bodies get previews and messages their token counts: for a person to see, at twice the cost. */
	readonly withPreviews: boolean;
	readonly onProgress?: ((bytes: number) => void) | undefined;
	readonly signal?: AbortSignal | undefined;
}

/** A session that was read once, as it stood. */
export interface ReadSession {
	readonly files: SessionFiles;
	readonly conversation: Conversation;
	readonly diagnostics: readonly Diagnostic[];
	readonly inconclusive: readonly Inconclusive[];
	readonly readings: readonly FileReading[];
}

export interface Core {
	/** The sessions that a path stands for: a transcript with all that belongs to it, or a folder that is searched. */
	findSessions(path: string, options?: FindOptions): Promise<FoundSessions>;
	/** Reads a session to its present end and looks for what is wrong with it. */
	readSession(session: SessionFiles, options: OpenOptions): Promise<ReadSession>;
	/**
	 * Writes a session's files, and what it takes to read them elsewhere, into one. What its process was doing and what servers had said of
	 * their tools goes with it, for another machine can ask neither.
	 */
	saveSession(session: SessionFiles, writer: SessionWriter, options: SaveOptions): Promise<SavedSession>;
	/** Opens a session to be followed while it grows. Nothing is read before the first `update`. */
	followSession(session: SessionFiles, options: OpenOptions): FollowedSession;
}

/**
 * The whole of it, in the order in which data flows: transcripts are read into events, events are folded into a conversation, rules
 * look at the conversation. What is outside comes in through the platform.
 */
export function createCore(platform: Platform): Core {
	return {
		findSessions: (path, options) => findSessions(platform.files, path, options),
		async readSession(session, options) {
			const conversation = createConversation(sessionId(session.format, session.nativeId));
			const catalogue = await catalogueOf(platform, session);
			const tools = catalogue.length === 0 ? undefined : new CataloguedTools(conversation);
			tools?.update(catalogue);
			const readings = await readSession(
				platform.files,
				session,
				(events) => foldWhole(conversation, tools?.before(events) ?? events),
				options,
			);
			const evidence = await evidenceFor(platform, session, conversation, options.assume);
			foldWhole(conversation, [livenessEvent(conversation, evidence, 0)]);
			const linter = new Linter(
				conversation,
				options.rules,
				options.scope ?? {},
				agentsWithFiles(() => session),
			);
			linter.lintAll();
			linter.passTime(platform.clock.now());
			return {
				files: session,
				conversation,
				diagnostics: linter.diagnostics,
				inconclusive: linter.inconclusive,
				readings,
			};
		},
		async saveSession(session, writer, options) {
			const { signal } = options;
			const reading = { assume: 'auto', rules: {}, withPreviews: false, signal } as const;
			const { conversation } = await this.readSession(session, reading);
			const { state, evidence, since } = conversation.liveness;
			const catalogue = await catalogueOf(platform, session);
			const tools = catalogue.filter(({ server }) => conversation.tools.has(nameForAgents(server)));
			// Loaded when somebody saves: nobody else needs what replaces bodies.
			const { saveSession } = await import('./runs/saveSession.ts');
			return saveSession(
				platform.files,
				session,
				{ liveness: { state, evidence, since }, tools },
				writer,
				options,
			);
		},
		followSession: (session, options) => new FollowedSession(platform, session, options),
	};
}

/** Whether an agent has a file among those that the session consists of by now. */
function agentsWithFiles(current: () => SessionFiles): (agent: string) => boolean {
	let files: SessionFiles | undefined;
	let ids: ReadonlySet<string> = new Set();
	return (agent) => {
		if (current() !== files) {
			files = current();
			ids = new Set(files.agents.map(({ agentId }) => agentId));
		}
		return ids.has(agent);
	};
}

/** What an update looks at. */
export interface UpdateScope {
	/** Only these files, and those that were never read; `undefined`: all. */
	readonly paths: ReadonlySet<string> | undefined;
	/** Whether to ask the system again if the session's process still runs. That can cost more than reading. */
	readonly isProbing: boolean;
}

const everything: UpdateScope = { paths: undefined, isProbing: true };

/** What an update of a followed session has brought. */
export interface SessionUpdate {
	/** Nothing is as it was: everything was read again, because a file was replaced or cut. */
	readonly isFresh: boolean;
	readonly hasNewEvents: boolean;
	readonly hasNewFindings: boolean;
	/** What a fold has changed, one entry a batch. */
	readonly changes: readonly Changes[];
}

/** A session that is read on as its files grow. Every `update` costs in proportion to what was appended. */
export class FollowedSession {
	private readonly platform: Platform;
	private readonly options: OpenOptions;
	private files: SessionFiles;
	/** As they were at the last look. */
	private knownFiles: SessionFiles;
	private current: Conversation;
	/** What a host knows of the servers that are called here. */
	private tools: CataloguedTools;
	private linter: Linter;
	private followers = new Map<string, TranscriptFollower>();
	private readonly problems = new Map<string, string>();
	private sidecarsRead = new Map<string, string>();
	/** What was told of last while it happened. */
	private live: readonly SessionEvent[] = [];
	private livenessSeq = 0;
	private lastEvidence = '';
	private running: Promise<SessionUpdate> | undefined;
	private readonly hasFile = agentsWithFiles(() => this.files);

	constructor(platform: Platform, session: SessionFiles, options: OpenOptions) {
		this.platform = platform;
		this.files = session;
		this.knownFiles = session;
		this.options = options;
		this.current = createConversation(sessionId(session.format, session.nativeId));
		this.tools = new CataloguedTools(this.current);
		this.linter = new Linter(this.current, options.rules, options.scope ?? {}, this.hasFile);
	}

	get conversation(): Conversation {
		return this.current;
	}

	get sessionFiles(): SessionFiles {
		return this.files;
	}

	get diagnostics(): readonly Diagnostic[] {
		return this.linter.diagnostics;
	}

	get inconclusive(): readonly Inconclusive[] {
		return this.linter.inconclusive;
	}

	/** Why a file could not be read, by path. */
	get fileProblems(): ReadonlyMap<string, string> {
		return this.problems;
	}

	/** Whether only another look tells if a file was changed in its middle. */
	get isUnsettled(): boolean {
		return [...this.followers.values()].some((follower) => follower.isUnsettled);
	}

	/** What was read of each file so far. */
	get readings(): readonly FileReading[] {
		return [...this.followers.values()].map(({ path, lines, bytes }) => ({
			path,
			lines,
			bytes,
			problem: this.problems.get(path),
		}));
	}

	/**
	 * Takes in what a host has recorded of the session a moment ago, JSON lines as they stand in its log: it is told of before it is written,
	 * and is read again where it is.
	 */
	async takeLive(lines: string): Promise<SessionUpdate> {
		const { readLiveLines } = await import('./transcripts/recording.ts');
		const events = readLiveLines(lines);
		this.live = [...this.live, ...events].slice(-mostLive);
		const changes: Changes[] = [];
		const hasNewFindings = events.length > 0 && this.take(events, changes);
		return { isFresh: false, hasNewEvents: changes.length > 0, hasNewFindings, changes };
	}

	/** The files that the session consists of by now: subagents start while their parent runs. What was read of one that is gone goes with it. */
	setFiles(session: SessionFiles): void {
		this.files = session;
	}

	/** Reads what is new. Calls that come while one is under way wait for a further one. */
	async update(scope: UpdateScope = everything): Promise<SessionUpdate> {
		while (this.running !== undefined) await this.running;
		this.running = this.readNew(scope);
		try {
			return await this.running;
		} finally {
			this.running = undefined;
		}
	}

	private async readNew(scope: UpdateScope): Promise<SessionUpdate> {
		const first = (await this.hasLostFile()) ? 'replaced' : await this.readOn(scope);
		if (first !== 'replaced') return first;
		this.current = createConversation(this.current.sessionId);
		this.tools = new CataloguedTools(this.current);
		this.linter = new Linter(this.current, this.options.rules, this.options.scope ?? {}, this.hasFile);
		this.followers = new Map();
		this.problems.clear();
		this.sidecarsRead = new Map();
		this.lastEvidence = '';
		// What is not written yet is in no file.
		if (this.live.length > 0) this.take(this.live, []);
		const second = await this.readOn(everything);
		// A file that is replaced again and again is looked at with the next update.
		if (second === 'replaced') return { isFresh: true, hasNewEvents: false, hasNewFindings: true, changes: [] };
		return { ...second, isFresh: true, hasNewFindings: true };
	}

	/** Whether a file that was read is no longer the session's, nor there (it has another name now, or was deleted), or its thread was reverted since. */
	private async hasLostFile(): Promise<boolean> {
		const { files, followers, platform } = this;
		if (files === this.knownFiles) return false;
		const wasReverted = files.revertedFrom !== this.knownFiles.revertedFrom;
		this.knownFiles = files;
		if (wasReverted) return true;
		const paths = new Set([...pathsOf(files), files.recordingPath]);
		for (const path of followers.keys()) {
			if (paths.has(path)) continue;
			// A search passes over what it cannot look at; nor does that say that it is gone.
			const isThere = await platform.files.stat(path).catch(() => true);
			if (isThere === undefined) return true;
		}
		return false;
	}

	private async readOn(scope: UpdateScope): Promise<SessionUpdate | 'replaced'> {
		const { files, platform, options } = this;
		const changes: Changes[] = [];
		let hasNewFindings = false;
		// Linted batch by batch: while a large session is opened nothing stands still for long.
		const sink = (events: readonly SessionEvent[]) => {
			hasNewFindings = this.take(events, changes) || hasNewFindings;
		};
		const described = this.tools.update(await catalogueOf(platform, files));
		if (described.length > 0) sink(described);
		for (const agent of [undefined, ...files.agents]) {
			if (agent === undefined && files.mainPath === undefined) continue;
			const path = agent?.path ?? files.mainPath ?? '';
			let follower = this.followers.get(path);
			// What was read before and is not said to have changed costs nothing, however many files a session has.
			if (
				follower !== undefined &&
				scope.paths !== undefined &&
				!scope.paths.has(path) &&
				!(agent?.sidecarPath !== undefined && scope.paths.has(agent.sidecarPath)) &&
				!this.isBehind(agent)
			)
				continue;
			if (follower === undefined) {
				follower = TranscriptFollower.ofAgent(platform.files, files, agent, options);
				this.followers.set(path, follower);
			}
			// The sidecar says that the agent has ended. It is read before the lines that were written before that.
			const sidecar = await this.readChangedSidecar(agent);
			const result = await follower.readOn(sink, options.signal);
			if (result === 'replaced') return 'replaced';
			if (result === 'read') this.problems.delete(path);
			else this.problems.set(path, result.problem);
			if (agent?.sidecarPath === undefined || sidecar === undefined) continue;
			this.sidecarsRead.set(agent.sidecarPath, sidecar.stamp);
			if (sidecar.events.length > 0) sink(sidecar.events);
		}
		const recording = files.recordingPath;
		const isRecordingWanted =
			recording !== undefined &&
			(scope.paths === undefined || scope.paths.has(recording) || !this.followers.has(recording));
		if (recording !== undefined && isRecordingWanted) {
			const path = recording;
			let follower = this.followers.get(path);
			if (follower === undefined) {
				follower = await TranscriptFollower.ofRecording(platform.files, files, path, options);
				this.followers.set(path, follower);
			}
			const result = await follower.readOn(sink, options.signal);
			if (result === 'replaced') return 'replaced';
			if (result === 'read') this.problems.delete(path);
			else this.problems.set(path, result.problem);
		}
		const isUnknown = this.lastEvidence === '';
		const evidence =
			scope.isProbing || isUnknown ? await evidenceFor(platform, files, this.current, options.assume) : undefined;
		const evidenceKey =
			evidence === undefined
				? this.lastEvidence
				: `${evidence.state} ${evidence.pid ?? ''} ${evidence.since ?? ''}`;
		if (evidence !== undefined && evidenceKey !== this.lastEvidence) {
			this.lastEvidence = evidenceKey;
			sink([livenessEvent(this.current, evidence, this.livenessSeq++)]);
		}
		// Nobody is about to finish a last line that has no end; should somebody do it after all, the file is read again.
		if (this.current.liveness.state !== 'live') {
			for (const follower of this.followers.values()) follower.finish(sink);
		}
		if (this.current.liveness.state === 'live')
			hasNewFindings = this.linter.passTime(platform.clock.now()) || hasNewFindings;
		return { isFresh: false, hasNewEvents: changes.length > 0, hasNewFindings, changes };
	}

	/** Gives whether there are other findings now. */
	private take(events: readonly SessionEvent[], changes: Changes[]): boolean {
		const change = fold(this.current, this.tools.before(events));
		changes.push(change);
		return this.linter.update(change);
	}

	/** What a sidecar says, unless it is as it was or torn in mid-write: then it will be looked at again. */
	private async readChangedSidecar(
		agent: AgentFile | undefined,
	): Promise<{ readonly stamp: string; readonly events: readonly SessionEvent[] } | undefined> {
		if (agent?.sidecarPath === undefined) return undefined;
		const { files } = this.platform;
		const stat = await files.stat(agent.sidecarPath);
		const stamp = stat === undefined ? '' : `${stat.identity} ${stat.size} ${stat.modifiedAt}`;
		if (this.sidecarsRead.get(agent.sidecarPath) === stamp) return undefined;
		const events = await readSidecar(files, this.files, agent);
		return events.length > 0 || stat === undefined ? { stamp, events } : undefined;
	}

	/** Whether its parent knows of its end and its own last lines were not read: files do not change in the order in which they are told to have changed. */
	private isBehind(agent: AgentFile | undefined): boolean {
		if (agent === undefined || this.current.liveness.state !== 'live') return false;
		const known = this.current.agents.get(agentId(agent.agentId));
		return known?.ended !== undefined && known.toolCalls.some((call) => call.result === undefined);
	}
}

/** What servers have said of their tools: to a host of this person, or by the time that the session was saved. */
async function catalogueOf(platform: Platform, { saved }: SessionFiles): Promise<readonly CataloguedTool[]> {
	return saved?.tools ?? (await platform.toolCatalogue?.read()) ?? [];
}

/** More than a host records before it writes. */
const mostLive = 1_000;

async function evidenceFor(
	platform: Platform,
	session: SessionFiles,
	conversation: Conversation,
	assume: Assume,
): Promise<ProcessEvidence> {
	switch (assume) {
		case 'live':
			return { state: 'live', evidence: 'It was to be taken as live.' };
		case 'ended':
			return { state: 'ended', evidence: 'It was to be taken as ended.' };
		case 'auto':
			if (session.saved !== undefined) return session.saved.liveness;
			return platform.liveness.probe(session, {
				agentVersion: conversation.agentVersion,
				lastEventAt: conversation.lastEventAt,
				paths: pathsOf(session),
				transcriptPath: conversation.report?.transcriptPath,
			});
	}
}

function livenessEvent(conversation: Conversation, evidence: ProcessEvidence, seq: number): SessionEvent {
	return {
		version: FORMAT_VERSION,
		seq,
		sessionId: conversation.sessionId,
		agent: { unknown: 'A process is not an agent.' },
		source: { kind: 'process', pid: evidence.pid },
		type: 'session-liveness',
		state: evidence.state,
		evidence: evidence.evidence,
		since: evidence.since,
	};
}
