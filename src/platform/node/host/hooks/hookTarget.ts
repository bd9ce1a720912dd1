// Which settings file hooks go into, and which host they lead to.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ExpectedError } from '../../../../core/base/errors.ts';
import { attachOrStart } from '../attach.ts';
import type { Program } from '../attach.ts';
import type { HostAddress } from '../../../../core/host/control.ts';
import type { Launcher } from '../config/routing.ts';
import { readAddress } from '../dataDirectory.ts';
import { hookTokenIn } from '../ownership.ts';
import { hookAddress } from './claudeCodeSettings.ts';
import type { HookPlace } from './claudeCodeSettings.ts';
import { truePath } from './hookFiles.ts';

export interface HookSurroundings {
	readonly environment: Readonly<Record<string, string | undefined>>;
	readonly homeFolder: string;
}

/** The project's settings of this user alone: they hold the address of this user's host, and are not meant for version control. */
export async function projectSettings(folder: string): Promise<string> {
	const known = await stat(folder).catch(() => undefined); // one that cannot be looked at is none
	if (known?.isDirectory() !== true) throw new ExpectedError(`There is no folder ${folder}.`);
	return truePath(join(folder, '.claude', 'settings.local.json'));
}

export async function userSettings({ environment, homeFolder }: HookSurroundings): Promise<string> {
	const folder = environment['CLAUDE_CONFIG_DIR'];
	return truePath(
		join(folder === undefined || folder === '' ? join(homeFolder, '.claude') : folder, 'settings.json'),
	);
}

/** Files of settings that count in this folder, whoever they belong to. */
export async function settingsInPlay(folder: string, surroundings: HookSurroundings): Promise<readonly string[]> {
	return [
		await userSettings(surroundings),
		await truePath(join(folder, '.claude', 'settings.json')),
		await truePath(join(folder, '.claude', 'settings.local.json')),
	];
}

/** Where hooks would lead; `undefined` while no host has ever run there, so that it has no address. */
export async function plannedPlace(directory: string, launcher: Launcher): Promise<HookPlace | undefined> {
	const address = await readAddress(directory);
	if (address === undefined || new URL(address.url).port === '0') return undefined;
	return placeAt(address, launcher);
}

/** Where they lead, and a host is there. */
export async function preparedPlace(directory: string, program: Program, launcher: Launcher): Promise<HookPlace> {
	const control = await attachOrStart({ directory, client: 'crosstalk hooks', program });
	const { address } = control;
	control.dispose();
	return placeAt(address, launcher);
}

export async function placeAt({ url, dataDir }: HostAddress, launcher: Launcher): Promise<HookPlace> {
	return {
		url: hookAddress(url, await hookTokenIn(dataDir)),
		launcher,
		dataDirectory: dataDir,
		startsHost: true,
	};
}
