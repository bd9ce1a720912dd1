// Cloudflare's runtime on this machine, with the worker as src/worker/wrangler.jsonc describes it.

import { readFileSync } from 'node:fs';
import { build } from 'esbuild';
import { parse } from 'jsonc-parser';
import { Log, LogLevel, Miniflare, convertV4MiniflareOptions } from 'miniflare';
import { connectSessionStore } from '../../src/platform/node/store/connectSessionStore.ts';
import type { SessionStore } from '../../src/core/store/sessionStore.ts';

export const token = 'a token of this test, with spaces & signs';

/** What of src/worker/wrangler.jsonc the runtime needs. */
interface Configuration {
	readonly main: string;
	readonly compatibility_date: string;
	readonly compatibility_flags: string[];
	readonly durable_objects: { readonly bindings: readonly { readonly name: string; readonly class_name: string }[] };
	readonly migrations: readonly { readonly new_sqlite_classes: readonly string[] }[];
	readonly kv_namespaces: readonly { readonly binding: string }[];
}

const configurationFile = 'src/worker/wrangler.jsonc';
export const configuration = parse(readFileSync(configurationFile, 'utf8')) as Configuration;

/** The source of a worker as one file, as wrangler makes it. */
export async function bundle(entry: string = `src/worker/${configuration.main}`): Promise<string> {
	const { outputFiles } = await build({
		entryPoints: [entry],
		bundle: true,
		write: false,
		format: 'esm',
		target: 'es2024',
		conditions: ['workerd', 'worker', 'browser'],
		external: ['cloudflare:*', 'node:*'],
	});
	return outputFiles[0]!.text;
}

export interface LocalWorkerOptions {
	readonly script: string;
	/** Where objects are kept; `undefined`: in a folder that goes with the worker. */
	readonly directory?: string;
	readonly port?: number;
	readonly variables?: Readonly<Record<string, string | object>>;
}

export interface LocalWorker {
	readonly url: string;
	readonly miniflare: Miniflare;
	/** What the worker has logged. */
	readonly log: readonly string[];
	/** A store that the worker's own disposal closes, too. */
	connect(): Promise<SessionStore>;
	/** @param isWhole Also what it has connected. */
	dispose(isWhole?: boolean): Promise<void>;
}

export async function startWorker(options: LocalWorkerOptions): Promise<LocalWorker> {
	const { script, directory, port = 0, variables = { TOKEN: token } } = options;
	const classes = new Set(configuration.migrations.flatMap((migration) => migration.new_sqlite_classes));
	const log: string[] = [];
	const miniflare = new Miniflare({
		...convertV4MiniflareOptions({
			host: '127.0.0.1',
			port,
			cf: false,
			log: new Log(LogLevel.NONE),
			modules: true,
			script,
			compatibilityDate: configuration.compatibility_date,
			compatibilityFlags: configuration.compatibility_flags,
			durableObjects: Object.fromEntries(
				configuration.durable_objects.bindings.map(({ name, class_name }) => [
					name,
					{ className: class_name, useSQLite: classes.has(class_name) },
				]),
			),
			kvNamespaces: configuration.kv_namespaces.map(({ binding }) => binding),
			bindings: JSON.parse(JSON.stringify(variables)) as Record<string, string>,
			handleStructuredLogs: ({ message }) => void log.push(message),
		}),
		...(directory === undefined ? {} : { resourcePersistencePath: directory }),
	});
	const ready = await miniflare.ready;
	const url = ready.origin;
	const ended = new AbortController();
	return {
		url,
		miniflare,
		log,
		connect: () => connectSessionStore({ url, token, signal: ended.signal }),
		async dispose(isWhole = true) {
			if (isWhole) ended.abort();
			await miniflare.dispose();
		},
	};
}
