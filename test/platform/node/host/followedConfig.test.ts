import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerDefinition } from '../../../../src/core/host/serverDefinition.ts';
import { FollowedConfig } from '../../../../src/platform/node/host/followedConfig.ts';
import type { ImportRecord } from '../../../../src/platform/node/host/config/importStore.ts';
import { importedServers, importedServersFile } from '../../../../src/platform/node/host/importedServers.ts';
import { readServerConfig } from '../../../../src/platform/node/host/serverConfigs.ts';
import type { ServerConfig } from '../../../../src/platform/node/host/serverConfigs.ts';

describe('a configuration that is followed', () => {
	let folder = '';
	before(async () => {
		folder = await mkdtemp(join(tmpdir(), 'crosstalk-followed-'));
	});
	after(() => rm(folder, { recursive: true, force: true }));

	it('that is half written changes no server, and is taken over when it is whole', async () => {
		const path = join(folder, 'mcp.json');
		const one = (args: string) => `{ "mcpServers": { "one": { "command": "x", "args": [${args}] }`;
		await writeFile(path, `${one('"--read-only", "/srv"')}, "two": { "command": "y" } } }`);
		const { config, given, warnings } = await followed(
			path,
			() => readServerConfig(path, { environment: {}, homeFolder: folder }),
			({ name, transport }) => `${name} ${transport.kind === 'stdio' ? transport.args.join(' ') : ''}`,
		);
		try {
			assert.deepEqual(given, ['one --read-only /srv,two ']);
			await writeFile(path, one('"--read-').slice(0, -3));
			await until(() => warnings.length > 0);
			assert.match(warnings[0] ?? '', /mcp\.json:1: It is not JSON: /);
			assert.deepEqual(given.slice(1), []);
			await writeFile(path, `${one('"--read-only", "/home"')} } }`);
			await until(() => given.length > 1);
			assert.deepEqual(given.slice(1), ['one --read-only /home']);
		} finally {
			config.dispose();
		}
	});

	it('that says nothing of scopes is taken over all the same, and to the last server', async () => {
		const data = join(folder, 'data');
		await mkdir(data);
		const path = importedServersFile(data);
		const imported = (names: readonly string[]) =>
			JSON.stringify({
				version: 1,
				imported: Object.fromEntries(
					names.map((name) => [name, { dialect: 'claude', folder, entry: { command: name } }]),
				),
				files: [],
			} satisfies ImportRecord);
		const { config, given, warnings } = await followed(
			path,
			() => importedServers(data, { environment: {}, homeFolder: folder }),
			({ name }) => name,
		);
		try {
			for (const names of [['one'], ['one', 'two'], []]) {
				const count = given.length;
				await writeFile(path, imported(names));
				await until(() => given.length > count);
			}
			assert.deepEqual(given, ['', 'one', 'one,two', '']);
			assert.deepEqual(warnings, []);
		} finally {
			config.dispose();
		}
	});
});

async function followed(
	path: string,
	read: () => Promise<ServerConfig>,
	wordsOf: (server: ServerDefinition) => string,
) {
	const given: string[] = [];
	const warnings: string[] = [];
	const config = await FollowedConfig.open({
		path,
		read,
		contents: 'servers',
		onServers: (servers) => given.push(servers.map(wordsOf).join()),
		onScopes: () => undefined,
		warn: (sentence) => warnings.push(sentence),
		onError: (error) => assert.fail(String(error)),
	});
	return { config, given, warnings };
}

async function until(isTrue: () => boolean): Promise<void> {
	while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 20));
}
