// What the two kinds of VS Code hosts have in common.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';

export interface VscodeHost {
	/** For the one line that says what is used: "VS Code 1.139.1 …". */
	readonly description: string;
	open(options: OpenOptions): Promise<VscodeWindow>;
}

export interface OpenOptions {
	/** The folder of the extension to load, as in development. */
	readonly extension: string;
	/** The module whose `run` is called in the extension host. */
	readonly tests?: string;
	readonly folder: string;
	/** Transcripts and other files to show in editors. */
	readonly files?: readonly string[];
	/** Where the window keeps everything of its own; made if need be. */
	readonly profile: string;
	readonly settings: Readonly<Record<string, unknown>>;
	/** Added to the environment of the extension host. */
	readonly environment: Readonly<Record<string, string>>;
}

export interface VscodeWindow {
	/** The workbench as a page, to look at and to press keys in. */
	readonly page: Page;
	/** Resolves when the window has closed or, in a test run, the tests have ended. Never rejects. */
	readonly ended: Promise<void>;
	/** The last lines that VS Code itself has written, for when it does not even start. */
	log(): string;
	close(): Promise<void>;
}

/** What would get between a test or a demonstration and what it is about. */
const quietSettings = {
	'telemetry.telemetryLevel': 'off',
	'update.mode': 'none',
	'update.showReleaseNotes': false,
	'extensions.autoCheckUpdates': false,
	'extensions.autoUpdate': false,
	'extensions.ignoreRecommendations': true,
	'workbench.startupEditor': 'none',
	'workbench.tips.enabled': false,
	'workbench.enableExperiments': false,
	'workbench.settings.enableNaturalLanguageSearch': false,
	'workbench.secondarySideBar.defaultVisibility': 'hidden',
	'chat.commandCenter.enabled': false,
	'security.workspace.trust.enabled': false,
	'git.enabled': false,
	'npm.autoDetect': 'off',
	'files.simpleDialog.enable': true,
} as const;

export async function writeUserSettings(
	userDataDirectory: string,
	settings: Readonly<Record<string, unknown>>,
): Promise<void> {
	const folder = join(userDataDirectory, 'User');
	await mkdir(folder, { recursive: true });
	await writeFile(join(folder, 'settings.json'), JSON.stringify({ ...quietSettings, ...settings }, undefined, '\t'));
}

/** Keeps the last lines of what a process writes. */
export class LogTail {
	private readonly lines: string[] = [];
	private rest = '';

	add(text: string): void {
		const lines = (this.rest + text).split(/\r?\n/);
		this.rest = lines.pop() ?? '';
		this.lines.push(...lines);
		this.lines.splice(0, Math.max(0, this.lines.length - 200));
	}

	toString(): string {
		return [...this.lines, this.rest].join('\n');
	}
}
