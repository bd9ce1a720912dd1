import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { ToolInstallError } from './toolCache.ts';

/** What keeps it quiet on a machine without a network, a screen or a sandbox of its own. */
export const chromiumArguments = [
	'--no-sandbox',
	'--disable-gpu',
	'--disable-quic',
	'--no-first-run',
	'--disable-background-networking',
	'--disable-component-update',
	'--disable-sync',
];

/** A Chromium or Chrome of this machine, installed if that is possible. Rejects with one sentence that says what to install. */
export async function chromiumExecutable(): Promise<string> {
	const found = await findChromium();
	if (found !== undefined) return found;
	if (process.platform === 'linux' && process.getuid?.() === 0 && (await findOnPath(['apt-get'])) !== undefined) {
		process.stderr.write('[tools] installing chromium with apt-get\n');
		const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
		try {
			await run('apt-get', ['update', '-qq'], { env: environment });
			await run('apt-get', ['install', '-y', '-qq', 'chromium'], {
				env: environment,
				maxBuffer: 64 * 1024 * 1024,
			});
		} catch (error) {
			// The sentence below says what to do; why apt-get failed belongs beside it.
			process.stderr.write(`${String(error)}\n`);
		}
		const installed = await findChromium();
		if (installed !== undefined) return installed;
	}
	throw new ToolInstallError(
		'No Chromium found: install chromium or Google Chrome (Debian: "apt-get install chromium"), or set CHROMIUM_EXECUTABLE.',
	);
}

const run = promisify(execFile);

async function findChromium(): Promise<string | undefined> {
	const chosen = process.env.CHROMIUM_EXECUTABLE;
	if (chosen) {
		if (await isExecutable(chosen)) return chosen;
		throw new ToolInstallError(`CHROMIUM_EXECUTABLE is ${chosen}, which cannot be executed.`);
	}
	const onPath = await findOnPath([
		'chromium',
		'chromium-browser',
		'google-chrome',
		'google-chrome-stable',
		'microsoft-edge',
	]);
	if (onPath !== undefined) return onPath;
	for (const path of usualPlaces()) {
		if (await isExecutable(path)) return path;
	}
	return undefined;
}

function usualPlaces(): readonly string[] {
	if (process.platform === 'darwin') {
		return ['Google Chrome', 'Chromium', 'Microsoft Edge'].map(
			(name) => `/Applications/${name}.app/Contents/MacOS/${name}`,
		);
	}
	if (process.platform !== 'win32') return [];
	const roots = [process.env.PROGRAMFILES, process.env['PROGRAMFILES(X86)'], process.env.LOCALAPPDATA];
	const places = [
		join('Google', 'Chrome', 'Application', 'chrome.exe'),
		join('Microsoft', 'Edge', 'Application', 'msedge.exe'),
	];
	return roots.flatMap((root) => (root === undefined ? [] : places.map((place) => join(root, place))));
}

/** The first of these commands that the PATH leads to. */
export async function findOnPath(names: readonly string[]): Promise<string | undefined> {
	const extensions = process.platform === 'win32' ? ['.exe', '.cmd'] : [''];
	for (const name of names) {
		for (const folder of (process.env.PATH ?? '').split(delimiter)) {
			for (const extension of extensions) {
				const path = join(folder, `${name}${extension}`);
				if (folder !== '' && (await isExecutable(path))) return path;
			}
		}
	}
	return undefined;
}

export async function isExecutable(path: string): Promise<boolean> {
	try {
		await access(path, constants.X_OK);
		return true;
	} catch {
		// Absent or not ours to execute: either way the next one is tried.
		return false;
	}
}
