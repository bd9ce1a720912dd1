import { EventEmitter } from 'vscode';
import type { Disposable, Event } from 'vscode';
import { DisposableStore } from '../core/base/lifecycle.ts';
import type { Core, FollowedSession, SessionUpdate, UpdateScope } from '../core/core.ts';
import type { Conversation } from '../core/conversation/index.ts';
import type { Diagnostic } from '../core/rules/linter.ts';
import { pathsOf } from '../core/transcripts/sessionFiles.ts';
import type { SessionFiles } from '../core/transcripts/sessionFiles.ts';
import { watchFolder } from '../platform/node/watch.ts';
import type { Log } from './log.ts';
import { folderOf } from './paths.ts';
import type { LintSettings } from './settings.ts';
import { Throttle, delay } from './throttle.ts';
import { summaryOf } from './summary.ts';
import type { SessionSummary } from './summary.ts';

/** What a session is known by in this window: the path of its first file, for one id may be recorded in two places. */
export type SessionKey = string;

export function keyOf(files: SessionFiles): SessionKey {
	return pathsOf(files)[0] ?? '';
}

interface FollowOptions {
	readonly core: Core;
	readonly log: Log;
	readonly settings: LintSettings;
}

/** The system tells of changes; where it does not, a look now and then finds them. */
const lookEveryMs = { live: 1000, resting: 5000 } as const;
/** How often the folders of a live session are searched for new subagents, should the system not tell of them. */
const searchEveryMs = 5000;
/** How often the system is asked whether the session's process still runs. */
const probeEveryMs = 3000;
/** What takes longer than this when something happens is done less often: for so many times as long nothing is. */
const lightMs = 5;
const restFactor = 4;
/** A look asks about every file, so that hundreds of them are looked at less often. */
const lookCostMs = 5;

/** A session that is read on as it grows, for as long as somebody looks at it. */
export class SessionInView implements Disposable {
	readonly key: SessionKey;
	/** Fires when anything about the session is different. The first time when it has been read for the first time. */
	readonly onDidUpdate: Event<SessionUpdate>;
	/** Fires while a long session is read for the first time: part of it is there to be shown. */
	readonly onDidProgress: Event<void>;
	/** Resolves when the session has been read to its end for the first time, or could not be. Never rejects. */
	readonly whenRead: Promise<void>;
	private readonly options: FollowOptions;
	private followed: FollowedSession;
	private readonly updated = new EventEmitter<SessionUpdate>();
	private readonly progressed = new EventEmitter<void>();
	private readonly abort = new AbortController();
	private readonly disposables = new DisposableStore();
	private readonly watchedFolders = new Map<string, Disposable>();
	private readonly progress: Throttle;
	private readonly searching: Throttle;
	private isUpdating = false;
	/** What the next update looks at. */
	private wanted: UpdateScope | undefined;
	private isDisposed = false;
	private timer: NodeJS.Timeout | undefined;
	private searchedAt = Date.now();
	private probedAt = Date.now();
	private lastSummary: SessionSummary | undefined;
	private hasBeenRead = false;
	private readonly liveLines: string[] = [];
	private isTakingLive = false;

	constructor(files: SessionFiles, options: FollowOptions) {
		this.key = keyOf(files);
		this.options = options;
		this.onDidUpdate = this.updated.event;
		this.onDidProgress = this.progressed.event;
		this.progress = this.disposables.add(new Throttle(500, () => this.progressed.fire()));
		this.followed = this.follow(files, options.settings);
		this.searching = this.disposables.add(new Throttle(250, () => void this.search()));
		this.disposables.add(this.updated);
		this.disposables.add(this.progressed);
		this.watchFolders();
		this.whenRead = this.update().then(() => {
			this.hasBeenRead = true;
		});
		this.lookLater();
	}

	get conversation(): Conversation {
		return this.followed.conversation;
	}

	get files(): SessionFiles {
		return this.followed.sessionFiles;
	}

	get isRead(): boolean {
		return this.hasBeenRead;
	}

	get diagnostics(): readonly Diagnostic[] {
		return this.followed.diagnostics;
	}

	get fileProblems(): ReadonlyMap<string, string> {
		return this.followed.fileProblems;
	}

	/** Counts and states, computed once for as long as the session stays the same. */
	get summary(): SessionSummary {
		const { conversation } = this;
		if (this.lastSummary?.conversation !== conversation || this.lastSummary.revision !== conversation.revision) {
			this.lastSummary = summaryOf(conversation, this.followed.diagnostics);
		}
		return this.lastSummary;
	}

	/** Reads what is new in these files. Asked again while it reads, it reads once more. */
	async update(scope: UpdateScope = everything): Promise<void> {
		this.wanted = this.wanted === undefined ? scope : union(this.wanted, scope);
		if (this.isUpdating) return;
		this.isUpdating = true;
		try {
			for (let next = this.takeWanted(); next !== undefined; next = this.takeWanted()) {
				const update = await this.followed.update(next);
				this.hasBeenRead = true;
				if (this.isDisposed) return;
				// One that is gone may have another name now.
				if ([...(next.paths ?? [])].some((path) => this.fileProblems.has(path))) this.searching.request();
				if (update.isFresh || update.changes.length > 0 || update.hasNewFindings) {
					this.lastSummary = undefined;
					this.updated.fire(update);
				}
			}
		} catch (error) {
			if (!this.isDisposed) this.options.log.failure(`${this.key} could not be read on`, error);
		} finally {
			this.isUpdating = false;
		}
	}

	/** Reads everything anew, by other settings. */
	async restart(settings: LintSettings): Promise<void> {
		this.followed = this.follow(this.files, settings);
		this.lastSummary = undefined;
		await this.update();
	}

	/** Its thread goes on in another file, without its end. */
	setReverted(revertedFrom: number | undefined): void {
		this.followed.setFiles({ ...this.files, revertedFrom });
		void this.update(); // its failures are logged
	}

	/** A host has recorded something of it. */
	setRecording(recordingPath: string): void {
		if (this.files.recordingPath !== recordingPath) this.followed.setFiles({ ...this.files, recordingPath });
		void this.update({ paths: new Set([recordingPath]), isProbing: false }); // its failures are logged
	}

	/**
	 * A host has recorded these events of it, JSON lines, a moment ago. They are taken in at once, or together with those that come while
	 * the session is busy with others: in a very long one each look at all of its calls takes a while.
	 */
	takeLive(lines: string): void {
		this.liveLines.push(lines);
		if (this.isTakingLive) return;
		this.isTakingLive = true;
		void this.takeAllLive().finally(() => {
			this.isTakingLive = false;
		});
	}

	private async takeAllLive(): Promise<void> {
		try {
			while (this.liveLines.length > 0 && !this.isDisposed) {
				const lines = this.liveLines.splice(0).join('\n');
				const update = await this.followed.takeLive(lines);
				const began = performance.now();
				if (this.isDisposed) return;
				if (update.changes.length > 0) {
					this.lastSummary = undefined;
					this.updated.fire(update);
				}
				const took = performance.now() - began;
				if (took > lightMs) await delay(took * restFactor);
			}
		} catch (error) {
			if (!this.isDisposed) this.options.log.failure(`What happens in ${this.key} could not be taken in`, error);
		}
	}

	/** Looks for files that belong to the session since. */
	async search(): Promise<void> {
		this.searchedAt = Date.now();
		if (this.files.format === 'host') return;
		const { core, log } = this.options;
		try {
			const found = await core.findSessions(this.key, { signal: this.abort.signal });
			const written = found.sessions.find((candidate) => keyOf(candidate) === this.key);
			if (written === undefined || this.isDisposed) return;
			const { recordingPath } = this.files;
			const revertedFrom = written.revertedFrom ?? this.files.revertedFrom;
			const session = { ...written, agents: this.withLaterDays(written), recordingPath, revertedFrom };
			const isSame = pathsOf(session).join('\n') === pathsOf(this.files).join('\n');
			if (isSame && revertedFrom === this.files.revertedFrom) return;
			this.followed.setFiles(session);
			this.watchFolders();
			await this.update();
		} catch (error) {
			if (!this.isDisposed) log.failure(`Files of ${this.key} could not be looked for`, error);
		}
	}

	/** Codex has a folder for each day, and the search was in that of the first. */
	private withLaterDays({ format, agents }: SessionFiles): SessionFiles['agents'] {
		if (format !== 'codex') return agents;
		const found = new Set([this.key, ...agents.map(({ path }) => path)].map(folderOf));
		return [...agents, ...this.files.agents.filter(({ path }) => !found.has(folderOf(path)))];
	}

	dispose(): void {
		if (this.isDisposed) return;
		this.isDisposed = true;
		this.abort.abort();
		clearTimeout(this.timer);
		for (const watched of this.watchedFolders.values()) watched.dispose();
		this.watchedFolders.clear();
		this.disposables.dispose();
	}

	private follow(files: SessionFiles, { rules, scope }: LintSettings): FollowedSession {
		return this.options.core.followSession(files, {
			assume: 'auto',
			rules,
			scope,
			withPreviews: true,
			signal: this.abort.signal,
			onProgress: () => {
				if (!this.hasBeenRead) this.progress.request();
			},
		});
	}

	private watchFolders(): void {
		// Its files are not the system's; the one that they are in is.
		const { saved } = this.files;
		if (saved !== undefined) {
			const folder = folderOf(saved.path);
			this.watchedFolders.get(folder)?.dispose();
			const hear = (name: string | undefined) => {
				if (name !== undefined && saved.path !== `${folder}${separatorOf(folder)}${name}`) return;
				void this.update(everything); // its failures are logged
			};
			this.watchedFolders.set(folder, watchFolder(folder, hear));
			return;
		}
		// Its file is no file of the system; whoever knows that more was recorded says so.
		if (this.files.format === 'host') return;
		const paths = pathsOf(this.files);
		const known = new Set(paths);
		const folders = new Set(paths.map(folderOf));
		const main = this.files.format === 'claude-code' ? this.files.mainPath : undefined;
		if (main !== undefined) {
			const own = main.replace(/\.jsonl$/, '');
			folders.add(own);
			folders.add(`${own}${separatorOf(main)}subagents`);
		}
		for (const folder of folders) {
			// A folder that is not there yet could not be watched; it is tried again when something new appears.
			this.watchedFolders.get(folder)?.dispose();
			this.watchedFolders.set(
				folder,
				watchFolder(folder, (name) => this.hear(folder, name, known)),
			);
		}
	}

	private hear(folder: string, name: string | undefined, known: ReadonlySet<string>): void {
		// A process that is alive is asked about now and then; one that had ended may have been started again.
		const isProbing = this.conversation.liveness.state !== 'live';
		const path = name === undefined ? undefined : `${folder}${separatorOf(folder)}${name}`;
		if (path === undefined || known.has(path) || path.endsWith('.meta.json')) {
			void this.update({ paths: path === undefined ? undefined : new Set([path]), isProbing }); // its failures are logged
		} else if (this.mayBelong(folder, path)) this.searching.request();
	}

	/** Whether something new in one of the folders may be a file of this session. */
	private mayBelong(folder: string, path: string): boolean {
		const { format, mainPath } = this.files;
		if (format === 'codex') return path.endsWith('.jsonl');
		// The folder of a project holds many sessions.
		if (mainPath === undefined || folder !== folderOf(mainPath)) return true;
		return path === mainPath.replace(/\.jsonl$/, '') || path.slice(folder.length + 1).startsWith('agent-');
	}

	private takeWanted(): UpdateScope | undefined {
		const next = this.wanted;
		this.wanted = undefined;
		return this.isDisposed ? undefined : next;
	}

	private lookLater(): void {
		// What was saved does not grow.
		if (this.isDisposed || this.files.saved !== undefined) return;
		const isLive = this.conversation.liveness.state === 'live';
		const pause = Math.max(isLive ? lookEveryMs.live : lookEveryMs.resting, this.files.agents.length * lookCostMs);
		this.timer = setTimeout(() => {
			const isProbing = Date.now() - this.probedAt >= probeEveryMs;
			if (isProbing) this.probedAt = Date.now();
			const isSearchDue = isLive && Date.now() - this.searchedAt >= searchEveryMs;
			void (isSearchDue ? this.search() : Promise.resolve())
				.then(() => this.update({ paths: undefined, isProbing }))
				.then(() => this.lookLater());
		}, pause);
	}
}

const everything: UpdateScope = { paths: undefined, isProbing: true };

function union(one: UpdateScope, other: UpdateScope): UpdateScope {
	return {
		paths:
			one.paths === undefined || other.paths === undefined ? undefined : new Set([...one.paths, ...other.paths]),
		isProbing: one.isProbing || other.isProbing,
	};
}

function separatorOf(path: string): string {
	return path.includes('\\') && !path.startsWith('/') ? '\\' : '/';
}
