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
export const substitutePackage = '@photostructure/sqlite';

/** The message is a finished sentence. */
export class MissingSqliteError extends Error {
	override readonly name = 'MissingSqliteError';
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
		`The session store needs SQLite, which Node has from 22.13 on; this is Node ${process.versions.node}. Use a newer Node, or install the package ${substitutePackage} beside crosstalk.`,
	);
}

function isMissing(error: unknown): boolean {
	const code = error instanceof Error && 'code' in error ? error.code : undefined;
	return code === 'ERR_UNKNOWN_BUILTIN_MODULE' || code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND';
}
