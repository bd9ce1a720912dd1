// Test hosts and real agents weigh more than a gigabyte together, so they are no dev dependencies: they are installed once per
// exact version into the user's cache folder, and every clone on the machine shares them.

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { access, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface InstalledToolOptions {
	/** Names the folder together with the version; also what people read in progress lines. */
	readonly name: string;
	readonly version: string;
	/** What to hand to npm, each with its exact version: `code-server@4.139.1`. */
	readonly packages: readonly string[];
	/** Further steps before the tool counts as installed. The folder is renamed afterwards, so nothing in it may remember its path. */
	readonly after?: (directory: string) => Promise<void>;
	readonly ignoreScripts?: boolean;
}

/** The folder of an installed tool; its packages are in `node_modules` below it. */
export async function installedTool(options: InstalledToolOptions): Promise<string> {
	for (const specifier of options.packages) {
		if (!isExact(specifier)) {
			throw new ToolInstallError(
				`Cannot install ${options.name}: "${specifier}" does not name an exact version.`,
			);
		}
	}
	const cache = toolCacheDirectory();
	const directory = join(cache, `${options.name}-${options.version}`);
	if (await isComplete(directory)) return directory;
	await mkdir(cache, { recursive: true });

	const lock = await acquireLock(`${directory}.lock`, options);
	try {
		if (!(await isComplete(directory))) await install(directory, options);
	} finally {
		await lock.release();
	}
	return directory;
}

export function toolCacheDirectory(): string {
	const chosen = process.env.CROSSTALK_TOOL_CACHE;
	if (chosen) return chosen;
	if (process.platform === 'win32') {
		return join(process.env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'crosstalk-tools');
	}
	return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'crosstalk-tools');
}

/** Its message is a finished sentence for people: what is missing, and what to do. */
export class ToolInstallError extends Error {
	override readonly name = 'ToolInstallError';
}

/** For the script that a person has started: a missing tool is one line, and anything else a bug with its stack. */
export async function endingWithOneLine(main: () => Promise<void>): Promise<void> {
	try {
		await main();
	} catch (error) {
		if (!(error instanceof ToolInstallError)) throw error;
		process.stderr.write(`${error.message}\n`);
		process.exitCode = 1;
	}
}

export interface NpmOptions {
	readonly directory: string;
	readonly environment?: Readonly<Record<string, string>>;
}

/** Runs the npm that runs us, else the one on the PATH, with the Node that runs us. Rejects with what npm said last. */
export function runNpm(arguments_: readonly string[], { directory, environment = {} }: NpmOptions): Promise<void> {
	const npm = process.env.npm_execpath;
	// On Windows npm is a command file, which only a shell starts.
	const isCommandFile = npm === undefined && process.platform === 'win32';
	const command = npm === undefined ? 'npm' : process.execPath;
	const child = spawn(command, npm === undefined ? [...arguments_] : [npm, ...arguments_], {
		cwd: directory,
		// Packages' scripts call npx, and nobody is there to say yes.
		env: { ...withoutNpmVariables(process.env), npm_config_yes: 'true', ...environment },
		stdio: ['ignore', 'pipe', 'pipe'],
		shell: isCommandFile,
	});
	const said: Buffer[] = [];
	child.stdout.on('data', (chunk: Buffer) => said.push(chunk));
	child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
	return new Promise((resolve, reject) => {
		child.once('error', (error) => reject(new Error(`npm could not be started: ${error.message}`)));
		child.once('close', (code, signal) => {
			if (code === 0) return resolve();
			reject(
				new Error(
					lastWords(Buffer.concat(said).toString('utf8')) ?? `npm ended with ${signal ?? `code ${code}`}`,
				),
			);
		});
	});
}

const markerName = '.crosstalk-installed.json';
const heartbeatMs = 5_000;
const staleAfterMs = 60_000;

async function install(directory: string, options: InstalledToolOptions): Promise<void> {
	const { name, version, packages, after, ignoreScripts = false } = options;
	const startedAt = Date.now();
	progress(`installing ${name} ${version} into ${directory} (once per machine)`);
	// Built beside its place and renamed when whole: even if two processes should both come here, nobody ever sees a half-installed tool.
	const building = `${directory}.building-${process.pid}-${randomUUID().slice(0, 8)}`;
	try {
		await removeAbandonedBuilds(directory);
		await mkdir(building, { recursive: true });
		// Without a package.json of its own npm would climb to one further up.
		await writeFile(
			join(building, 'package.json'),
			JSON.stringify({ name: `${name.replaceAll(/[^a-z0-9-]/g, '-')}-installation`, private: true }),
		);
		await runNpm(
			[
				'install',
				'--save-exact',
				'--no-audit',
				'--no-fund',
				'--no-package-lock',
				'--loglevel=error',
				...(ignoreScripts ? ['--ignore-scripts'] : []),
				...packages,
			],
			{ directory: building },
		);
		await after?.(building);
		await writeFile(
			join(building, markerName),
			JSON.stringify({ name, version, packages, installedAt: new Date().toISOString() }),
		);
		await rm(directory, { recursive: true, force: true });
		await rename(building, directory);
	} catch (error) {
		await rm(building, { recursive: true, force: true });
		if (await isComplete(directory)) return;
		const reason = error instanceof Error ? error.message : String(error);
		throw new ToolInstallError(`Cannot install ${name} ${version}: ${reason.replace(/[.\s]*$/, '')}.`, {
			cause: error,
		});
	}
	progress(`installed ${name} ${version} in ${Math.round((Date.now() - startedAt) / 1000)} s`);
}

interface Lock {
	release(): Promise<void>;
}

async function acquireLock(path: string, { name, version }: InstalledToolOptions): Promise<Lock> {
	const owner = JSON.stringify({ pid: process.pid, host: hostname(), token: randomUUID() });
	for (let hasSaidSo = false; ;) {
		if (await createDirectory(path)) {
			await writeFile(join(path, 'owner.json'), owner);
			const heartbeat = setInterval(() => {
				const now = new Date();
				// Whoever took the lock over has also removed the folder; the rename at the end of the installation copes with that.
				utimes(path, now, now).catch(() => undefined);
			}, heartbeatMs);
			heartbeat.unref();
			return {
				async release() {
					clearInterval(heartbeat);
					if ((await readOwner(path)) === owner) await rm(path, { recursive: true, force: true });
				},
			};
		}
		const holder = await readOwner(path);
		if (await isStale(path, holder)) {
			progress(`taking over the abandoned installation of ${name} ${version}`);
			await removeLock(path, holder);
			continue;
		}
		if (!hasSaidSo) {
			progress(`waiting for another process that installs ${name} ${version}`);
			hasSaidSo = true;
		}
		await delay(250);
	}
}

/** False if it was there already. */
async function createDirectory(path: string): Promise<boolean> {
	try {
		await mkdir(path);
		return true;
	} catch (error) {
		if (hasCode(error, 'EEXIST')) return false;
		throw error;
	}
}

async function removeLock(path: string, holder: string | undefined): Promise<void> {
	// Renaming first makes sure that of several processes only one removes it, and that it is the lock it was judged to be.
	const taken = `${path}.stale-${randomUUID().slice(0, 8)}`;
	try {
		await rename(path, taken);
	} catch (error) {
		if (hasCode(error, 'ENOENT')) return;
		throw error;
	}
	if ((await readOwner(taken)) === holder) await rm(taken, { recursive: true, force: true });
	else await rename(taken, path).catch(() => rm(taken, { recursive: true, force: true }));
}

async function isStale(path: string, holder: string | undefined): Promise<boolean> {
	let touchedAt: number;
	try {
		touchedAt = (await stat(path)).mtimeMs;
	} catch (error) {
		// Released in the meantime: the next attempt to create it tells.
		if (hasCode(error, 'ENOENT')) return false;
		throw error;
	}
	if (Date.now() - touchedAt > staleAfterMs) return true;
	if (holder === undefined) return false;
	const { pid, host } = JSON.parse(holder) as { pid: number; host: string }; // written by acquireLock alone
	return host === hostname() && !isRunning(pid);
}

async function readOwner(path: string): Promise<string | undefined> {
	try {
		const owner = await readFile(join(path, 'owner.json'), 'utf8');
		// Empty between its creation and its first byte.
		return owner === '' ? undefined : owner;
	} catch (error) {
		if (hasCode(error, 'ENOENT')) return undefined;
		throw error;
	}
}

function isRunning(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		// EPERM: it runs, as somebody else.
		return hasCode(error, 'EPERM');
	}
}

async function isComplete(directory: string): Promise<boolean> {
	try {
		await access(join(directory, markerName));
		return true;
	} catch {
		// Absent or unreadable is the same for the caller: it has to be installed.
		return false;
	}
}

async function removeAbandonedBuilds(directory: string): Promise<void> {
	const parent = join(directory, '..');
	const prefix = `${directory.slice(join(parent, '/').length)}.building-`;
	for (const entry of await readdir(parent)) {
		if (!entry.startsWith(prefix)) continue;
		const pid = Number(entry.slice(prefix.length).split('-')[0]);
		if (!isRunning(pid)) await rm(join(parent, entry), { recursive: true, force: true });
	}
}

function isExact(specifier: string): boolean {
	return specifier.startsWith('file:') || /^(?:@[^@/]+\/)?[^@/]+@\d+\.\d+\.\d+(?:[-+][\w.+-]+)?$/.test(specifier);
}

/** npm hands its own settings on to scripts; they would make the inner npm believe that it works in the outer project. */
function withoutNpmVariables(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
	const kept = /^npm_config_(?:registry|cache|userconfig|globalconfig|proxy|https_proxy|noproxy|cafile|nodedir)$/i;
	return Object.fromEntries(
		Object.entries(environment).filter(([key]) => !/^(?:npm_|INIT_CWD$)/i.test(key) || kept.test(key)),
	);
}

function lastWords(output: string): string | undefined {
	const lines = output
		.split(/\r?\n/)
		.map((line) => line.replace(/^npm (?:error|ERR!)\s*/, '').trim())
		.filter(
			(line) =>
				line !== '' &&
				!line.startsWith('A complete log of this run') &&
				!/^(?:code|syscall|path|dest|errno|command) |\.log$/.test(line),
		);
	return lines[0];
}

function hasCode(error: unknown, code: string): boolean {
	return error instanceof Error && 'code' in error && error.code === code;
}

function progress(sentence: string): void {
	process.stderr.write(`[tools] ${sentence}\n`);
}
