// What is shipped: no file too many, none too few, and none too heavy.

import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { listFiles, PackageManager } from '@vscode/vsce';
import type { Metafile } from 'esbuild';
import { root, runNode } from '../tools/process.ts';
import { linksIn } from './markdown.ts';

const required = [
	'CHANGELOG.md',
	'CONTRIBUTING.md',
	'LICENSE',
	'README.md',
	'SECURITY.md',
	'dist/cli.js',
	'dist/extension.cjs',
	'media/activity-bar.svg',
	'media/agent-transcript.language-configuration.json',
	'media/agent-transcript.tmLanguage.json',
	'media/icon.png',
	'package.json',
];

/** What is loaded later, and what depends on the rules there are. */
const allowed = [
	/^dist\/extension\/[\w-]+\.cjs$/,
	/^dist\/cli\/[\w-]+\.js$/,
	/^docs\/(rules\/|decisions\/)?[\w-]+\.md$/,
	/^docs\/images\/[a-z-]+\.png$/,
	/^package\.nls\.json$/,
];

describe('the package of the extension', () => {
	let files: readonly string[];

	before(async () => {
		const build = await runNode(['esbuild.js', '--production']);
		assert.equal(build.code, 0, build.output);
		files = (await listFiles({ cwd: root, packageManager: PackageManager.None })).map((path) =>
			path.replaceAll('\\', '/'),
		);
	});

	it('has everything that it needs', () => {
		assert.deepEqual(
			required.filter((path) => !files.includes(path)),
			[],
		);
	});

	it('has nothing else', () => {
		assert.deepEqual(
			files.filter((path) => !required.includes(path) && !allowed.some((pattern) => pattern.test(path))),
			[],
		);
	});

	it('has whatever its pages lead to', () => {
		const pages = files.filter((path) => path.endsWith('.md'));
		assert.ok(pages.length > required.length);
		assert.deepEqual(
			pages.flatMap((page) =>
				linksIn(page)
					.map(({ path }) => path)
					.filter((path) => !files.includes(path))
					.map((path) => `${page}: ${path}`),
			),
			[],
		);
	});

	it('brings the file that the manifest names as its icon, 128 pixels wide and high', async () => {
		const png = await readFile(join(root, 'media', 'icon.png'));
		assert.equal(png.subarray(1, 4).toString('latin1'), 'PNG');
		assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [128, 128]);
	});

	it('loads at most 400 KB when the extension is activated', async () => {
		const bytes = await bytesLoadedBy('extension', 'dist/extension.cjs');
		assert.ok(bytes > 0 && bytes <= 400_000, `${bytes} bytes`);
	});

	it('starts the command line with a line that a shell understands', async () => {
		const text = await readFile(join(root, 'dist', 'cli.js'), 'utf8');
		assert.ok(text.startsWith('#!/usr/bin/env node\n'), text.slice(0, 40));
	});
});

/** An entry and what it imports statically, as converted and minified on disk. */
async function bytesLoadedBy(target: string, entry: string): Promise<number> {
	const { outputs } = JSON.parse(await readFile(join(root, 'out', 'meta', `${target}.json`), 'utf8')) as Metafile; // written by esbuild
	const loaded = new Set<string>();
	const queue = [entry];
	for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
		if (loaded.has(path)) continue;
		loaded.add(path);
		const output = outputs[path];
		assert.ok(output, `${path} is not among the outputs of ${target}`);
		for (const { path: imported, kind, external } of output.imports) {
			if (kind === 'import-statement' && external !== true) queue.push(imported);
		}
	}
	let bytes = 0;
	for (const path of loaded) bytes += (await stat(join(root, path))).size;
	return bytes;
}
