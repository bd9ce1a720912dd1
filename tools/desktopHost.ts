import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { downloadAndUnzipVSCode, SilentReporter } from '@vscode/test-electron';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { isExecutable } from './chromium.ts';
import { root } from './process.ts';
import { LogTail, writeUserSettings } from './vscodeWindow.ts';
import type { OpenOptions, VscodeHost, VscodeWindow } from './vscodeWindow.ts';

/** A desktop VS Code: chosen by VSCODE_EXECUTABLE, downloaded earlier, or downloaded now. Undefined where none can be had. */
export async function desktopHost(): Promise<VscodeHost | undefined> {
	const chosen = process.env.VSCODE_EXECUTABLE;
	if (chosen !== undefined && chosen !== '') {
		if (await isExecutable(chosen)) return hostOf(chosen, `desktop VS Code (${chosen})`);
		throw new Error(`VSCODE_EXECUTABLE is ${chosen}, which cannot be executed.`);
	}
	// Without a screen a desktop build does not even start.
	if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return undefined;
	const downloaded = await downloadedExecutable();
	return downloaded === undefined ? undefined : hostOf(downloaded, 'desktop VS Code (downloaded)');
}

const downloadFolder = join(root, '.vscode-test');

async function downloadedExecutable(): Promise<string | undefined> {
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
	const userData = join(options.profile, 'user-data');
	const extensions = join(options.profile, 'extensions');
	await mkdir(extensions, { recursive: true });
	await writeUserSettings(userData, options.settings);
	const port = await freePort();
	const child = spawn(
		executable,
		[
			options.folder,
			...(options.files ?? []),
			...options.extensions.map((path) => `--extensionDevelopmentPath=${path}`),
			...(options.tests === undefined ? [] : [`--extensionTestsPath=${options.tests}`]),
			`--user-data-dir=${userData}`,
			`--extensions-dir=${extensions}`,
			// Playwright looks at the workbench through it.
			`--remote-debugging-port=${port}`,
			...[
				'--no-sandbox',
				'--disable-gpu',
				'--disable-gpu-sandbox',
				'--disable-updates',
				'--disable-workspace-trust',
			],
			...['--skip-welcome', '--skip-release-notes', '--no-cached-data', '--new-window'],
		],
		{ env: { ...process.env, ...options.environment }, stdio: ['ignore', 'pipe', 'pipe'], shell: false },
	);
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
	const close = async (): Promise<void> => {
		child.kill();
		const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
		await ended;
		clearTimeout(timer);
	};
	try {
		const { browser, page } = await connect(port, ended);
		return {
			page,
			ended,
			log: () => log.toString(),
			async close() {
				await browser.close();
				await close();
			},
		};
	} catch (error) {
		await close();
		throw new Error(`The window of VS Code could not be reached.\n${log.toString()}`, { cause: error });
	}
}

async function connect(
	port: number,
	ended: Promise<void>,
): Promise<{ readonly browser: Browser; readonly page: Page }> {
	let hasEnded = false;
	void ended.then(() => (hasEnded = true));
	const deadline = Date.now() + 60_000;
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
