import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FollowedConfig } from '../../../../src/platform/node/host/followedConfig.ts';
import { readServerConfig } from '../../../../src/platform/node/host/serverConfigs.ts';

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
		const given: string[] = [];
		const warnings: string[] = [];
		const config = await FollowedConfig.open({
			path,
			read: () => readServerConfig(path, { environment: {}, homeFolder: folder }),
			contents: 'servers',
			onServers: (servers) =>
				given.push(
					servers
						.map(
							({ name, transport }) =>
								`${name} ${transport.kind === 'stdio' ? transport.args.join(' ') : ''}`,
						)
						.join(),
				),
			onScopes: () => undefined,
			warn: (sentence) => warnings.push(sentence),
			onError: (error) => assert.fail(String(error)),
		});
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
});

async function until(isTrue: () => boolean): Promise<void> {
	while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 20));
}
