import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { downloadAndUnzipVSCode, SilentReporter } from '@vscode/test-electron';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { agentStart } from '../src/platform/node/agentStart.ts';
import { findOnPath, isExecutable } from './chromium.ts';
import { root } from './process.ts';
import { ToolInstallError } from './toolCache.ts';
import { LogTail, writeUserSettings } from './vscodeWindow.ts';
import type { OpenOptions, VscodeHost, VscodeWindow } from './vscodeWindow.ts';

/** For tests: a build that VSCODE_EXECUTABLE names, or one that was or can be downloaded. Undefined where none can be had. */
export async function desktopHost(): Promise<VscodeHost | undefined> {
	const chosen = await chosenExecutable();
	if (chosen !== undefined) return hostOf(chosen, `desktop VS Code (${chosen})`);
	const downloaded = await downloadedExecutable();
	return downloaded === undefined ? undefined : hostOf(downloaded, 'desktop VS Code (downloaded)');
}

/** For people: also the VS Code that they have installed. */
export async function desktopExecutable(): Promise<string | undefined> {
	return (await chosenExecutable()) ?? (await installedExecutable()) ?? (await downloadedExecutable());
}

export interface DesktopProcess {
	readonly ended: Promise<void>;
	log(): string;
	close(): Promise<void>;
}

export async function launchDesktop(
	executable: string,
	options: OpenOptions,
	arguments_: readonly string[],
): Promise<DesktopProcess> {
	const userData = join(options.profile, 'user-data');
	const extensions = join(options.profile, 'extensions');
	await mkdir(extensions, { recursive: true });
	await writeUserSettings(userData, options.settings);
	const args = [
		options.folder,
		...(options.files ?? []),
		`--extensionDevelopmentPath=${options.extension}`,
		...(options.tests === undefined ? [] : [`--extensionTestsPath=${options.tests}`]),
		...[`--user-data-dir=${userData}`, `--extensions-dir=${extensions}`],
		...['--disable-updates', '--disable-workspace-trust', '--skip-welcome', '--skip-release-notes', '--new-window'],
		// VS Code refuses to start as root with a sandbox.
		...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
		...arguments_,
	];
	const env = { ...withoutVscodeVariables(process.env), ...options.environment };
	// On Windows it may be a batch file, in a folder with a space in its name.
	const start = agentStart({ command: executable, args }, env);
	if (typeof start === 'string') throw new ToolInstallError(start);
	const child = spawn(start.file, start.args, {
		env,
		stdio: ['ignore', 'pipe', 'pipe'],
		windowsVerbatimArguments: start.isVerbatim,
	});
	const log = new LogTail();
	child.stdout.setEncoding('utf8').on('data', (text: string) => log.add(text));
	child.stderr.setEncoding('utf8').on('data', (text: string) => log.add(text));
	const ended = new Promise<void>((resolve) => {
		child.once('close', () => resolve());
		child.once('error', (error) => {
			log.add(`${error.message}\n`);
			resolve();
		});
	});
	return {
		ended,
		log: () => log.toString(),
		async close() {
			child.kill();
			const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
			await ended;
			clearTimeout(timer);
		},
	};
}

async function chosenExecutable(): Promise<string | undefined> {
	const chosen = process.env.VSCODE_EXECUTABLE;
	if (chosen === undefined || chosen === '') return undefined;
	if (await isExecutable(chosen)) return chosen;
	throw new ToolInstallError(`VSCODE_EXECUTABLE is ${chosen}, which cannot be executed.`);
}

async function installedExecutable(): Promise<string | undefined> {
	if (!hasScreen()) return undefined;
	for (const path of usualPlaces()) {
		if (await isExecutable(path)) return path;
	}
	const command = await findOnPath(['code', 'code-insiders', 'codium']);
	// In a terminal of a remote window "code" is only a messenger to that window.
	return command?.includes('remote-cli') ? undefined : command;
}

function usualPlaces(): readonly string[] {
	if (process.platform === 'darwin') {
		return ['Visual Studio Code', 'Visual Studio Code - Insiders', 'VSCodium'].map(
			(name) => `/Applications/${name}.app/Contents/Resources/app/bin/code`,
		);
	}
	if (process.platform !== 'win32') return [];
	const folders = [process.env.LOCALAPPDATA && join(process.env.LOCALAPPDATA, 'Programs'), process.env.PROGRAMFILES];
	return folders.flatMap((folder) => (folder ? [join(folder, 'Microsoft VS Code', 'Code.exe')] : []));
}

/** Without a screen a desktop build does not even start. */
function hasScreen(): boolean {
	return process.platform !== 'linux' || Boolean(process.env.DISPLAY ?? process.env.WAYLAND_DISPLAY);
}

/** In a terminal of VS Code these would make the new window a part of that one. */
function withoutVscodeVariables(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
	return Object.fromEntries(Object.entries(environment).filter(([key]) => !/^(?:VSCODE_|ELECTRON_)/.test(key)));
}

const downloadFolder = join(root, '.vscode-test');

async function downloadedExecutable(): Promise<string | undefined> {
	if (!hasScreen()) return undefined;
	const isThere = (await readdir(downloadFolder).catch(() => [])).some((name) => name.startsWith('vscode-'));
	try {
		return await downloadAndUnzipVSCode({
			cachePath: downloadFolder,
			// Silence on the line this long means that the host cannot be reached from here.
			timeout: isThere ? 2_000 : 8_000,
			reporter: new SilentReporter(),
		});
	} catch (error) {
		const reason = error instanceof Error ? error.message : String(error);
		process.stderr.write(`[tools] no desktop VS Code could be downloaded (${reason.split('\n')[0]})\n`);
		return undefined;
	}
}

function hostOf(executable: string, description: string): VscodeHost {
	return { description, open: (options) => openWindow(executable, options) };
}

async function openWindow(executable: string, options: OpenOptions): Promise<VscodeWindow> {
	const port = await freePort();
	// Playwright looks at the workbench through the debugging port.
	const desktop = await launchDesktop(executable, options, [`--remote-debugging-port=${port}`, '--disable-gpu']);
	try {
		const { browser, page } = await connect(port, desktop.ended);
		return {
			page,
			ended: desktop.ended,
			log: () => desktop.log(),
			async close() {
				await browser.close();
				await desktop.close();
			},
		};
	} catch (error) {
		await desktop.close();
		throw new Error(`The window of VS Code could not be reached.\n${desktop.log()}`, { cause: error });
	}
}

async function connect(
	port: number,
	ended: Promise<void>,
): Promise<{ readonly browser: Browser; readonly page: Page }> {
	let hasEnded = false;
	void ended.then(() => (hasEnded = true));
	const deadline = Date.now() + 240_000;
	for (;;) {
		try {
			const browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`);
			const page = browser
				.contexts()
				.flatMap((context) => context.pages())
				.find((candidate) => candidate.url().includes('workbench'));
			if (page !== undefined) return { browser, page };
			await browser.close();
		} catch (error) {
			// It does not listen yet; the last failure is the one to tell.
			if (hasEnded || Date.now() > deadline) throw error;
		}
		if (Date.now() > deadline) throw new Error('No workbench within a minute.');
		await delay(250);
	}
}

async function freePort(): Promise<number> {
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const address = server.address();
	server.close();
	await once(server, 'close');
	if (address === null || typeof address === 'string') throw new Error('No port is free.');
	return address.port;
}
