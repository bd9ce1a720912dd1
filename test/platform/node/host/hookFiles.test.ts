// What `crosstalk hooks` does to settings files. That Claude Code (2.1.328) reads nothing of one with comments was tried out.

import assert from 'node:assert/strict';
import {
	chmod,
	lstat,
	mkdir,
	mkdtemp,
	readFile,
	readdir,
	realpath,
	rm,
	stat,
	symlink,
	writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { isOurHandler, handlersIn, hookHandlers } from '../../../../src/platform/node/host/hooks/claudeCodeSettings.ts';
import type { HookPlace } from '../../../../src/platform/node/host/hooks/claudeCodeSettings.ts';
import { withHandlers, withoutHandlers } from '../../../../src/platform/node/host/hooks/hookEdits.ts';
import {
	findHooks,
	installedPaths,
	planHooks,
	removeHooks,
	writeHooks,
} from '../../../../src/platform/node/host/hooks/hookFiles.ts';
import type { HookProblem, PlannedHooks } from '../../../../src/platform/node/host/hooks/hookFiles.ts';

const place: HookPlace = {
	url: 'http://127.0.0.1:4711/hook-secret/hooks/claude-code',
	launcher: { command: '/opt/crosstalk', args: [], env: {} },
	dataDirectory: '/data of mine',
	startsHost: true,
};
const elsewhere: HookPlace = { ...place, url: 'http://127.0.0.1:4712/hook-secret/hooks/claude-code' };

class Lab {
	readonly folder: string;
	readonly data: string;
	readonly path: string;

	private constructor(folder: string) {
		this.folder = folder;
		this.data = join(folder, 'data');
		this.path = join(folder, 'project', '.claude', 'settings.local.json');
	}

	static async create(text?: string): Promise<Lab> {
		const lab = new Lab(await realpath(await mkdtemp(join(tmpdir(), 'xtalk-hooks-'))));
		await mkdir(join(lab.folder, 'project'));
		if (text !== undefined) {
			await mkdir(join(lab.folder, 'project', '.claude'));
			await writeFile(lab.path, text, { mode: 0o640 });
		}
		return lab;
	}

	async plan(at = place): Promise<PlannedHooks> {
		const planned = await planHooks(this.path, at);
		assert.ok(!('message' in planned), 'message' in planned ? planned.message : '');
		return planned;
	}

	async problem(): Promise<HookProblem> {
		const planned = await planHooks(this.path, place);
		assert.ok('message' in planned);
		return planned;
	}

	async install(at = place): Promise<void> {
		assert.equal(await writeHooks(this.data, await this.plan(at)), undefined);
	}

	async settings(): Promise<Record<string, unknown>> {
		// What Claude Code reads, as it reads it.
		return JSON.parse((await readFile(this.path, 'utf8')).replace(/^\uFEFF/, '')) as Record<string, unknown>;
	}

	async ours(): Promise<readonly string[]> {
		return handlersIn(await this.settings())
			.filter(({ handler }) => isOurHandler(handler))
			.map(({ event }) => event);
	}

	async dispose(): Promise<void> {
		await rm(this.folder, { recursive: true, force: true });
	}
}

describe('hooks in a settings file', () => {
	let lab: Lab;
	afterEach(async () => lab.dispose());

	it('are remembered of each file, however many are installed and removed at once', async () => {
		lab = await Lab.create();
		const paths = Array.from({ length: 8 }, (_, index) => join(lab.folder, 'project', `settings-${index}.json`));
		const files = await Promise.all(
			paths.map(async (path, index) => {
				await writeFile(path, `{ "model": "${index}" }\n`);
				const planned = await planHooks(path, place);
				assert.ok(!('message' in planned));
				return planned;
			}),
		);
		for (const problem of await Promise.all(files.map(async (planned) => writeHooks(lab.data, planned))))
			assert.equal(problem, undefined);
		assert.deepEqual((await installedPaths(lab.data)).toSorted(), paths);
		const removed = await Promise.all(paths.map(async (path) => removeHooks(lab.data, path)));
		assert.deepEqual(new Set(removed.map(({ result }) => result)), new Set(['restored']));
		for (const [index, path] of paths.entries())
			assert.equal(await readFile(path, 'utf8'), `{ "model": "${index}" }\n`);
		assert.deepEqual(await installedPaths(lab.data), []);
	});

	it('are in a file of their own where there is none, for its owner alone, and go with it', async () => {
		lab = await Lab.create();
		await lab.install();
		assert.equal((await lab.ours()).length, hookHandlers(place).size);
		if (process.platform !== 'win32') assert.equal((await stat(lab.path)).mode & 0o777, 0o600);
		assert.equal((await removeHooks(lab.data, lab.path)).result, 'restored');
		assert.deepEqual(await readdir(join(lab.folder, 'project')), []);
		assert.deepEqual((await readdir(lab.data)).toSorted(), ['hooks-lock.sqlite', 'hooks.json']);
	});

	it('leave each of two files its way back that were the same before', async () => {
		lab = await Lab.create('{}');
		const other = join(lab.folder, 'other.json');
		await writeFile(other, '{}');
		await lab.install();
		const planned = await planHooks(other, place);
		assert.ok(!('message' in planned));
		assert.equal(await writeHooks(lab.data, planned), undefined);
		assert.equal((await removeHooks(lab.data, lab.path)).result, 'restored');
		assert.equal((await removeHooks(lab.data, other)).result, 'restored');
		assert.equal(await readFile(other, 'utf8'), '{}');
		assert.deepEqual(await readdir(join(lab.data, 'hook-backups')), []);
	});

	it('leave the folder that somebody else uses', async () => {
		lab = await Lab.create();
		await lab.install();
		await writeFile(join(lab.folder, 'project', '.claude', 'settings.json'), '{}');
		assert.equal((await removeHooks(lab.data, lab.path)).result, 'restored');
		assert.deepEqual(await readdir(join(lab.folder, 'project', '.claude')), ['settings.json']);
	});

	const own = { type: 'command', command: 'my linter' };
	const files: Readonly<Record<string, string>> = {
		'is empty': '',
		'has nothing in it': '{}',
		'has no line end at its end': '{\n  "model": "opus"\n}',
		'has tabs and line ends of Windows': '{\r\n\t"model": "opus",\r\n\t"env": { "A": "1" }\r\n}\r\n',
		'has a byte order mark': '\uFEFF{ "model": "opus" }\n',
		'is on one line': '{"permissions":{"allow":["Bash(ls:*)"]},"hooks":{}}',
		'has hooks for one of the events': `${JSON.stringify({ hooks: { PreToolUse: [{ matcher: 'Bash', hooks: [own] }] } }, undefined, 4)}\n`,
		'has hooks for another event': JSON.stringify({ hooks: { WorktreeCreate: [{ hooks: [own] }] }, model: 'opus' }),
		'has an event without hooks': '{ "hooks": { "PreToolUse": [], "Stop": [ ] } }',
		'names a thing twice': '{ "model": "opus", "model": "sonnet" }',
	};
	for (const [what, text] of Object.entries(files)) {
		it(`of a file that ${what} stand beside all else, and it is as it was after them`, async () => {
			lab = await Lab.create(text);
			const before = text.trim() === '' ? {} : await lab.settings();
			await lab.install();
			assert.equal((await lab.ours()).length, hookHandlers(place).size);
			const { hooks: hooksAfter, ...after } = await lab.settings();
			const { hooks: hooksBefore = {}, ...others } = before;
			assert.deepEqual(after, others);
			const groups = hooksAfter as Record<string, unknown[]>;
			for (const [event, known] of Object.entries(hooksBefore as Record<string, unknown[]>))
				assert.deepEqual(groups[event]?.slice(0, known.length), known, event);
			if (process.platform !== 'win32') assert.equal((await stat(lab.path)).mode & 0o777, 0o640);
			// A second time changes nothing.
			assert.equal((await lab.plan()).diff, '');
			assert.deepEqual(await removeHooks(lab.data, lab.path), {
				path: lab.path,
				result: 'restored',
				diff: '',
				remarks: [],
				backup: undefined,
			});
			assert.equal(await readFile(lab.path, 'utf8'), text);
			assert.deepEqual(await readdir(join(lab.data, 'hook-backups')), []);
		});
	}

	const broken: Readonly<Record<string, readonly [text: string, line: number | undefined, message: RegExp]>> = {
		'has comments': [
			'{\n  // mine\n  "model": "opus"\n}',
			2,
			/^It has comments\. Claude Code reads nothing of a file/,
		],
		'has a comma too many': ['{\n  "model": "opus",\n}', 1, /^It has a comma too many\. /],
		'breaks off': ['{\n  "model": "opus"', 2, /^It is not JSON: .*Claude Code reads nothing/],
		'is a list': ['[]', 1, /^It must hold an object\./],
		'has hooks that are a list': ['{ "hooks": [] }', 1, /^Its "hooks" is no object\. The file is left alone\.$/],
		'has an event that is no list': ['{ "hooks": { "Stop": {} } }', 1, /^Its hooks for "Stop" are no list\./],
		'is UTF-16': ['\uFEFF{}', 1, /^It is UTF-16/],
	};
	for (const [what, [text, line, message]] of Object.entries(broken)) {
		it(`are not put into a file that ${what}: it is said where`, async () => {
			lab = await Lab.create();
			await mkdir(join(lab.folder, 'project', '.claude'));
			const bytes = Buffer.from(text, what === 'is UTF-16' ? 'utf16le' : 'utf8');
			await writeFile(lab.path, bytes);
			const problem = await lab.problem();
			assert.match(problem.message, message);
			assert.deepEqual([problem.path, problem.line], [lab.path, line]);
			assert.equal((await removeHooks(lab.data, lab.path)).result, 'failed');
			assert.ok((await readFile(lab.path)).equals(bytes));
		});
	}

	it('are not put into a file that is read-only, nor taken out of one', async () => {
		lab = await Lab.create('{}');
		await chmod(lab.path, 0o444);
		const problem = await writeHooks(lab.data, await lab.plan());
		assert.match(problem?.message ?? '', /^It is read-only\./);
		assert.equal(await readFile(lab.path, 'utf8'), '{}');
		await chmod(lab.path, 0o644);
		await lab.install();
		const installed = await readFile(lab.path, 'utf8');
		await chmod(lab.path, 0o444);
		const removed = await removeHooks(lab.data, lab.path);
		assert.deepEqual(
			[removed.result, removed.remarks],
			['failed', ['It is read-only. Nothing was written to it.']],
		);
		assert.equal(await readFile(lab.path, 'utf8'), installed);
	});

	it('are not put into a file that has changed since it was shown', async () => {
		lab = await Lab.create('{}');
		const planned = await lab.plan();
		await writeFile(lab.path, '{"model":"opus"}');
		assert.match((await writeHooks(lab.data, planned))?.message ?? '', /^Somebody has changed it/);
		assert.equal(await readFile(lab.path, 'utf8'), '{"model":"opus"}');
		assert.equal((await removeHooks(lab.data, lab.path)).result, 'unchanged');
	});

	it('are not put over a file that was made since', async () => {
		lab = await Lab.create();
		const planned = await lab.plan();
		await mkdir(join(lab.folder, 'project', '.claude'));
		await writeFile(lab.path, '{"model":"opus"}');
		assert.match((await writeHooks(lab.data, planned))?.message ?? '', /^Somebody has changed it/);
		assert.equal(await readFile(lab.path, 'utf8'), '{"model":"opus"}');
	});

	it('are taken out of a file that was changed since, and what was changed stays', async () => {
		lab = await Lab.create('{ "env": { "KEY": "private" } }');
		await lab.install();
		const settings = await lab.settings();
		const hooks = settings['hooks'] as Record<string, { hooks: unknown[] }[]>;
		hooks['Stop']?.unshift({ hooks: [own] });
		hooks['PreToolUse']?.[0]?.hooks.push(own);
		await writeFile(lab.path, JSON.stringify({ ...settings, model: 'opus' }, undefined, 1));
		const removed = await removeHooks(lab.data, lab.path);
		assert.equal(removed.result, 'merged');
		assert.deepEqual(removed.remarks, ['It was changed since; the hooks were taken out of it.']);
		assert.deepEqual(await lab.settings(), {
			env: { KEY: 'private' },
			hooks: { PreToolUse: [{ hooks: [own] }], Stop: [{ hooks: [own] }] },
			model: 'opus',
		});
		// Whoever wants all of it back finds it.
		assert.equal(await readFile(removed.backup ?? '', 'utf8'), '{ "env": { "KEY": "private" } }');
		assert.doesNotMatch(removed.diff, /private|my linter|hook-secret/);
		assert.equal((await removeHooks(lab.data, lab.path)).result, 'unchanged');
	});

	it('are renewed where they lead to another host, and the way back is still that to the first file', async () => {
		lab = await Lab.create('{ "model" : "opus" }');
		await lab.install();
		assert.deepEqual(await findHooks(lab.path, elsewhere), {
			path: lab.path,
			events: [...hookHandlers(place).keys()],
			missing: [],
			isCurrent: false,
			obstacle: undefined,
		});
		await lab.install(elsewhere);
		assert.equal((await lab.ours()).length, hookHandlers(place).size);
		const found = await findHooks(lab.path, elsewhere);
		assert.ok('isCurrent' in found && found.isCurrent);
		await removeHooks(lab.data, lab.path);
		assert.equal(await readFile(lab.path, 'utf8'), '{ "model" : "opus" }');
	});

	it('are renewed in a file that was changed since, and that change is not lost afterwards', async () => {
		lab = await Lab.create('{}');
		await lab.install();
		await writeFile(lab.path, (await readFile(lab.path, 'utf8')).replace('{', '{ "model": "opus",'));
		await lab.install(elsewhere);
		await removeHooks(lab.data, lab.path);
		assert.deepEqual(await lab.settings(), { model: 'opus' });
	});

	it('are taken out where nothing is known of how it was before', async () => {
		lab = await Lab.create('{ "model": "opus" }');
		await lab.install();
		await rm(lab.data, { recursive: true });
		const removed = await removeHooks(lab.data, lab.path);
		assert.deepEqual([removed.result, removed.backup], ['merged', undefined]);
		assert.deepEqual(await lab.settings(), { model: 'opus' });
	});

	it('are taken out where the backup is damaged', async () => {
		lab = await Lab.create('{ "model": "opus" }');
		await lab.install();
		const folder = join(lab.data, 'hook-backups');
		for (const name of await readdir(folder)) await writeFile(join(folder, name), 'damaged');
		const removed = await removeHooks(lab.data, lab.path);
		assert.match(removed.remarks[0] ?? '', /^Its backup is not there or damaged/);
		assert.deepEqual(await lab.settings(), { model: 'opus' });
	});

	it('are not touched where the list of them is damaged', async () => {
		lab = await Lab.create('{}');
		await lab.install();
		const installed = await readFile(lab.path, 'utf8');
		for (const text of ['{', '{"version":2,"files":[]}', '{"version":1,"files":[{"path":1}]}']) {
			await writeFile(join(lab.data, 'hooks.json'), text);
			await assert.rejects(removeHooks(lab.data, lab.path), /hooks\.json is (?:damaged|not as it was written)\./);
		}
		assert.equal(await readFile(lab.path, 'utf8'), installed);
	});

	it('go through a link and leave it one', async function () {
		if (process.platform === 'win32') this.skip(); // links need a privilege there
		lab = await Lab.create('{}');
		const link = join(lab.folder, 'link.json');
		await symlink(lab.path, link);
		const planned = await planHooks(link, place);
		assert.ok('diff' in planned);
		await writeHooks(lab.data, planned);
		assert.ok((await lstat(link)).isSymbolicLink());
		assert.equal((await lab.ours()).length, hookHandlers(place).size);
		await removeHooks(lab.data, link);
		assert.equal(await readFile(lab.path, 'utf8'), '{}');
	});

	it('are shown without anybody’s secrets', async () => {
		lab = await Lab.create(
			JSON.stringify(
				{ env: { TOKEN: 'private' }, hooks: { Stop: [{ hooks: [{ type: 'http', url: 'https://u:pw@x/' }] }] } },
				undefined,
				2,
			),
		);
		const { diff } = await lab.plan();
		assert.match(
			diff,
			/\+ .*"PreToolUse": \[\{ "hooks": .*http:\/\/127\.0\.0\.1:4711\/…\/hooks\/claude-code\?hold=3595/,
		);
		assert.doesNotMatch(diff, /private|u:pw|hook-secret/);
	});

	it('come and go without a trace, whatever else there is', async () => {
		lab = await Lab.create();
		const key = fc.constantFrom('PreToolUse', 'Stop', 'Other', 'model', 'x"y', 'hooks');
		const handler = fc.oneof(
			fc.constant(own),
			fc.record({ type: fc.constant('http'), url: fc.webUrl() }),
			fc.constant(7),
		);
		const group = fc.oneof(
			fc.record({ matcher: fc.string(), hooks: fc.array(handler, { maxLength: 2 }) }),
			fc.constant({ matcher: 'x' }),
		);
		const settings = fc.record(
			{
				a: fc.jsonValue({ maxDepth: 2 }),
				hooks: fc.dictionary(key, fc.array(group, { maxLength: 2 }), { maxKeys: 4 }),
				z: fc.dictionary(key, fc.jsonValue({ maxDepth: 1 })),
			},
			{ requiredKeys: [] },
		);
		const indent = fc.constantFrom(undefined, 2, '\t');
		fc.assert(
			fc.property(settings, indent, (value, space) => {
				const text = JSON.stringify(value, undefined, space);
				const changed = withHandlers(text, hookHandlers(place));
				assert.ok(changed !== undefined);
				assert.equal(
					handlersIn(JSON.parse(changed) as Record<string, unknown>).filter(({ handler: one }) =>
						isOurHandler(one),
					).length,
					30,
				);
				const { hooks = {}, ...others } = JSON.parse(text) as { hooks?: Record<string, unknown[]> };
				const { hooks: now = {}, ...rest } = JSON.parse(withoutHandlers(changed) ?? '') as typeof others & {
					hooks?: Record<string, unknown[]>;
				};
				assert.deepEqual(rest, others);
				// An event that had no hooks says the same when it is not there.
				const kept = (all: Record<string, unknown[]>) =>
					Object.fromEntries(Object.entries(all).filter(([, groups]) => groups.length > 0));
				assert.deepEqual(kept(now), kept(hooks));
			}),
			{ numRuns: 60 },
		);
	});
});
