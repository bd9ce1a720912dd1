// A real VS Code to run the extension in: a desktop build where one can be had, else VS Code's own server with a headless Chromium
// as its window. The workbench and the extension host are the same in both.

import { desktopHost } from './desktopHost.ts';
import { serverHost } from './serverHost.ts';
import type { VscodeHost } from './vscodeWindow.ts';

export interface HostChoice {
	/** `any`: as told above. `server` and `oldServer`: VS Code's server, the newest and the oldest that can be had from npm. */
	readonly kind: 'any' | 'server' | 'oldServer';
}

export async function findVscodeHost({ kind }: HostChoice): Promise<VscodeHost> {
	if (kind === 'any') {
		const desktop = await desktopHost();
		if (desktop !== undefined) return desktop;
	}
	return serverHost(kind === 'oldServer' ? 'old' : 'current');
}
