// crosstalk hooks: puts our hooks into a settings file of Claude Code, and takes them out again.

import { chmod, mkdir, open, readFile, realpath, rm, rmdir, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ExpectedError } from '../../../../core/base/errors.ts';
import { lineAt, plainOf } from '../../../../core/host/config/configValue.ts';
import type { ConfigValue } from '../../../../core/host/config/configValue.ts';
import { masked } from '../../../../core/host/config/masking.ts';
import type { Mask } from '../../../../core/host/config/masking.ts';
import { unifiedDiff } from '../../../../core/host/config/unifiedDiff.ts';
import { record } from '../../../../core/host/hooks/hookFacts.ts';
import type { Json } from '../../../../core/host/hooks/hookFacts.ts';
import { makeFolder } from '../makeFolder.ts';
import { decodeConfig } from '../config/clientConfig.ts';
import { sha256Of } from '../config/importStore.ts';
import { parseJsonConfig } from '../config/jsonConfig.ts';
import { replaceFile } from '../config/replaceFile.ts';
import { codeOf, isErrno } from '../../errno.ts';
import { onceLetGo } from '../heldFile.ts';
import { readRegularFile, readRegularText } from '../../regularFile.ts';
import { prepareDataDirectory, writePrivateFile } from '../dataDirectory.ts';
import { takeLock } from '../ownership.ts';
import { addressOfHandler, handlersIn, hookHandlers, isOurHandler, obstacleIn } from './claudeCodeSettings.ts';
import type { HookPlace } from './claudeCodeSettings.ts';
import { withHandlers, withoutHandlers, wrongHooks } from './hookEdits.ts';

export interface HookProblem {
	readonly path: string;
	/** 1-based, where it is about a place in the file. */
	readonly line?: number | undefined;
	/** A finished sentence. */
	readonly message: string;
}

/** What would become of a settings file. */
export interface PlannedHooks {
	readonly path: string;
	/** `undefined`: there is no such file yet. */
	readonly before: Buffer | undefined;
	readonly after: Buffer;
	/** Without what is a secret or nobody's business; empty: nothing would change. */
	readonly diff: string;
	/** Events that would be heard of. */
	readonly events: readonly string[];
}

export interface RemovedHooks {
	readonly path: string;
	/**
	 * `restored`: the same bytes as before, or no file where there was none; `merged`: the file was changed since, and our hooks were taken
	 * out of it; `unchanged`: there were none in it; `failed`: they are still there.
	 */
	readonly result: 'restored' | 'merged' | 'unchanged' | 'failed';
	/** Of a file that was changed since: what was taken out. */
	readonly diff: string;
	/** Finished sentences. */
	readonly remarks: readonly string[];
	/** The file as it was before, where it is still kept. */
	readonly backup: string | undefined;
}

/** What there is of ours in a settings file. */
export interface FoundHooks {
	readonly path: string;
	readonly events: readonly string[];
	/** Events that an installation of today would have and this one has not. */
	readonly missing: readonly string[];
	/** Whether they lead to the host of this data directory, where it is now. */
	readonly isCurrent: boolean;
	/** What in this file keeps hooks from running. */
	readonly obstacle: string | undefined;
}

/** Looks at the file and changes nothing. */
export async function planHooks(path: string, place: HookPlace): Promise<PlannedHooks | HookProblem> {
	const file = await readSettings(path);
	if ('message' in file) return file;
	const handlers = hookHandlers(place);
	const events = [...handlers.keys()];
	const isThere = isSameSet(file.settings, handlers);
	const { before, text, mark } = file;
	const changed = isThere ? text : withHandlers(text, handlers);
	if (changed === undefined) return { path, message: 'It is written in a way that cannot be changed safely.' };
	const after = before === undefined && !changed.endsWith('\n') ? `${changed}\n` : changed;
	return {
		path,
		before,
		after: Buffer.from(mark + after),
		diff: isThere ? '' : diffOf(path, before === undefined ? '' : text, after),
		events,
	};
}

/** Does what was planned, unless the file has changed meanwhile. */
export async function writeHooks(directory: string, planned: PlannedHooks): Promise<HookProblem | undefined> {
	if (planned.diff === '') return undefined;
	const real = await prepareDataDirectory(directory);
	return alone(real, async () => writeAlone(real, planned));
}

async function writeAlone(real: string, planned: PlannedHooks): Promise<HookProblem | undefined> {
	const { path, before, after } = planned;
	const known = await readInstalled(real);
	const earlier = known.find((file) => file.path === path);
	const isUntouched = before !== undefined && earlier !== undefined && sha256Of(before) === earlier.writtenSha256;
	// What was installed before is not what the file was like before.
	const original = isUntouched ? undefined : before === undefined ? null : (withoutOurs(before) ?? before);
	if (original !== undefined && original !== null) await keepBackup(real, original);
	const installed: InstalledHooks = {
		path,
		installedAt: new Date().toISOString(),
		originalSha256: isUntouched
			? earlier.originalSha256
			: original === null || original === undefined
				? null
				: sha256Of(original),
		writtenSha256: sha256Of(after),
		madeFolder: earlier?.madeFolder ?? false,
	};
	try {
		if (before === undefined) {
			const madeFolder = await makeOwnFolder(dirname(path));
			await writeInstalled(real, [...without(known, path), { ...installed, madeFolder }]);
			await createFile(path, after);
			return undefined;
		}
		if (isReadOnly(await stat(path))) return { path, message: 'It is read-only. Nothing was written to it.' };
		// First the way back, then the change.
		await writeInstalled(real, [...without(known, path), installed]);
		if (await replaceFile(path, before, after)) return undefined;
	} catch (error) {
		if (error instanceof ExpectedError) throw error;
		await writeInstalled(real, known);
		if (isErrno(error, 'EEXIST')) return { path, message: changedMeanwhile };
		return { path, message: `It cannot be written${codeOf(error)}.` };
	}
	await writeInstalled(real, known);
	return { path, message: changedMeanwhile };
}

/** Takes our hooks out of a file: it is as it was before, or, where it was changed since, without them. */
export async function removeHooks(directory: string, path: string): Promise<RemovedHooks> {
	// Where there is no such folder nothing was ever installed from, and nobody is installing.
	const isThere = (await stat(directory).catch(() => undefined))?.isDirectory() === true;
	return isThere ? alone(directory, async () => removeAlone(directory, path)) : removeAlone(directory, path);
}

async function removeAlone(directory: string, path: string): Promise<RemovedHooks> {
	const known = await readInstalled(directory);
	const installed = known.find((file) => file.path === path);
	const file = await readSettings(path);
	const backup =
		installed?.originalSha256 === undefined || installed.originalSha256 === null
			? undefined
			: backupPath(directory, installed.originalSha256);
	const failed = (remark: string): RemovedHooks => ({ path, result: 'failed', diff: '', remarks: [remark], backup });
	if ('message' in file) {
		const line = file.line === undefined ? '' : `Line ${file.line}: `;
		return failed(`${line}${file.message}`);
	}
	const { before, text, mark } = file;
	const forget = async () => {
		if (installed === undefined) return;
		const others = without(known, path);
		await writeInstalled(directory, others);
		// Files that were the same before have one backup.
		const isShared = others.some(({ originalSha256 }) => originalSha256 === installed.originalSha256);
		if (backup !== undefined && !isShared) await onceLetGo(() => rm(backup, { force: true }));
	};
	if (before === undefined || !handlersIn(file.settings).some(({ handler }) => isOurHandler(handler))) {
		await forget();
		return { path, result: 'unchanged', diff: '', remarks: [], backup: undefined };
	}
	const isUntouched = installed !== undefined && sha256Of(before) === installed.writtenSha256;
	try {
		if (isReadOnly(await stat(path))) return failed('It is read-only. Nothing was written to it.');
		if (isUntouched && installed.originalSha256 === null) {
			await onceLetGo(() => unlink(path));
			if (installed.madeFolder) await rmdir(dirname(path)).catch(() => undefined); // somebody else uses it by now
			await forget();
			return { path, result: 'restored', diff: '', remarks: [], backup: undefined };
		}
		const original = isUntouched ? await readBackup(directory, installed.originalSha256) : undefined;
		const after = original ?? withoutOurs(before);
		if (after === undefined)
			return failed('It is written in a way that cannot be changed safely. Take the hooks out by hand.');
		if (!(await replaceFile(path, before, after)))
			return failed('Somebody is changing it just now. Nothing was written to it; run the command again.');
		if (original !== undefined) {
			await forget();
			return { path, result: 'restored', diff: '', remarks: [], backup: undefined };
		}
		if (installed !== undefined) await writeInstalled(directory, without(known, path));
		const remarks =
			installed === undefined
				? ['It was not known how the file was before; the hooks were taken out of it.']
				: isUntouched
					? ['Its backup is not there or damaged; the hooks were taken out of it.']
					: ['It was changed since; the hooks were taken out of it.'];
		const now = after.toString('utf8').slice(mark.length);
		return { path, result: 'merged', diff: diffOf(path, text, now), remarks, backup };
	} catch (error) {
		if (error instanceof ExpectedError) throw error;
		return failed(`It cannot be written${codeOf(error)}.`);
	}
}

/** @param place `undefined`: where the host is, is not known. */
export async function findHooks(path: string, place: HookPlace | undefined): Promise<FoundHooks | HookProblem> {
	const file = await readSettings(path);
	if ('message' in file) return file;
	const ours = handlersIn(file.settings).filter(({ handler }) => isOurHandler(handler));
	const events = [...new Set(ours.map(({ event }) => event))];
	const wanted = place === undefined ? [] : [...hookHandlers(place).keys()];
	const addresses = new Set(ours.map(({ handler }) => addressOfHandler(handler)).filter((url) => url !== undefined));
	return {
		path,
		events,
		missing: wanted.filter((event) => !events.includes(event)),
		isCurrent: place !== undefined && addresses.size === 1 && addresses.has(place.url),
		obstacle: obstacleIn(file.settings),
	};
}

/** Every file into which hooks were put with this data directory. */
export async function installedPaths(directory: string): Promise<readonly string[]> {
	return (await readInstalled(directory)).map(({ path }) => path);
}

interface Settings {
	readonly before: Buffer | undefined;
	readonly text: string;
	/** A byte order mark, where there is one. */
	readonly mark: string;
	readonly settings: Json;
}

async function readSettings(path: string): Promise<Settings | HookProblem> {
	let before: Buffer;
	try {
		before = await readRegularFile(path);
	} catch (error) {
		if (isErrno(error, 'ENOENT')) return { before: undefined, text: '{}', mark: '', settings: {} };
		return { path, message: `It cannot be read${codeOf(error)}.` };
	}
	const decoded = decodeConfig(before);
	if (typeof decoded === 'string') return { path, line: 1, message: decoded };
	const { mark } = decoded;
	const text = decoded.text.trim() === '' ? '{}' : decoded.text;
	let settings: unknown;
	try {
		settings = JSON.parse(text);
	} catch {
		// The strict parser says no place; the other one also takes what Claude Code does not.
		const lenient = parseJsonConfig(text);
		const [problem] = lenient.problems;
		const [comment] = lenient.comments();
		const offset = problem?.offset ?? comment?.offset ?? 0;
		const what = problem?.message ?? (comment === undefined ? 'It has a comma too many.' : 'It has comments.');
		return {
			path,
			line: lineAt(text, offset),
			message: `${what} Claude Code reads nothing of a file like this; mend it first.`,
		};
	}
	const object = record(settings);
	const wrong = object === undefined ? 'It must hold an object.' : wrongHooks(object);
	if (object === undefined || wrong !== undefined)
		return { path, line: 1, message: `${wrong ?? ''} The file is left alone.` };
	return { before, text, mark, settings: object };
}

function isSameSet(settings: Json, wanted: ReadonlyMap<string, Json>): boolean {
	const ours = handlersIn(settings).filter(({ handler }) => isOurHandler(handler));
	if (ours.length !== wanted.size) return false;
	return ours.every(({ event, handler }) => JSON.stringify(wanted.get(event)) === JSON.stringify(handler));
}

function withoutOurs(bytes: Buffer): Buffer | undefined {
	const decoded = decodeConfig(bytes);
	if (typeof decoded === 'string') return undefined;
	const text = decoded.text.trim() === '' ? decoded.text : withoutHandlers(decoded.text);
	return text === undefined ? undefined : Buffer.from(decoded.mark + text);
}

function isReadOnly({ mode }: { readonly mode: number }): boolean {
	return (mode & 0o222) === 0;
}

const changedMeanwhile = 'Somebody has changed it since it was read. Nothing was written to it; run the command again.';

/** Whether it was not there before. */
async function makeOwnFolder(folder: string): Promise<boolean> {
	try {
		await mkdir(folder, { recursive: false });
		return true;
	} catch (error) {
		if (isErrno(error, 'EEXIST')) return false;
		throw error;
	}
}

/** For its owner alone: what is in it is for this user's host. */
async function createFile(path: string, bytes: Uint8Array): Promise<void> {
	const file = await open(path, 'wx', 0o600);
	try {
		await file.writeFile(bytes);
		await file.sync();
	} finally {
		await file.close();
	}
	if (process.platform !== 'win32') await chmod(path, 0o600);
}

/** A diff that shows our hooks, without their secret, and of everything else only that it is there. */
function diffOf(path: string, before: string, after: string): string {
	const show = (text: string) => {
		const { root } = parseJsonConfig(text);
		return root === undefined ? '' : masked(text, masksIn(root));
	};
	return before === after ? '' : unifiedDiff(path, before, after, show(before), show(after));
}

function masksIn(root: ConfigValue): readonly Mask[] {
	const masks: Mask[] = [];
	const walk = (value: ConfigValue): void => {
		if (value.kind === 'array') value.items.forEach(walk);
		else if (value.kind === 'object') {
			const isOurs = isOurHandler(plainOf(value));
			for (const member of value.members) if (!isOurs || member.name === 'url') hide(member.value, isOurs);
		} else hide(value, false);
	};
	const hide = (value: ConfigValue, isOurs: boolean): void => {
		if (value.kind !== 'scalar') return walk(value);
		if (typeof value.value === 'boolean' || value.value === null) return;
		const shown = isOurs ? String(value.value).replace(/(:\d+\/)[\w-]+(\/hooks\/)/, '$1…$2') : '…';
		masks.push({ offset: value.offset, end: value.end, text: JSON.stringify(shown) });
	};
	walk(root);
	return masks.sort((one, other) => one.offset - other.offset);
}

/** hooks.json in the data directory: where our hooks stand, and what stood there before. */
interface InstalledHooks {
	readonly path: string;
	readonly installedAt: string;
	/** `null`: there was no file. The file `hook-backups/<originalSha256>` holds the bytes. */
	readonly originalSha256: string | null;
	readonly writtenSha256: string;
	/** Its folder was made for it. */
	readonly madeFolder: boolean;
}

const recordFile = 'hooks.json';
const lockFile = 'hooks-lock.sqlite';
const longestWaitMs = 10_000;

/** Two that write the record at once would each keep their own way back and lose the other's. The system takes the lock back from whoever ends. */
async function alone<Result>(directory: string, run: () => Promise<Result>): Promise<Result> {
	const deadline = performance.now() + longestWaitMs;
	for (;;) {
		// Waiting within SQLite would hold up this whole thread.
		const lock = await takeLock(join(directory, lockFile), { contentionMs: 0 });
		if (lock !== undefined) {
			try {
				return await run();
			} finally {
				lock.dispose();
			}
		}
		if (performance.now() > deadline)
			throw new ExpectedError(
				`Somebody else is installing or removing hooks with the data directory ${directory} just now. Nothing was changed; try again.`,
			);
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}

async function readInstalled(directory: string): Promise<readonly InstalledHooks[]> {
	const path = join(directory, recordFile);
	let text: string;
	try {
		text = await readRegularText(path);
	} catch (error) {
		if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return [];
		throw new ExpectedError(`${path} cannot be read${codeOf(error)}.`, { cause: error });
	}
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch (error) {
		throw new ExpectedError(
			`${path} is damaged. The files as they were are in ${join(directory, 'hook-backups')}.`,
			{
				cause: error,
			},
		);
	}
	const { version, files } = record(value) ?? {};
	if (version !== 1 || !Array.isArray(files) || !files.every(isInstalled))
		throw new ExpectedError(
			`${path} is not as it was written. The files as they were are in ${join(directory, 'hook-backups')}.`,
		);
	return files;
}

function isInstalled(value: unknown): value is InstalledHooks {
	const file = record(value);
	const isSha = (text: unknown) => typeof text === 'string' && /^[\da-f]{64}$/.test(text);
	return (
		file !== undefined &&
		typeof file['path'] === 'string' &&
		(file['originalSha256'] === null || isSha(file['originalSha256'])) &&
		isSha(file['writtenSha256'])
	);
}

async function writeInstalled(directory: string, files: readonly InstalledHooks[]): Promise<void> {
	await writePrivateFile(join(directory, recordFile), `${JSON.stringify({ version: 1, files }, undefined, '\t')}\n`);
}

function without(files: readonly InstalledHooks[], path: string): readonly InstalledHooks[] {
	return files.filter((file) => file.path !== path);
}

function backupPath(directory: string, sha256: string): string {
	return join(directory, 'hook-backups', sha256);
}

async function keepBackup(directory: string, bytes: Uint8Array): Promise<void> {
	const path = backupPath(directory, sha256Of(bytes));
	try {
		await makeFolder(dirname(path), 0o700);
		await writeFile(path, bytes, { mode: 0o600, flush: true });
	} catch (error) {
		throw new ExpectedError(`The backup ${path} cannot be written${codeOf(error)}. Nothing was changed.`, {
			cause: error,
		});
	}
}

/** The bytes, if they are there and still the same. */
async function readBackup(directory: string, sha256: string | null): Promise<Buffer | undefined> {
	if (sha256 === null) return undefined;
	try {
		const bytes = await readFile(backupPath(directory, sha256));
		return sha256Of(bytes) === sha256 ? bytes : undefined;
	} catch (error) {
		if (isErrno(error, 'ENOENT')) return undefined;
		throw new ExpectedError(`${backupPath(directory, sha256)} cannot be read${codeOf(error)}.`, { cause: error });
	}
}

/** The one true path of a file that may not be there yet, so that it is known again by whatever way one comes to it. */
export async function truePath(path: string): Promise<string> {
	try {
		return join(await realpath(dirname(path)), path.slice(dirname(path).length + 1));
	} catch {
		// Its folder is to be made as well.
		return path;
	}
}
