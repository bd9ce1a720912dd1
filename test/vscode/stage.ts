// What the window under test finds around it: agents' homes with recorded sessions, and the user's settings.

import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../../tools/process.ts';

export interface Home {
	readonly path: string;
	/** Leads agents' tools, and so the extension, into this home and not the user's. */
	readonly environment: Readonly<Record<string, string>>;
}

/** A copy of the recorded home of examples/, so that tests may change it. */
export async function homeOf(stage: string): Promise<Home> {
	const path = join(stage, 'home');
	await mkdir(path, { recursive: true });
	await cp(join(root, 'examples', 'recorded'), path, { recursive: true });
	return { path, environment: { HOME: path, USERPROFILE: path, CROSSTALK_TEST_HOME: path } };
}

export function settingsOf(): Readonly<Record<string, unknown>> {
	return { 'workbench.colorTheme': 'Default Dark Modern', 'editor.minimap.enabled': false };
}
