// The real agents, at one exact version each: what they write and when is what these tests are about.

import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { installedTool } from '../../tools/toolCache.ts';

export const claudeCodeVersion = '2.1.328';
export const codexVersion = '0.169.0';

/** Each is a few hundred megabytes. */
export const installationTimeoutMs = 600_000;

/** The native program: the launchers around it would put a process of their own in between. */
export async function installedClaudeCode(): Promise<string> {
	const directory = await installedTool({
		name: 'claude-code',
		version: claudeCodeVersion,
		packages: [`@anthropic-ai/claude-code@${claudeCodeVersion}`],
		ignoreScripts: true,
	});
	const scope = join(directory, 'node_modules', '@anthropic-ai');
	return firstFile(
		`Claude Code ${claudeCodeVersion}`,
		(await readdir(scope))
			.filter((name) => name.startsWith('claude-code-'))
			.map((name) => join(scope, name, 'claude')),
	);
}

export async function installedCodex(): Promise<string> {
	const directory = await installedTool({
		name: 'codex',
		version: codexVersion,
		packages: [`@openai/codex@${codexVersion}`],
		ignoreScripts: true,
	});
	const scope = join(directory, 'node_modules', '@openai');
	const vendors = (await readdir(scope))
		.filter((name) => name.startsWith('codex-'))
		.map((name) => join(scope, name, 'vendor'));
	const targets = await Promise.all(
		vendors.map(async (vendor) => (await readdir(vendor)).map((target) => join(vendor, target))),
	);
	return firstFile(
		`Codex ${codexVersion}`,
		targets.flat().map((target) => join(target, 'bin', 'codex')),
	);
}

async function firstFile(name: string, candidates: readonly string[]): Promise<string> {
	for (const candidate of candidates) {
		try {
			await access(candidate);
			return candidate;
		} catch {
			// npm installs the packages of one platform; some come for two C libraries.
		}
	}
	throw new Error(`${name} has no program for ${process.platform} on ${process.arch}.`);
}
