// Processes with a session store open, in a folder that goes at the end of the test.

import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { sqliteWorker } from '../../../../esbuild.js';
import type { HostAddress } from '../../../../src/core/host/control.ts';
import type { SessionStore } from '../../../../src/core/store/sessionStore.ts';
import { readAddress } from '../../../../src/platform/node/host/dataDirectory.ts';
import { openSessionStore } from '../../../../src/platform/node/store/openSessionStore.ts';
import type { SessionStoreOptions } from '../../../../src/platform/node/store/openSessionStore.ts';
import { root } from '../../../../tools/process.ts';
import { until, within } from '../../../mcp/waiting.ts';
import type { OpenOrder, Order, Told } from './storeProcess.ts';

export const failpointSqlite = join(import.meta.dirname, 'failpointSqlite.ts');

let built: Promise<string> | undefined;

/** As one file, which starts several times faster than its sources. */
async function program(): Promise<string> {
	built ??= bundle(join(root, 'out', 'tests', `storeProcess-${process.pid}.mjs`));
	return built;
}

async function bundle(outfile: string): Promise<string> {
	await build({
		entryPoints: [join(import.meta.dirname, 'storeProcess.ts')],
		outfile,
		bundle: true,
		platform: 'node',
		target: 'node22',
		format: 'esm',
		banner: {
			js: "import { createRequire as createRequireOf } from 'node:module';const require = createRequireOf(import.meta.url);",
		},
		mainFields: ['module', 'main'],
		logLevel: 'silent',
		plugins: [sqliteWorker(false)],
	});
	process.once('exit', () => rmSync(outfile, { force: true }));
	return outfile;
}

export class StoreLab {
	readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'crosstalk-store-')));
	readonly directory = join(this.folder, 'data');
	private readonly failpoint = join(this.folder, 'failpoint');
	private readonly processes: StoreProcess[] = [];
	private readonly stores: SessionStore[] = [];
	private readonly program: string;

	static async create(): Promise<StoreLab> {
		return new StoreLab(await program());
	}

	private constructor(program: string) {
		this.program = program;
		this.arm(undefined);
	}

	async remove(): Promise<void> {
		for (const { child } of this.processes) child.kill('SIGKILL');
		await Promise.all(this.processes.map(async ({ ended }) => ended));
		for (const store of this.stores) await within(30_000, 'The end of a store', store.close());
		rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
	}

	/** The processes of this lab die when they reach this step. */
	arm(step: string | undefined): void {
		writeFileSync(this.failpoint, step ?? '');
	}

	get isArmed(): boolean {
		return readFileSync(this.failpoint, 'utf8') !== '';
	}

	/** A store in this process. */
	async open(options: Partial<SessionStoreOptions> = {}): Promise<SessionStore> {
		const store = await openSessionStore({ directory: this.directory, onError: throwLater, ...options });
		this.stores.push(store);
		return store;
	}

	/** A process that has opened nothing yet. */
	start(): StoreProcess {
		const child = fork(this.program, {
			execArgv: [],
			env: { ...process.env, CROSSTALK_TEST_FAILPOINT: this.failpoint },
		});
		const started = new StoreProcess(child, this.directory);
		this.processes.push(started);
		return started;
	}

	async started(options: Partial<OpenOrder> = {}): Promise<StoreProcess> {
		const started = this.start();
		await started.open(options);
		return started;
	}

	async owner(): Promise<HostAddress> {
		return until('an owner', async () => readAddress(this.directory));
	}
}

export class StoreProcess {
	readonly child: ChildProcess;
	/** Its exit code, or the signal that has ended it. */
	readonly ended: Promise<number | string>;
	/** Of its callers the last calls that were acknowledged. */
	readonly acknowledged = new Map<string, number>();
	private readonly directory: string;
	private readonly asked = new Map<
		number,
		{ readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void }
	>();
	private lastId = 0;

	constructor(child: ChildProcess, directory: string) {
		this.child = child;
		this.directory = directory;
		// The event's arguments are code and signal.
		this.ended = once(child, 'exit').then((how: unknown[]) => (how[0] ?? how[1]) as number | string);
		child.on('message', (message) => this.told(message as Told)); // sent by storeProcess.ts
		child.once('exit', () => {
			for (const { reject } of this.asked.values()) reject(new Error('The process has ended.'));
			this.asked.clear();
		});
		// What is sent to one that was killed is of no interest.
		child.on('error', () => undefined);
	}

	get pid(): number {
		return this.child.pid ?? 0;
	}

	async open(options: Partial<OpenOrder> = {}): Promise<void> {
		await this.order({ do: 'open', options: { directory: this.directory, ...options } });
	}

	async add(session: string, key?: string, holdMs?: number): Promise<number> {
		const more = { ...(key === undefined ? {} : { key }), ...(holdMs === undefined ? {} : { holdMs }) };
		return (await this.order({ do: 'add', session, ...more })) as number; // the reply of its call
	}

	/** Rejects with what the process says. */
	async order(order: Order): Promise<unknown> {
		const id = ++this.lastId;
		return within(
			30_000,
			`An answer to ${JSON.stringify(order)}`,
			new Promise((resolve, reject) => {
				this.asked.set(id, { resolve, reject });
				if (this.child.connected) this.child.send({ id, order });
			}),
		);
	}

	async kill(): Promise<void> {
		this.child.kill('SIGKILL');
		await this.ended;
	}

	/** Closes its store, and lets it end. */
	async close(): Promise<void> {
		await this.order({ do: 'close' });
		this.child.disconnect();
		await within(30_000, 'The end of a process', this.ended);
	}

	private told(told: Told): void {
		if ('acknowledged' in told) {
			for (const [caller, number] of Object.entries(told.acknowledged)) this.acknowledged.set(caller, number);
			return;
		}
		const asked = this.asked.get(told.id);
		this.asked.delete(told.id);
		if ('error' in told) asked?.reject(Object.assign(new Error(told.error.message), { code: told.error.code }));
		else asked?.resolve(told.result);
	}
}

function throwLater(error: unknown): void {
	queueMicrotask(() => {
		throw error;
	});
}
