import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryToolCatalogue, readCatalogue } from '../../../../src/core/host/toolCatalogue.ts';
import { CatalogueFile } from '../../../../src/platform/node/host/catalogueFile.ts';
import { NodeToolCatalogue } from '../../../../src/platform/node/toolCatalogue.ts';

const list = { server: 'chat', tool: 'list', description: 'Lists.', inputSchema: '{"type":"object"}' };
const post = { server: 'chat', tool: 'post', description: undefined, inputSchema: undefined };

describe('the catalogue of tools', () => {
	let folder: string;
	let warnings: string[];
	const warn = (sentence: string) => void warnings.push(sentence);
	const path = () => join(folder, 'tools.json');

	beforeEach(() => {
		folder = mkdtempSync(join(tmpdir(), 'xtalk-tools-'));
		warnings = [];
	});

	afterEach(() => rmSync(folder, { recursive: true, force: true }));

	it('outlives the host that has written it, in a file that only its user may read', async () => {
		const first = await CatalogueFile.open(folder, warn);
		first.catalogue.put(list);
		first.catalogue.put(post);
		await first.close();
		if (process.platform !== 'win32') assert.equal(statSync(path()).mode & 0o777, 0o600);
		assert.deepEqual(readdirSync(folder), ['tools.json']);
		const second = await CatalogueFile.open(folder, warn);
		assert.deepEqual(second.catalogue.toolsOf('chat'), ['list', 'post']);
		second.catalogue.remove('chat', 'list');
		await second.close();
		assert.deepEqual(await new NodeToolCatalogue(() => folder, warn).read(), [post]);
		assert.deepEqual(warnings, []);
	});

	it('is not written when nothing has changed', async () => {
		const first = await CatalogueFile.open(folder, warn);
		first.catalogue.put(list);
		await first.close();
		const { ino } = statSync(path());
		const second = await CatalogueFile.open(folder, warn);
		second.catalogue.put({ ...list });
		second.catalogue.remove('chat', 'post');
		await second.close();
		assert.equal(statSync(path()).ino, ino);
	});

	it('is read again when it is another, and else given as it was', async () => {
		const reader = new NodeToolCatalogue(() => folder, warn);
		assert.deepEqual(await reader.read(), []);
		const file = await CatalogueFile.open(folder, warn);
		file.catalogue.put(list);
		await file.close();
		const tools = await reader.read();
		assert.deepEqual(tools, [list]);
		assert.equal(await reader.read(), tools);
		rmSync(path());
		assert.deepEqual(await reader.read(), []);
	});

	const damaged: readonly (readonly [string, string])[] = [
		['', 'It is not JSON.'],
		['{"version":1,"tools":[', 'It is not JSON.'],
		['[]', 'It is no catalogue of tools.'],
		['{"version":0,"tools":[]}', 'It is no catalogue of tools.'],
		['{"version":2,"tools":[]}', 'A newer version of Crosstalk has written it.'],
	];
	for (const [text, reason] of damaged) {
		it(`says in one sentence why it cannot be used, and is none then: ${text}`, async () => {
			writeFileSync(path(), text);
			const reader = new NodeToolCatalogue(() => folder, warn);
			assert.deepEqual([await reader.read(), await reader.read()], [[], []]);
			assert.deepEqual(warnings, [`The catalogue of tools ${path()} cannot be used: ${reason}`]);
			const file = await CatalogueFile.open(folder, () => undefined);
			file.catalogue.put(list);
			await file.close();
			assert.deepEqual(await reader.read(), [list]);
		});
	}

	it('is none where something else stands in its place or where nothing may be written', async () => {
		mkdirSync(path());
		assert.deepEqual(await new NodeToolCatalogue(() => folder, warn).read(), []);
		const file = await CatalogueFile.open(folder, warn);
		file.catalogue.put(list);
		await file.close();
		assert.equal(warnings.length, 3, warnings.join('\n'));
		assert.match(warnings.at(-1) ?? '', /tools\.json cannot be written \(E\w+\)\.$/);
		assert.deepEqual(await new NodeToolCatalogue(() => join(folder, 'nowhere'), warn).read(), []);
		chmodSync(folder, 0o700);
	});

	it('keeps of tools that are damaged the others', () => {
		const text = JSON.stringify({ version: 1, tools: [7, { server: 'a' }, { ...list, inputSchema: 3 }, post] });
		assert.deepEqual(readCatalogue(text), [{ ...list, inputSchema: undefined }, post]);
	});

	it('lets go of what was said longest ago before it grows without end', () => {
		const catalogue = new MemoryToolCatalogue([], () => undefined);
		for (let index = 0; index < 5_001; index++) catalogue.put({ ...post, tool: `t${index}` });
		assert.deepEqual([catalogue.toolsOf('chat').length, catalogue.toolsOf('chat')[0]], [5_000, 't1']);
		for (let index = 0; index < 200; index++)
			catalogue.put({ ...list, tool: `long${index}`, inputSchema: 'x'.repeat(64 * 1024) });
		assert.ok(catalogue.text.length < 9 * 1024 * 1024);
		const tools = readCatalogue(catalogue.text);
		assert.ok(typeof tools !== 'string' && tools.at(-1)?.tool === 'long199');
	});

	it('is whole at any time, however often it is written while it is read', async () => {
		const file = await CatalogueFile.open(folder, warn);
		const reader = new NodeToolCatalogue(() => folder, warn);
		for (let index = 0; index < 20; index++) {
			file.catalogue.put({ ...list, description: `${index}` });
			await Promise.all([file.close(), reader.read()]);
		}
		assert.deepEqual(warnings, []);
		assert.match(readFileSync(path(), 'utf8'), /^\{.*"19".*\}\n$/);
	});
});
