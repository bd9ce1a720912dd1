import { EventEmitter, RelativePattern, Uri, workspace } from 'vscode';
import type { Disposable, Event } from 'vscode';
import { ExpectedError } from '../core/base/errors.ts';
import { DisposableStore } from '../core/base/lifecycle.ts';
import type { Core } from '../core/core.ts';
import type { Platform } from '../core/platform.ts';
import type { Diagnostic } from '../core/rules/linter.ts';
import { joinPath } from '../core/transcripts/files.ts';
import { pathsOf, recordedSession, sessionIdOf } from '../core/transcripts/sessionFiles.ts';
import type { SessionFiles } from '../core/transcripts/sessionFiles.ts';
import type { RecordedSession } from '../platform/node/store/recordings.ts';
import { databasePath, recordingPath } from '../platform/node/store/recordingPaths.ts';
import { watchFolder } from '../platform/node/watch.ts';
import type { Log } from './log.ts';
import { SessionInView, keyOf } from './sessionInView.ts';
import type { SessionKey } from './sessionInView.ts';
import { hostDirectory, lintSettings, searchedFolders, section } from './settings.ts';
import type { SearchedFolder } from './settings.ts';
import { Throttle, delay } from './throttle.ts';

/** What is known of a session without keeping it in memory. */
export interface SessionEntry {
	readonly key: SessionKey;
	/** Of its row: that of the session as it was known before its transcript was there. */
	readonly rowId: string;
	readonly files: SessionFiles;
	/** Epoch milliseconds at which one of its files was written last. */
	readonly modifiedAt: number;
	readonly bytes: number;
	/** A person opened it, so it stays, wherever it lies. */
	readonly isOpened: boolean;
	/** It lies in one of the folders that are searched; others stay for as long as they are held. */
	readonly isFound: boolean;
	readonly details: SessionDetails | undefined;
}

/** What only reading tells. */
export interface SessionDetails {
	readonly title: string | undefined;
	readonly cwd: string | undefined;
	readonly state: 'live' | 'ended' | 'unknown';
	readonly since: number | undefined;
	readonly lastEventAt: number | undefined;
	readonly agents: number;
	readonly calls: number;
	readonly pending: number;
	readonly orphaned: number;
	readonly worst: Diagnostic['severity'] | undefined;
	readonly diagnostics: readonly Diagnostic[];
	/** As the files were when it was read. */
	readonly modifiedAt: number;
}

/** A hold on a session: it is followed until the last one is let go. */
export interface SessionHold extends Disposable {
	readonly session: SessionInView;
}

/** Sessions up to this size are read for their row alone; larger ones when somebody opens them. */
const detailLimitBytes = 64 * 1024 * 1024;
/** A session that nobody holds any more stays this long: people go back to what they have just closed. */
const lingerMs = 30_000;
/** So many live sessions are followed for their rows alone. */
const followedLiveSessions = 8;
/** Where nothing tells whether its process still runs, a session that was written this lately counts as live. */
const recentMs = 60_000;
/** `sessions/2026/11/21` */
const dateFolders = 2;
/** Looked at when its first file may be there, and again when a slow program has come to write it. */
const settleMs = [100, 1500] as const;
/** The list is shown anew this often while it changes. */
const listEveryMs = 80;
/** What is told of while it happens is written well within this time. */
const recentEventsMs = 5_000;
const mostRecentBytes = 256 * 1024;
/** How often it is looked what a host has recorded, while it records and somebody looks. */
const recordingsEveryMs = 2000;

/** All sessions that are known in this window. Nothing is read or watched before somebody asks. */
export class Sessions implements Disposable {
	readonly core: Core;
	readonly platform: Platform;
	/** Fires when the list, or what is known of a session in it, is different; `undefined`: the list. */
	readonly onDidChange: Event<SessionKey | undefined>;
	/** Fires when somebody begins to look at sessions, or nobody does any more. */
	readonly onDidChangeUse: Event<void>;
	private readonly log: Log;
	private readonly changed = new EventEmitter<SessionKey | undefined>();
	private readonly entries = new Map<SessionKey, SessionEntry>();
	private readonly keyByPath = new Map<string, SessionKey>();
	private readonly held = new Map<
		SessionKey,
		{ session: SessionInView; holds: number; timer: NodeJS.Timeout | undefined }
	>();
	private readonly disposables = new DisposableStore();
	private readonly listChanged: Throttle;
	private searching: Promise<void> | undefined;
	private hasSearched = false;
	private watching: DisposableStore | undefined;
	private watchers = 0;
	private touched = new Set<string>();
	private readonly touching: Throttle;
	private readonly lookingAtRecordings: Throttle;
	/** When the last event was recorded that was read, by recording. */
	private readonly recordedAt = new Map<string, number>();
	/** What was told of a moment ago, by session: it may not be written when somebody begins to look. */
	private readonly recent = new Map<string, { readonly at: number; readonly lines: string }[]>();
	/** Sessions that have another key since: their transcript came. */
	private readonly successors = new Map<SessionKey, SessionKey>();
	private readonly useChanged = new EventEmitter<void>();
	private wasInUse = false;
	/** What was last said of why recordings cannot be read. */
	private recordingProblem = '';
	private readonly liveHolds = new Map<SessionKey, SessionHold>();
	private detailing: Promise<void> | undefined;
	private wantedDetails: readonly SessionKey[] = [];

	constructor(core: Core, platform: Platform, log: Log) {
		this.core = core;
		this.platform = platform;
		this.log = log;
		this.onDidChange = this.changed.event;
		this.onDidChangeUse = this.useChanged.event;
		this.disposables.add(this.useChanged);
		this.listChanged = this.disposables.add(new Throttle(listEveryMs, () => this.changed.fire(undefined)));
		this.touching = this.disposables.add(new Throttle(300, () => void this.lookAtTouched()));
		this.lookingAtRecordings = this.disposables.add(
			new Throttle(recordingsEveryMs, () => {
				void this.lookAtRecordings().then((isChanged) => isChanged && this.listChanged.request());
			}),
		);
		this.disposables.add(
			workspace.onDidChangeConfiguration((event) => {
				if (event.affectsConfiguration(`${section}.host.dataDirectory`)) void this.searchAgain();
				if ([`${section}.rules`, `${section}.scope`].some((name) => event.affectsConfiguration(name)))
					this.startOver();
				if (event.affectsConfiguration(`${section}.homes`)) void this.searchAgain();
			}),
		);
		this.disposables.add(this.changed);
	}

	get folders(): readonly SearchedFolder[] {
		return searchedFolders(this.platform.files);
	}

	/** Newest first. */
	get list(): readonly SessionEntry[] {
		return [...this.entries.values()].sort(
			(one, other) => activityOf(other) - activityOf(one) || (one.key < other.key ? -1 : 1),
		);
	}

	get isSearched(): boolean {
		return this.hasSearched;
	}

	entry(key: SessionKey): SessionEntry | undefined {
		return this.entries.get(key);
	}

	/** The key that a session has now; its own, unless its transcript has come since. */
	currentKey(key: SessionKey): SessionKey {
		return this.successors.get(key) ?? key;
	}

	/** Whether the list is watched, or a session is followed. */
	get isInUse(): boolean {
		return this.watchers > 0 || this.held.size > 0;
	}

	/**
	 * Takes in what a host has recorded a moment ago, long before the store has it.
	 * @param id Of the session, as the events have it.
	 * @param lines JSON, one event a line.
	 * @param isTelling Whether they tell of something that an agent does, rather than of a connection alone.
	 */
	takeLive(id: string, lines: string, isTelling: boolean): void {
		const now = Date.now();
		const entry = this.entryOf(id);
		const known = (this.recent.get(id) ?? []).filter(({ at }) => now - at < recentEventsMs);
		this.recent.delete(id);
		if (lines.length <= mostRecentBytes) this.recent.set(id, [...known, { at: now, lines }]);
		for (const [other, pieces] of this.recent) {
			if (pieces.every(({ at }) => now - at >= recentEventsMs)) this.recent.delete(other);
		}
		if (entry === undefined) {
			// Of a connection that does not say whose it is more is known when it is written.
			if (!isTelling || id.startsWith('mcp:')) return;
			const path = recordingPath(hostDirectory(this.platform.files), id);
			this.addRecorded(recordedSession(id, path), undefined, now);
			this.listChanged.request();
			return;
		}
		const holding = this.held.get(entry.key);
		if (holding !== undefined) {
			holding.session.takeLive(lines);
			return;
		}
		this.entries.set(entry.key, { ...entry, modifiedAt: Math.max(entry.modifiedAt, now) });
		this.listChanged.request();
	}

	/** Events were told of that did not come: they are to be read where they are written. */
	async missedLive(): Promise<void> {
		this.recordedAt.clear();
		if (await this.lookAtRecordings()) this.listChanged.request();
	}

	/** The session as it is followed, if somebody holds it. */
	inView(key: SessionKey): SessionInView | undefined {
		return this.held.get(key)?.session;
	}

	/** Looks through the folders once. */
	search(): Promise<void> {
		this.searching ??= this.searchFolders();
		return this.searching;
	}

	async searchAgain(): Promise<void> {
		await this.searching;
		this.searching = undefined;
		if (this.watching !== undefined) {
			this.stopWatching();
			this.startWatching();
		}
		await this.search();
	}

	/** Keeps the list up to date for as long as the result is not disposed. */
	watch(): Disposable {
		if (this.watchers++ === 0) this.startWatching();
		this.noteUse();
		let isDisposed = false;
		return {
			dispose: () => {
				if (isDisposed) return;
				isDisposed = true;
				if (--this.watchers === 0) this.stopWatching();
				this.noteUse();
			},
		};
	}

	/** Follows a session until the result is disposed. */
	hold(key: SessionKey): SessionHold | undefined {
		const entry = this.entries.get(key);
		if (entry === undefined) return undefined;
		let holding = this.held.get(key);
		if (holding === undefined) {
			const session = new SessionInView(entry.files, {
				core: this.core,
				log: this.log,
				settings: lintSettings(),
			});
			holding = { session, holds: 0, timer: undefined };
			this.held.set(key, holding);
			const taking = holding;
			session.onDidUpdate(() => this.takeDetails(taking.session));
			for (const { at, lines } of this.recent.get(idOf(entry.files)) ?? []) {
				if (Date.now() - at < recentEventsMs) session.takeLive(lines);
			}
			this.noteUse();
		}
		clearTimeout(holding.timer);
		holding.holds++;
		const taken = holding;
		let isDisposed = false;
		return {
			session: taken.session,
			dispose: () => {
				if (isDisposed) return;
				isDisposed = true;
				if (--taken.holds > 0 || this.held.get(key) !== taken) return;
				taken.timer = setTimeout(() => this.forget(key), lingerMs);
			},
		};
	}

	/** The session that a file belongs to, found and added to the list if need be. Rejects with a sentence when it is no transcript. */
	async keyFor(path: string): Promise<SessionKey> {
		const known = this.keyByPath.get(path);
		if (known !== undefined) return known;
		const { sessions, problems } = await this.core.findSessions(path);
		const [session] = sessions;
		if (session === undefined)
			throw new ExpectedError(problems[0]?.message ?? 'No session of an agent was found there.');
		for (const found of sessions) await this.add(found, false);
		this.listChanged.request();
		return keyOf(session);
	}

	/** Keeps the session of a file in the list, wherever it lies. */
	async open(path: string): Promise<SessionKey> {
		const key = await this.keyFor(path);
		const entry = this.entries.get(key);
		if (entry !== undefined) this.entries.set(key, { ...entry, isOpened: true });
		this.changed.fire(key);
		return key;
	}

	/** Reads what rows say, in this order, one session after the other. A later call replaces what is still to be done. */
	wantDetails(keys: readonly SessionKey[]): void {
		this.wantedDetails = keys;
		this.detailing ??= this.readDetails().finally(() => {
			this.detailing = undefined;
		});
	}

	dispose(): void {
		this.stopWatching();
		for (const key of [...this.held.keys()]) this.forget(key);
		this.disposables.dispose();
	}

	private async searchFolders(): Promise<void> {
		const keys = new Set<SessionKey>();
		for (const folder of this.folders) {
			try {
				if ((await this.platform.files.stat(folder.path)) === undefined) {
					this.log.info(`Searched ${folder.path}: it is not there.`);
					continue;
				}
				const { sessions, problems } = await this.core.findSessions(folder.path, { isHome: folder.isHome });
				for (const { path, message } of problems) this.log.info(`${path}: ${message}`);
				this.log.info(`Searched ${folder.path}: ${sessions.length} sessions.`);
				for (const session of sessions) {
					keys.add(keyOf(session));
					await this.add(session, true);
				}
			} catch (error) {
				this.log.failure(`${folder.path} could not be searched`, error);
			}
		}
		await this.lookAtRecordings(keys);
		for (const entry of this.entries.values()) {
			if (keys.has(entry.key)) continue;
			const isWanted = entry.isOpened || (!entry.isFound && this.held.has(entry.key));
			if (!isWanted || !(await this.isThere(entry.key))) this.remove(entry.key);
		}
		this.hasSearched = true;
		this.changed.fire(undefined);
	}

	/** What a person has opened somewhere else stays until it is gone. */
	private async isThere(path: string): Promise<boolean> {
		try {
			return (await this.platform.files.stat(path)) !== undefined;
		} catch {
			// Whoever reads it is told why it cannot be.
			return true;
		}
	}

	/**
	 * What a host has recorded belongs to the sessions whose transcripts are known, or makes sessions of its own.
	 * @param keys Takes the sessions that are its own.
	 * @returns Whether the list is different.
	 */
	private async lookAtRecordings(keys?: Set<SessionKey>): Promise<boolean> {
		const directory = hostDirectory(this.platform.files);
		let recordings: readonly RecordedSession[];
		try {
			if ((await this.platform.files.stat(databasePath(directory))) === undefined) return false;
			recordings = await (await import('../platform/node/store/recordings.ts')).findRecordings(directory);
		} catch (error) {
			// It is looked at again and again; once is enough to be told.
			const problem = error instanceof Error ? error.message : String(error);
			if (problem !== this.recordingProblem) this.log.failure('What the host has recorded', error);
			this.recordingProblem = problem;
			return false;
		}
		const byId = new Map<string, SessionEntry>();
		for (const entry of this.entries.values()) {
			// One that was saved brings what was recorded of it.
			if (entry.files.format !== 'host' && entry.files.saved === undefined) byId.set(idOf(entry.files), entry);
		}
		let isChanged = false;
		for (const { id, path, lastAt } of recordings) {
			const written = byId.get(id);
			if (written === undefined) keys?.add(path);
			const entry = written ?? this.entries.get(path);
			if (entry?.files.recordingPath === path && (this.recordedAt.get(path) ?? 0) >= lastAt) continue;
			isChanged = true;
			this.recordedAt.set(path, lastAt);
			const files = written === undefined ? recordedSession(id, path) : { ...written.files, recordingPath: path };
			this.addRecorded(files, written, lastAt);
		}
		return isChanged;
	}

	/** A session that a host has recorded. @param written Its transcripts, where there are some. */
	private addRecorded(files: SessionFiles, written: SessionEntry | undefined, lastAt: number): void {
		const path = files.recordingPath ?? '';
		const key = keyOf(files);
		const alone = written === undefined ? undefined : this.entries.get(path);
		if (alone !== undefined) this.remove(path);
		const entry = written ?? this.entries.get(key);
		if (alone !== undefined && key !== path) this.successors.set(path, key);
		else this.successors.delete(key);
		this.keyByPath.set(path, key);
		this.entries.set(key, {
			key,
			rowId: alone?.rowId ?? entry?.rowId ?? key,
			files,
			modifiedAt: Math.max(entry?.modifiedAt ?? 0, lastAt),
			bytes: entry?.bytes ?? 0,
			isOpened: entry?.isOpened === true,
			isFound: true,
			details: entry?.details,
		});
		this.held.get(key)?.session.setRecording(path);
	}

	private async add(found: SessionFiles, isFound: boolean): Promise<void> {
		const key = keyOf(found);
		// What only a host knew has its transcript now.
		const alone = [...this.entries.values()].find(
			({ files: { format, nativeId, saved } }) =>
				format === 'host' && saved === undefined && nativeId === idOf(found),
		);
		const known = this.entries.get(key);
		const recorded = found.recordingPath ?? known?.files.recordingPath ?? alone?.files.recordingPath;
		// Who looks at one day alone does not see that a thread was reverted on a later one.
		const revertedFrom = found.revertedFrom ?? known?.files.revertedFrom;
		const wasReverted = revertedFrom !== known?.files.revertedFrom;
		const files = { ...found, revertedFrom, recordingPath: recorded };
		let modifiedAt = 0;
		let bytes = 0;
		for (const path of pathsOf(files)) {
			try {
				const stat = await this.platform.files.stat(path);
				modifiedAt = Math.max(modifiedAt, stat?.modifiedAt ?? 0);
				bytes += stat?.size ?? 0;
			} catch (error) {
				this.log.failure(path, error);
			}
			this.keyByPath.set(path, key);
		}
		if (alone !== undefined) {
			this.remove(alone.key);
			this.successors.set(alone.key, key);
			if (recorded !== undefined) this.keyByPath.set(recorded, key);
		}
		this.entries.set(key, {
			key,
			rowId: alone?.rowId ?? known?.rowId ?? key,
			files,
			modifiedAt,
			bytes,
			isOpened: known?.isOpened === true,
			isFound: isFound || known?.isFound === true,
			details: wasReverted ? undefined : known?.details,
		});
		if (wasReverted) this.held.get(key)?.session.setReverted(revertedFrom);
	}

	private remove(key: SessionKey): void {
		const entry = this.entries.get(key);
		if (entry === undefined) return;
		for (const path of pathsOf(entry.files)) this.keyByPath.delete(path);
		if (entry.files.recordingPath !== undefined) this.keyByPath.delete(entry.files.recordingPath);
		this.entries.delete(key);
		this.liveHolds.get(key)?.dispose();
		this.liveHolds.delete(key);
		this.listChanged.request();
	}

	private forget(key: SessionKey): void {
		const holding = this.held.get(key);
		if (holding === undefined) return;
		clearTimeout(holding.timer);
		this.held.delete(key);
		holding.session.dispose();
		this.noteUse();
	}

	private noteUse(): void {
		if (this.wasInUse === this.isInUse) return;
		this.wasInUse = this.isInUse;
		this.useChanged.fire();
	}

	/** The session of an id as events have it; of one that is recorded in two places that which has the host's record. */
	private entryOf(id: string): SessionEntry | undefined {
		let found: SessionEntry | undefined;
		for (const entry of this.entries.values()) {
			if (idOf(entry.files) === id && (found === undefined || entry.files.recordingPath !== undefined))
				found = entry;
		}
		return found;
	}

	/** By other settings everything is looked at anew. */
	private startOver(): void {
		for (const [key, entry] of this.entries) this.entries.set(key, { ...entry, details: undefined });
		for (const { session } of this.held.values()) void session.restart(lintSettings()); // its failures are logged
		this.changed.fire(undefined);
	}

	private takeDetails(session: SessionInView): void {
		const entry = this.entries.get(session.key);
		if (entry === undefined) return;
		const { conversation, summary } = session;
		const details: SessionDetails = {
			title: conversation.title,
			cwd: conversation.cwd,
			state: conversation.liveness.state,
			since: conversation.liveness.since,
			lastEventAt: conversation.lastEventAt,
			agents: summary.agents.size,
			calls: summary.calls,
			pending: summary.pending,
			orphaned: summary.orphaned,
			worst: summary.worst,
			diagnostics: session.diagnostics,
			modifiedAt: entry.modifiedAt,
		};
		for (const path of pathsOf(session.files)) this.keyByPath.set(path, session.key);
		this.entries.set(session.key, { ...entry, files: session.files, details });
		this.changed.fire(session.key);
	}

	private async readDetails(): Promise<void> {
		for (;;) {
			const key = this.wantedDetails.find((candidate) => this.needsDetails(candidate));
			if (key === undefined) return;
			const hold = this.hold(key);
			if (hold === undefined) continue;
			await hold.session.whenRead;
			this.takeDetails(hold.session);
			this.keepIfLive(key, hold);
			// A long list is read in the background; whatever else is to be done comes in between.
			await delay(0);
		}
	}

	private needsDetails(key: SessionKey): boolean {
		const entry = this.entries.get(key);
		if (entry === undefined || (entry.bytes > detailLimitBytes && !this.held.has(key))) return false;
		return entry.details === undefined || entry.details.modifiedAt < entry.modifiedAt;
	}

	/** Live sessions are followed for as long as the list is watched, a few of them. */
	private keepIfLive(key: SessionKey, hold: SessionHold): void {
		if (this.watchers > 0 && this.mayGrow(hold.session) && !this.liveHolds.has(key)) {
			this.liveHolds.set(key, hold);
			const oldest = this.liveHolds.keys().next();
			if (this.liveHolds.size > followedLiveSessions && oldest.done === false) {
				this.liveHolds.get(oldest.value)?.dispose();
				this.liveHolds.delete(oldest.value);
			}
			return;
		}
		hold.dispose();
		// Read for its row alone, it need not linger.
		if (this.held.get(key)?.holds === 0) this.forget(key);
	}

	/** Read on from where it ends rather than from its beginning whenever something is appended. */
	private mayGrow({ key, conversation }: SessionInView): boolean {
		const { state } = conversation.liveness;
		const modifiedAt = this.entries.get(key)?.modifiedAt ?? 0;
		return state === 'live' || (state === 'unknown' && Date.now() - modifiedAt < recentMs);
	}

	private startWatching(): void {
		const watching = new DisposableStore();
		this.watching = watching;
		watching.add(
			watchFolder(hostDirectory(this.platform.files), (name) => {
				if (name === undefined || name.startsWith('sessions.sqlite')) this.lookingAtRecordings.request();
			}),
		);
		for (const { path } of this.folders) {
			const watcher = watching.add(
				workspace.createFileSystemWatcher(new RelativePattern(Uri.file(path), '**/*.jsonl')),
			);
			const touch = (uri: Uri) => {
				this.touched.add(uri.fsPath);
				this.touching.request();
			};
			watching.add(watcher.onDidCreate(touch));
			watching.add(watcher.onDidChange(touch));
			watching.add(watcher.onDidDelete(touch));
			void this.watchNewest(path, watching, dateFolders); // its failures are logged
		}
	}

	/**
	 * VS Code's watcher misses what is written into a folder that has just been made, and that is how sessions of a new project or of
	 * a new day begin. So the folder itself is watched, and the last one in it by name, as deep as folders of dates go.
	 */
	private async watchNewest(folder: string, watching: DisposableStore, depth: number): Promise<void> {
		const { files } = this.platform;
		watching.add(
			watchFolder(folder, (name) => {
				if (name === undefined || name.endsWith('.jsonl')) return;
				const path = joinPath(files, folder, name);
				for (const wait of settleMs) {
					const timer = setTimeout(() => {
						this.touched.add(path);
						this.touching.request();
					}, wait);
					watching.add({ dispose: () => clearTimeout(timer) });
				}
			}),
		);
		if (depth === 0) return;
		try {
			if ((await files.stat(folder)) === undefined) return;
			const newest = (await files.list(folder))
				.filter(({ name, isDirectory }) => isDirectory && /^\d{2,4}$/.test(name))
				.sort((one, other) => (one.name < other.name ? 1 : -1))[0];
			if (newest !== undefined) await this.watchNewest(joinPath(files, folder, newest.name), watching, depth - 1);
		} catch (error) {
			this.log.failure(folder, error);
		}
	}

	private stopWatching(): void {
		this.watching?.dispose();
		this.watching = undefined;
		for (const hold of this.liveHolds.values()) hold.dispose();
		this.liveHolds.clear();
	}

	private async lookAtTouched(): Promise<void> {
		const paths = [...this.touched];
		this.touched = new Set();
		for (const path of paths) {
			try {
				await this.lookAt(path);
			} catch (error) {
				this.log.failure(path, error);
			}
		}
		if (paths.length > 0) this.listChanged.request();
	}

	private async lookAt(path: string): Promise<void> {
		const key = this.keyByPath.get(path);
		const stat = await this.platform.files.stat(path);
		if (stat === undefined) {
			const below = `${path}${this.platform.files.separator}`;
			for (const other of [...this.entries.keys()]) {
				if (other === path || other.startsWith(below)) this.remove(other);
			}
			return;
		}
		const entry = key === undefined ? undefined : this.entries.get(key);
		if (entry !== undefined) {
			this.entries.set(entry.key, { ...entry, modifiedAt: Math.max(entry.modifiedAt, stat.modifiedAt) });
			return;
		}
		const { sessions } = await this.core.findSessions(path, { isHome: this.folders.some(({ isHome }) => isHome) });
		for (const session of sessions) {
			// A subagent may have been there before its main transcript.
			for (const other of pathsOf(session)) {
				const otherKey = this.keyByPath.get(other);
				if (otherKey !== undefined && otherKey !== keyOf(session)) this.remove(otherKey);
			}
			await this.add(session, true);
		}
	}
}

/** As events have it. One that was saved is nobody's that goes on. */
function idOf(files: SessionFiles): string {
	return files.saved === undefined ? sessionIdOf(files) : `saved ${files.saved.path}`;
}

function activityOf(entry: SessionEntry): number {
	return entry.details?.lastEventAt ?? entry.modifiedAt;
}
