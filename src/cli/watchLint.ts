import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import type { Core, FollowedSession } from '../core/core.ts';
import { createLintResult } from '../core/report/index.ts';
import type { LintResult, LintedFile, SessionFindings } from '../core/report/index.ts';
import { pathsOf } from '../core/transcripts/sessionFiles.ts';
import { exitCode, tellProblems, writeReport } from './commands/lint.ts';
import type { LintOptions } from './commands/lint.ts';
import { findingsOf } from './findings.ts';
import type { CommandIo } from './io.ts';
import { runTasks } from './runTasks.ts';
import { findTargets } from './targets.ts';
import type { Target } from './targets.ts';

/** Writers write in bursts. */
const burst = 30;
/** How often the processes of running sessions are asked after, and files that nobody watches are looked at. */
const probeInterval = 2000;
/** How often folders are searched again for what their watchers have missed. */
const searchInterval = 30_000;
/** A session that was written to within this time is likely to be written to again. */
const recent = 3_600_000;

interface Watched {
	target: Target;
	/** `undefined`: it was read once, and is followed from its first change on. */
	followed: FollowedSession | undefined;
	findings: SessionFindings | undefined;
}

/** Reports now, and again with every change, until the person stops it. Gives the exit code of the last report. */
export async function watchLint(core: Core, io: CommandIo, options: LintOptions): Promise<number> {
	const lintWatch = new LintWatch(core, io, options);
	try {
		return await lintWatch.run();
	} finally {
		lintWatch.dispose();
	}
}

class LintWatch {
	private readonly core: Core;
	private readonly io: CommandIo;
	private readonly options: LintOptions;
	private readonly watchers: FSWatcher[] = [];
	private readonly timers: NodeJS.Timeout[] = [];
	private readonly sessions = new Map<string, Watched>();
	/** Which session a file belongs to. */
	private readonly keyOf = new Map<string, string>();
	private unread: readonly LintedFile[] = [];
	private roots: readonly string[] = [];
	private changed = new Set<string>();
	private isProbeDue = false;
	private isSearchDue = false;
	private wake: () => void = () => undefined;

	constructor(core: Core, io: CommandIo, options: LintOptions) {
		this.core = core;
		this.io = io;
		this.options = options;
	}

	async run(): Promise<number> {
		const { io, options } = this;
		this.io.signal.addEventListener('abort', () => this.wake(), { once: true });
		// Watched before it is read: what changes in between is looked at twice rather than not at all.
		for (const path of options.paths) await this.watchPath(path);
		this.timers.push(
			setInterval(() => this.due('isProbeDue'), probeInterval),
			setInterval(() => this.due('isSearchDue'), searchInterval),
		);
		let last = await this.report(() => this.readAll());
		while (!io.signal.aborted) {
			await this.nextChange();
			if (io.signal.aborted) break;
			if (await this.readOn()) last = await this.report(() => Promise.resolve());
		}
		return last === undefined ? 2 : exitCode(last, options.failOn);
	}

	dispose(): void {
		for (const watcher of this.watchers) watcher.close();
		for (const timer of this.timers) clearInterval(timer);
	}

	private due(what: 'isProbeDue' | 'isSearchDue'): void {
		this[what] = true;
		this.wake();
	}

	private async nextChange(): Promise<void> {
		if (this.changed.size === 0 && !this.isProbeDue && !this.isSearchDue && !this.io.signal.aborted) {
			await new Promise<void>((resolve) => (this.wake = resolve));
		}
		if (this.changed.size > 0) await new Promise((resolve) => setTimeout(resolve, burst));
	}

	private async watchPath(path: string): Promise<void> {
		const isFolder = (await this.io.platform.files.stat(path).catch(() => undefined))?.isDirectory === true;
		const folder = isFolder ? path : dirname(path);
		if (isFolder) this.roots = [...this.roots, path];
		try {
			const watcher = watch(folder, { recursive: isFolder }, (_event, name) => {
				if (name === null) this.isSearchDue = true;
				else this.changed.add(join(folder, name));
				this.wake();
			});
			// The timers look at what is not watched.
			watcher.on('error', () => watcher.close());
			this.watchers.push(watcher);
		} catch {
			// Not every file system can be watched; the timers look instead.
		}
	}

	/** One round, between the lines that a problem matcher waits for. */
	private async report(read: () => Promise<void>): Promise<LintResult | undefined> {
		const { io, options } = this;
		const say = (word: string) =>
			(options.format === 'text' && options.output === undefined ? io.stdout : io.stderr).write(
				`crosstalk: lint ${word}\n`,
			);
		const startedAt = io.platform.clock.now();
		say('started');
		try {
			await read();
			const findings = [...this.sessions.values()].flatMap((session) =>
				session.findings === undefined ? [] : [session.findings],
			);
			const result = createLintResult(findings, this.unread, Math.round(io.platform.clock.now() - startedAt));
			await writeReport(result, io, options);
			tellProblems(result, io);
			return result;
		} catch (error) {
			if (io.signal.aborted) return undefined;
			throw error;
		} finally {
			say('finished');
		}
	}

	private async readAll(): Promise<void> {
		const { io, options } = this;
		await this.search(options.paths);
		const once: Watched[] = [];
		for (const watched of this.sessions.values()) {
			if (this.sessions.size <= 4 || (await this.isRecent(watched.target))) await this.follow(watched, undefined);
			else once.push(watched);
		}
		const { assume, rules, scope } = options;
		const tasks = once.map(
			({ target: { session, only } }) => ({ kind: 'lint', session, only, assume, rules, scope }) as const,
		);
		const findings = await runTasks(io, tasks);
		for (const [index, watched] of once.entries()) watched.findings = findings[index];
	}

	private async isRecent({ session }: Target): Promise<boolean> {
		const now = this.io.platform.clock.now();
		for (const path of pathsOf(session)) {
			const stat = await this.io.platform.files.stat(path).catch(() => undefined);
			if (stat !== undefined && now - stat.modifiedAt < recent) return true;
		}
		return false;
	}

	/** Looks at what is said to have changed. Returns whether there is anything new to tell. */
	private async readOn(): Promise<boolean> {
		const paths = this.changed;
		const { isProbeDue, isSearchDue } = this;
		this.changed = new Set();
		this.isProbeDue = false;
		this.isSearchDue = false;
		let isNew = false;
		try {
			// A named file that is not there yet, and the subagents of one that is, come without a word of a recursive watcher.
			const named = isProbeDue ? this.options.paths.filter((path) => !this.roots.includes(path)) : [];
			const unknown = [...paths].filter((path) => !this.keyOf.has(path) && this.mayBeTranscript(path));
			isNew = await this.search([...named, ...unknown, ...(isSearchDue ? this.roots : [])]);
			const touched = new Map<string, Set<string>>();
			for (const path of paths) {
				const key = this.keyOf.get(path) ?? this.keyOf.get(path.replace(/\.meta\.json$/, '.jsonl'));
				if (key !== undefined) touched.set(key, (touched.get(key) ?? new Set()).add(path));
			}
			for (const [key, watched] of this.sessions) {
				// A folder that goes as a whole says nothing of what was in it.
				if ((isSearchDue || isNew) && (await this.isGone(watched))) {
					this.forget(key);
					isNew = true;
					continue;
				}
				const touchedPaths = touched.get(key);
				const isLookedAt =
					isProbeDue &&
					watched.followed !== undefined &&
					(watched.followed.conversation.liveness.state !== 'ended' || watched.followed.isUnsettled);
				if (watched.findings !== undefined && touchedPaths === undefined && !isLookedAt) continue;
				isNew = (await this.follow(watched, isLookedAt ? undefined : touchedPaths)) || isNew;
				if (await this.isGone(watched)) this.forget(key);
			}
		} catch (error) {
			if (!this.io.signal.aborted) throw error;
		}
		return isNew;
	}

	private mayBeTranscript(path: string): boolean {
		return path.endsWith('.jsonl') || !path.slice(path.lastIndexOf(sep) + 1).includes('.');
	}

	/** Finds the sessions behind paths. Returns whether one is new or has new files, or what cannot be read has changed. */
	private async search(paths: readonly string[]): Promise<boolean> {
		let isNew = false;
		if (paths.length === 0) return false;
		const isNamed = (path: string) => this.options.paths.includes(path);
		for (const path of paths) {
			const isInRoot = this.roots.some(
				(root) => path === root || path.startsWith(root.endsWith(sep) ? root : `${root}${sep}`),
			);
			// What else lies beside a named file was not asked for.
			if (!isInRoot && !isNamed(path)) continue;
			const { targets, unread } = await findTargets(this.core, this.io, [path], this.options.as);
			for (const target of targets) isNew = this.add(isInRoot ? { ...target, only: undefined } : target) || isNew;
			if (!isNamed(path)) continue;
			const others = this.unread.filter((file) => file.path !== path && !file.path.startsWith(`${path}${sep}`));
			const now = [...others, ...unread];
			if (JSON.stringify(now) !== JSON.stringify(this.unread)) isNew = true;
			this.unread = now;
		}
		return isNew;
	}

	private add(target: Target): boolean {
		const files = pathsOf(target.session);
		const key = `${target.session.format}\n${files[0] ?? ''}`;
		const known = this.sessions.get(key);
		const before = known === undefined ? [] : pathsOf(known.target.session);
		const isReverted = target.session.revertedFrom !== known?.target.session.revertedFrom;
		if (known !== undefined && !isReverted && files.every((file) => before.includes(file))) return false;
		// Subagents may be found before the file of the session that they belong to.
		for (const file of files) {
			const other = this.keyOf.get(file);
			if (other !== undefined && other !== key) this.forget(other);
			this.keyOf.set(file, key);
		}
		if (known === undefined) {
			this.sessions.set(key, { target, followed: undefined, findings: undefined });
		} else {
			known.target = { session: target.session, only: known.target.only };
			known.followed?.setFiles(target.session);
			known.findings = undefined;
		}
		return true;
	}

	private forget(key: string): void {
		this.sessions.delete(key);
		for (const [path, owner] of this.keyOf) if (owner === key) this.keyOf.delete(path);
	}

	/** A session of a searched folder whose files are all gone. A file that was named stays, as one that cannot be read. */
	private async isGone({ target }: Watched): Promise<boolean> {
		for (const path of pathsOf(target.session)) {
			if (this.options.paths.includes(path)) return false;
			if ((await this.io.platform.files.stat(path).catch(() => undefined)) !== undefined) return false;
		}
		return true;
	}

	/** Reads on. @param paths What has changed; `undefined`: not known, and the process is asked after too. */
	private async follow(watched: Watched, paths: ReadonlySet<string> | undefined): Promise<boolean> {
		const { assume, rules, scope } = this.options;
		watched.followed ??= this.core.followSession(watched.target.session, {
			assume,
			rules,
			scope,
			withPreviews: false,
			signal: this.io.signal,
		});
		const { followed } = watched;
		const before = problemsOf(followed);
		const { hasNewEvents, hasNewFindings, isFresh } = await followed.update({
			paths,
			isProbing: paths === undefined,
		});
		if (
			watched.findings !== undefined &&
			!hasNewEvents &&
			!hasNewFindings &&
			!isFresh &&
			before === problemsOf(followed)
		)
			return false;
		const { sessionFiles: files, conversation, diagnostics, inconclusive, readings } = followed;
		watched.findings = await findingsOf(
			{ files, conversation, diagnostics, inconclusive, readings },
			this.io.platform.files,
			watched.target.only,
		);
		return true;
	}
}

function problemsOf(followed: FollowedSession): string {
	return JSON.stringify([...followed.fileProblems]);
}
