import { createRequire } from 'node:module';

/** The part of `node:sqlite` that the store uses; `@photostructure/sqlite` has the same. */
export interface SqliteModule {
	readonly DatabaseSync: new (path: string, options?: SqliteOptions) => SqliteHandle;
}

export interface SqliteOptions {
	readonly readOnly?: boolean;
	/** Older versions do not know of them; what is sent is checked before anyway. */
	readonly limits?: Readonly<Record<string, number>>;
}

export interface SqliteHandle {
	exec(sql: string): void;
	prepare(sql: string): SqlitePrepared;
	close(): void;
}

export interface SqlitePrepared {
	run(...parameters: readonly unknown[]): unknown;
	get(...parameters: readonly unknown[]): Record<string, unknown> | undefined;
	all(...parameters: readonly unknown[]): readonly Record<string, unknown>[];
}

/** The package that stands in where Node has no SQLite of its own. Whoever needs it installs it. */
const substitutePackage = '@photostructure/sqlite';

/** The message is a finished sentence. */
export class MissingSqliteError extends Error {
	override readonly name = 'MissingSqliteError';
}

/** What SQLite can be taken from here: Node's own, then the package. */
export function sqliteModulesHere(): readonly string[] {
	const modules = ['node:sqlite'];
	try {
		// Bundled for the extension this file has no address; but every VS Code that runs it has SQLite.
		modules.push(createRequire(import.meta.url).resolve(substitutePackage));
	} catch {
		// It is not installed.
	}
	return modules;
}

/** The first of the modules that there is. Names are `node:sqlite` or absolute. */
export function loadSqlite(modules: readonly string[]): SqliteModule {
	// What is absolute is found from anywhere.
	const require = createRequire(process.execPath);
	// oxlint-disable-next-line typescript/unbound-method -- it is put back, not called
	const { emitWarning } = process;
	// Some versions of Node warn of SQLite as an experiment, in a line that means nothing to whoever reads it.
	process.emitWarning = () => undefined;
	try {
		for (const name of modules) {
			try {
				return require(name) as SqliteModule; // by its name; what it lacks fails at the first use
			} catch (error) {
				if (!isMissing(error)) throw error;
			}
		}
	} finally {
		process.emitWarning = emitWarning;
	}
	throw new MissingSqliteError(
		`SQLite is needed (node:sqlite), which Node has from 22.13 on; this is Node ${process.versions.node}. Use a newer one, or install the package ${substitutePackage} beside crosstalk.`,
	);
}

function isMissing(error: unknown): boolean {
	const code = error instanceof Error && 'code' in error ? error.code : undefined;
	// The last: some builds of Electron have the module, and nothing behind it.
	return (
		code === 'ERR_UNKNOWN_BUILTIN_MODULE' ||
		code === 'MODULE_NOT_FOUND' ||
		code === 'ERR_MODULE_NOT_FOUND' ||
		code === 'ERR_INVALID_MODULE'
	);
}
