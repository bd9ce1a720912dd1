import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { sqliteWorker } from '../../../../esbuild.js';
import { root, runNode } from '../../../../tools/process.ts';

describe('the embedded engine in a bundle', () => {
	let folder: string;

	beforeEach(async () => {
		folder = await mkdtemp(join(tmpdir(), 'crosstalk-engine-'));
	});

	afterEach(() => rm(folder, { recursive: true, force: true }));

	for (const [format, extension] of [
		['esm', 'mjs'],
		['cjs', 'cjs'],
	] as const) {
		it(`needs no file beside it (${format})`, async () => {
			const program = join(folder, `program.${extension}`);
			const source = join(root, 'src', 'platform', 'node', 'store', 'nodeSqlite.ts');
			await build({
				stdin: {
					contents: `
						import { openNodeSqlite } from ${JSON.stringify(source)};
						async function main() {
							const database = await openNodeSqlite({ directory: process.argv[2] });
							const generation = await database.claim();
							await database.write([{ sql: 'CREATE TABLE a (b)', parameters: [] }, { sql: 'INSERT INTO a VALUES (?)', parameters: ['é'] }], generation);
							console.log(JSON.stringify(await database.read({ sql: 'SELECT b FROM a', parameters: [] })));
							await database.close();
						}
						void main();`,
					resolveDir: root,
				},
				outfile: program,
				bundle: true,
				platform: 'node',
				target: 'node22',
				format,
				minify: true,
				logLevel: 'silent',
				plugins: [sqliteWorker(true)],
			});
			await writeFile(join(folder, 'package.json'), '{}');
			const { code, output } = await runNode([program, join(folder, 'store')], {
				directory: folder,
				limitMs: 60_000,
			});
			assert.deepEqual({ code, output }, { code: 0, output: '[{"b":"é"}]\n' });
		});
	}
});
