import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { chromiumArguments, chromiumExecutable } from './chromium.ts';
import { installedTool, runNpm } from './toolCache.ts';
import { LogTail, writeUserSettings } from './vscodeWindow.ts';
import type { OpenOptions, VscodeHost, VscodeWindow } from './vscodeWindow.ts';

/** code-server 4.N carries VS Code 1.N. We start the server of VS Code in it, without the wrapper around it. */
const versions = {
	current: { codeServer: '4.139.1', vscode: '1.139.1', node: undefined, watchdog: '@vscode/native-watchdog' },
	// The oldest on npm that is near the oldest VS Code we promise; it wants the Node of its time.
	old: { codeServer: '4.103.2', vscode: '1.103.2', node: '22.20.0', watchdog: 'native-watchdog' },
} as const;

/** A slow machine takes a minute to start one of these when it has others to do. */
const startingMs = 240_000;

export interface VscodeServer {
	readonly port: number;
	readonly ended: Promise<void>;
	log(): string;
	close(): Promise<void>;
}

export interface ServerOptions extends Omit<OpenOptions, 'files' | 'tests'> {
	readonly age: keyof typeof versions;
	/** 0: any that is free. */
	readonly port: number;
	/** The workbench reads what `workbenchAddress` puts into the address only then. */
	readonly isDriven: boolean;
}

export async function serverHost(age: keyof typeof versions): Promise<VscodeHost> {
	const executablePath = await chromiumExecutable();
	await installServer(age);
	return {
		description: `VS Code ${versions[age].vscode} (server, with Chromium as its window)`,
		async open(options) {
			const server = await startVscodeServer({ ...options, age, port: 0, isDriven: true });
			try {
				return await openWindow(server, options, executablePath);
			} catch (error) {
				await server.close();
				throw error;
			}
		},
	};
}

export async function startVscodeServer(options: ServerOptions): Promise<VscodeServer> {
	const { age, port, profile, isDriven, environment, settings } = options;
	const { directory, node } = await installServer(age);
	const userData = join(profile, 'user-data');
	const extensions = join(profile, 'extensions');
	await mkdir(extensions, { recursive: true });
	await writeUserSettings(userData, settings);
	const child = spawn(
		node,
		[
			join(vscodeIn(directory), 'out', 'server-main.js'),
			...['--host', '127.0.0.1', '--port', String(port), '--without-connection-token'],
			...['--accept-server-license-terms', '--disable-telemetry', '--disable-workspace-trust'],
			...[
				'--server-data-dir',
				join(profile, 'server-data'),
				'--user-data-dir',
				userData,
				'--extensions-dir',
				extensions,
			],
			...(isDriven ? ['--enable-smoke-test-driver'] : []),
		],
		{ env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] },
	);
	const log = new LogTail();
	child.stdout.setEncoding('utf8').on('data', (text: string) => log.add(text));
	child.stderr.setEncoding('utf8').on('data', (text: string) => log.add(text));
	const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
	return {
		port: await listeningPort(child, log),
		ended,
		log: () => log.toString(),
		close: () => endProcess(child, ended),
	};
}

/** The address of the workbench with these extensions, tests and files in it. */
export function workbenchAddress(
	port: number,
	options: Pick<OpenOptions, 'extension' | 'tests' | 'folder' | 'files'>,
): string {
	const remote = (path: string): string => `vscode-remote://127.0.0.1:${port}${pathToFileURL(path).pathname}`;
	const payload: (readonly [string, string])[] = [
		['extensionDevelopmentPath', remote(options.extension)],
		...(options.tests === undefined ? [] : [['extensionTestsPath', remote(options.tests)] as const]),
		...(options.files ?? []).map((path) => ['openFile', remote(path)] as const),
		['skipWelcome', 'true'],
		['skipReleaseNotes', 'true'],
	];
	const query = new URLSearchParams({
		folder: decodeURIComponent(pathToFileURL(options.folder).pathname),
		payload: JSON.stringify(payload),
	});
	return `http://127.0.0.1:${port}/?${query.toString()}`;
}

async function openWindow(server: VscodeServer, options: OpenOptions, executablePath: string): Promise<VscodeWindow> {
	const browser = await chromium.launch({ executablePath, args: chromiumArguments, timeout: startingMs });
	const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
	const log = new LogTail();
	page.on('console', (message) => log.add(`${message.text()}\n`));
	page.on('pageerror', (error) => log.add(`${error.message}\n`));
	const { promise: testsEnded, resolve: endTests } = Promise.withResolvers<void>();
	page.once('close', () => endTests());
	page.once('crash', () => endTests());
	// The workbench looks for both before it runs tests.
	await page.exposeFunction('codeAutomationExit', () => endTests());
	await page.exposeFunction('codeAutomationLog', (_type: string, values: readonly unknown[]) =>
		log.add(`${values.map(String).join(' ')}\n`),
	);
	await page.goto(workbenchAddress(server.port, options), { waitUntil: 'load', timeout: startingMs });
	return {
		page,
		ended: Promise.race([server.ended, testsEnded]),
		log: () => `${server.log()}\n${log.toString()}`,
		async close() {
			await browser.close();
			await server.close();
		},
	};
}

interface InstalledServer {
	readonly directory: string;
	readonly node: string;
}

async function installServer(age: keyof typeof versions): Promise<InstalledServer> {
	const { codeServer, node, watchdog } = versions[age];
	const nodeExecutable = node === undefined ? process.execPath : await installNode(node);
	const directory = await installedTool({
		name: 'code-server',
		version: codeServer,
		packages: [`code-server@${codeServer}`],
		// Its own scripts would compile and download far more than the server needs.
		ignoreScripts: true,
		async after(building) {
			const vscode = vscodeIn(building);
			await runNpm(['install', '--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund', '--loglevel=error'], {
				directory: vscode,
			});
			try {
				await runNpm(
					['rebuild', '--loglevel=error', '@vscode/spdlog', 'node-pty', '@parcel/watcher', watchdog],
					{
						directory: vscode,
					},
				);
			} catch (error) {
				throw new Error(
					'the server\'s native modules could not be compiled (python3, make and a C++ compiler are needed; Debian: "apt-get install python3 make g++")',
					{ cause: error },
				);
			}
		},
	});
	// VS Code's own npm extension needs a ripgrep that its package downloads when it is installed; without, it greets everybody with an error.
	await rm(join(vscodeIn(directory), 'extensions', 'npm'), { recursive: true, force: true });
	return { directory, node: nodeExecutable };
}

async function installNode(version: string): Promise<string> {
	const platform = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
	const packageName = `node-${platform}`;
	const directory = await installedTool({ name: packageName, version, packages: [`${packageName}@${version}`] });
	return join(directory, 'node_modules', packageName, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
}

function vscodeIn(directory: string): string {
	return join(directory, 'node_modules', 'code-server', 'lib', 'vscode');
}

function listeningPort(child: ChildProcess, log: LogTail): Promise<number> {
	return new Promise((resolve, reject) => {
		const fail = (why: string): void => reject(new Error(`VS Code's server ${why}.\n${log.toString()}`));
		const timer = setTimeout(() => {
			child.kill();
			fail(`did not listen within ${startingMs / 60_000} minutes`);
		}, startingMs);
		const look = (): void => {
			const port = /agent listening on (\d+)/i.exec(log.toString())?.[1];
			if (port === undefined) return;
			clearTimeout(timer);
			child.stdout?.off('data', look);
			resolve(Number(port));
		};
		child.stdout?.on('data', look);
		child.once('error', (error) => fail(`could not be started: ${error.message}`));
		child.once('close', (code) => {
			clearTimeout(timer);
			fail(`ended with code ${code}`);
		});
	});
}

async function endProcess(child: ChildProcess, ended: Promise<void>): Promise<void> {
	child.kill('SIGTERM');
	const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
	await ended;
	clearTimeout(timer);
}
