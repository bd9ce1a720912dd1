// Where clients keep the configuration of their MCP servers.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConfigDialect } from '../../../../core/host/config/serverEntry.ts';
import { claudeProjectKeys } from './claudeProjects.ts';

export const clients = ['claude', 'vscode', 'cursor', 'codex'] as const;
export type Client = (typeof clients)[number];

export const clientNames: Readonly<Record<Client, string>> = {
	claude: 'Claude Code',
	vscode: 'VS Code',
	cursor: 'Cursor',
	codex: 'Codex',
};

export interface ClientFile {
	readonly client: Client;
	/** Absolute. */
	readonly path: string;
	readonly dialect: ConfigDialect;
	/** Where in the file there may be servers, and the folder that these belong to. */
	readonly containers: readonly ClientContainer[];
}

export interface ClientContainer {
	readonly path: readonly string[];
	readonly folder: string;
}

export interface ClientSurroundings {
	readonly platform: NodeJS.Platform;
	readonly environment: Readonly<Record<string, string | undefined>>;
	readonly homeFolder: string;
	readonly workingFolder: string;
}

/** The files that a client would read in the working folder, whether they exist or not: the project's first, then the user's. */
export async function clientFiles(client: Client, surroundings: ClientSurroundings): Promise<readonly ClientFile[]> {
	const files = await filesOf(client, surroundings);
	// At home both are one.
	return files.filter(({ path }, index) => files.findIndex((other) => other.path === path) === index);
}

async function filesOf(client: Client, surroundings: ClientSurroundings): Promise<readonly ClientFile[]> {
	const { environment, homeFolder, workingFolder } = surroundings;
	const file = (path: string, key: string, folder: string): ClientFile => ({
		client,
		path,
		dialect: client,
		containers: [{ path: [key], folder }],
	});
	switch (client) {
		case 'claude':
			return [
				file(join(workingFolder, '.mcp.json'), 'mcpServers', workingFolder),
				{
					...file(join(environment['CLAUDE_CONFIG_DIR'] ?? homeFolder, '.claude.json'), '', homeFolder),
					containers: [
						...claudeProjectKeys(workingFolder).map((key) => ({
							path: ['projects', key, 'mcpServers'],
							folder: workingFolder,
						})),
						{ path: ['mcpServers'], folder: homeFolder },
					],
				},
			];
		case 'vscode':
			return [
				file(join(workingFolder, '.vscode', 'mcp.json'), 'servers', workingFolder),
				...(await codeUserFiles(surroundings)).map((path) => file(path, 'servers', homeFolder)),
			];
		case 'cursor':
			return [
				file(join(workingFolder, '.cursor', 'mcp.json'), 'mcpServers', workingFolder),
				file(join(homeFolder, '.cursor', 'mcp.json'), 'mcpServers', homeFolder),
			];
		case 'codex':
			return [
				file(join(workingFolder, '.codex', 'config.toml'), 'mcp_servers', workingFolder),
				file(
					join(environment['CODEX_HOME'] ?? join(homeFolder, '.codex'), 'config.toml'),
					'mcp_servers',
					homeFolder,
				),
			];
	}
}

/** The user's own `mcp.json` of each build of VS Code, and of its profiles. */
async function codeUserFiles({ platform, environment, homeFolder }: ClientSurroundings): Promise<readonly string[]> {
	const base =
		platform === 'win32'
			? (environment['APPDATA'] ?? join(homeFolder, 'AppData', 'Roaming'))
			: platform === 'darwin'
				? join(homeFolder, 'Library', 'Application Support')
				: (environment['XDG_CONFIG_HOME'] ?? join(homeFolder, '.config'));
	const files = await Promise.all(
		['Code', 'Code - Insiders', 'VSCodium'].map(async (build) => {
			const user = join(base, build, 'User');
			const profiles = await namesIn(join(user, 'profiles'));
			return [join(user, 'mcp.json'), ...profiles.map((profile) => join(user, 'profiles', profile, 'mcp.json'))];
		}),
	);
	return files.flat();
}

async function namesIn(folder: string): Promise<readonly string[]> {
	try {
		return (await readdir(folder)).sort();
	} catch {
		// Most people have no profiles; a folder that cannot be listed has none for us.
		return [];
	}
}
