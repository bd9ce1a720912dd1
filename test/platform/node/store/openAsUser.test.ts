// The library as somebody has it who has installed the package: nothing of the sources is there.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { createBuilds, writeTypes } from '../../../../esbuild.js';
import { commandOf, root, runNode } from '../../../../tools/process.ts';

/** The contract's example, as a whole program. */
const program = `
import { openSessionStore, StoreError } from 'crosstalk/session-store';

const directory = process.argv[2];
const sessionId = 'analysis of March';
const toolUseId = 'toolu_01';
const args = { filter: 'amount > 100' };
const rows = Array.from({ length: 120 }, (_, index) => 'row ' + index);

const store = await openSessionStore({ directory });
const session = store.session(sessionId);
const page = (state) => {
	const cursor = state.cursor ?? 0;
	state.cursor = cursor + 50;
	return rows.slice(cursor, state.cursor);
};
const first = await session.call({ key: toolUseId, tool: 'analytics_query', args }, page);
const again = await session.call({ key: toolUseId, tool: 'analytics_query', args }, page);
const next = await session.call({ key: 'toolu_02', tool: 'analytics_query', args }, page);
const other = await session.call({ key: toolUseId, tool: 'analytics_query', args: {} }, page).catch((error) => error);
await session.call({ key: undefined, tool: 'fails', args }, (state) => { state.cursor = -1; throw new Error('no'); }).catch(() => {});
console.log(JSON.stringify([
	first[0], again[0], next[0], other instanceof StoreError, other.code, (await session.read()).state,
]));
await store.close();
`;

const typed = `
import { openSessionStore } from 'crosstalk/session-store';
import type { CheckpointMade, Session, SessionStore, StoreErrorCode } from 'crosstalk/session-store';

const store: SessionStore = await openSessionStore({ directory: 'x', limits: { eviction: 'always' } });
const session: Session = store.session('s');
const reply: string[] = await session.call<{ cursor?: number }, string[]>(
	{ key: undefined, tool: 't', args: {} },
	async (state, { signal }) => {
		state.cursor = (state.cursor ?? 0) + (signal.aborted ? 0 : 1);
		return [];
	},
);
store.onDidCheckpoint(({ sessionId, seq }: CheckpointMade) => [sessionId.length, seq.toFixed()]);
const code: StoreErrorCode = 'fenced';
// @ts-expect-error -- there is no default session
store.session();
// @ts-expect-error -- whether a call has a key is said
await session.call({ tool: 't', args: {} }, () => reply[0] ?? code);
`;

describe('the session store as a library', () => {
	let folder: string;
	let installed: string;

	before(async function () {
		this.timeout(300_000);
		folder = await mkdtemp(join(tmpdir(), 'crosstalk-library-'));
		installed = join(folder, 'node_modules', 'crosstalk');
		await mkdir(installed, { recursive: true });
		await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
		await cp(join(root, 'package.json'), join(installed, 'package.json'));
		await build('sessionStore');
		assert.equal(await writeTypes(join(installed, 'dist', 'types')), '');
	});

	after(async () => rm(folder, { recursive: true, force: true }));

	async function build(name: string): Promise<void> {
		const builds = await createBuilds({ write: false, production: true });
		try {
			for (const one of builds) {
				const { outputFiles = [] } = await one.rebuild();
				if (!outputFiles.some(({ path }) => path.endsWith(`${name}.js`))) continue;
				for (const { path, contents } of outputFiles) {
					const target = join(installed, path.slice(root.length));
					await mkdir(dirname(target), { recursive: true });
					await writeFile(target, contents);
				}
			}
		} finally {
			await Promise.all(builds.map(async (one) => one.dispose()));
		}
	}

	it('runs the example, and again in another process', async () => {
		await writeFile(join(folder, 'program.js'), program);
		const runOnce = async () => runNode([join(folder, 'program.js'), join(folder, 'store')], { directory: folder });
		const { code, output } = await runOnce();
		assert.equal(code, 0, output);
		const replies = ['row 0', 'row 0', 'row 50', true, 'key-reused', { cursor: 100 }];
		assert.deepEqual(JSON.parse(output), replies);
		assert.deepEqual(JSON.parse((await runOnce()).output), replies);
	});

	it('ends with its program, also when nobody closes it', async () => {
		await writeFile(join(folder, 'open.js'), program.replace('await store.close();', ''));
		for (let run = 0; run < 2; run++) {
			const { code, output } = await runNode([join(folder, 'open.js'), join(folder, 'left open')], {
				directory: folder,
			});
			assert.equal(code, 0, output);
		}
	});

	it('has types that a user’s compiler understands', async () => {
		await writeFile(join(folder, 'typed.ts'), typed);
		const options = [
			'--noEmit',
			'--strict',
			'--target',
			'es2023',
			'--module',
			'nodenext',
			'--types',
			'--ignoreConfig',
		];
		const { code, output } = await runNode([commandOf('typescript', 'tsc'), ...options, 'typed.ts'], {
			directory: folder,
		});
		assert.equal(code, 0, output);
	});

	it('is in the npm package, and not in the extension', async () => {
		const text = await readFile(join(root, '.npmignore'), 'utf8');
		assert.ok(
			['!/dist/sessionStore.js', '!/dist/sessionStore', '!/dist/types'].every((line) =>
				text.includes(`${line}\n`),
			),
		);
		const { stdout } = await promisify(execFile)('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
			cwd: root,
			shell: process.platform === 'win32',
		});
		const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }]; // as npm documents it
		const foreign = files.filter(
			({ path }) => !/^(package\.json|LICENSE|README\.md|dist\/.*|docs\/.*\.md)$/.test(path),
		);
		assert.deepEqual(foreign, []);
		// What the command line names in SARIF.
		assert.ok(files.some(({ path }) => path === 'docs/rules/orphaned-tool-use.md'));
	});
});
