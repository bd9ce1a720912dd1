// Session files that nobody has written so: cut, changed, made up, newer, made to harm. Each costs one sentence, and writes nothing.

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { crc32, deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { ExpectedError } from '../../src/core/base/errors.ts';
import { openSavedSession } from '../../src/core/transcripts/savedSession.ts';
import { PackedWriter } from '../../src/platform/node/packed/packedWriter.ts';
import { run } from '../cli/memoryIo.ts';
import { SavingFolder, core, everySession, platform, saveAs } from './savedSessions.ts';

const [session] = (await everySession()).filter(({ agents, format }) => agents.length > 1 && format === 'claude-code');

describe('a damaged session file', () => {
	let folder: SavingFolder;
	let whole: Buffer;

	before(async () => {
		folder = new SavingFolder();
		const path = folder.of('whole.crosstalk');
		assert.ok(session !== undefined);
		await saveAs(path, session);
		whole = readFileSync(path);
	});

	after(() => folder.remove());

	it('is told in one sentence wherever it is cut off', async () => {
		for (let length = 0; length < whole.length; length += 97) {
			const path = written('cut', whole.subarray(0, length));
			const { code, stdout, stderr } = await run(['lint', path]);
			assert.equal(code, 2);
			assert.equal(stdout, '');
			assert.match(
				stderr,
				/^crosstalk: [^\n]*: (?:The session file is damaged: [^\n]*\.|It is no session file[^\n]*\.)\n$/,
			);
		}
	});

	it('is never taken for the whole by a command that goes on without the damaged part', async () => {
		const path = written('part', damagedSubagent(whole));
		for (const args of [
			['show', path],
			['compare', folder.of('whole.crosstalk'), path],
			['replay', path, '--dry-run'],
		]) {
			const { stderr } = await run(args);
			assert.match(
				stderr,
				/^crosstalk: [^\n]*agent-[^\n]*: The session file is damaged: [^\n]*\n/,
				args.join(' '),
			);
		}
	});

	it('is not taken for one from which a transcript is missing', async () => {
		const path = written('damaged', damagedSubagent(whole));
		const { stdout, stderr } = await run(['lint', path]);
		assert.doesNotMatch(stdout, /whose transcript is not beside those of the other subagents/);
		assert.match(stdout, /: inconclusive: The transcript of .* is there, and nothing of it could be read\./);
		assert.match(stderr, /^crosstalk: [^\n]*agent-[^\n]*: The session file is damaged: [^\n]*\.\n$/);
	});

	it('is saved again as far as it can be read, which is said with the exit code too', async () => {
		const path = written('again', damagedSubagent(whole));
		const out = folder.of('rest.crosstalk');
		const { code, stdout, stderr } = await run(['save', path, '--out', out]);
		assert.equal(code, 2);
		assert.match(stdout, /^[^\n]*rest\.crosstalk: session [^\n]*; 1 file could not be read\.\n/);
		assert.match(
			stderr,
			/^crosstalk: [^\n]*agent-[^\n]*: The session file is damaged: [^\n]*It is not in the session file\.\n$/,
		);
		const names = async (of: string) => (await entriesOf(of)).map(([name]) => name);
		const [before, kept] = [await names(folder.of('whole.crosstalk')), await names(out)];
		// The transcript itself; what stands beside it is there.
		assert.deepEqual(
			before.filter((name) => !kept.includes(name)).map((name) => name.endsWith('.jsonl')),
			[true],
		);
		const json = await run(['save', path, '--out', out, '--force', '--json']);
		assert.equal(json.code, 2);
		const { missing } = JSON.parse(json.stdout) as { missing: { path: string }[] };
		assert.match(missing[0]?.path ?? '', /again\.crosstalk.*agent-.*\.jsonl$/);
	});

	it('is not replaced by what is left of it', async () => {
		const bytes = damagedSubagent(whole);
		const path = written('itself', bytes);
		const { code, stdout, stderr } = await run(['save', path, '--out', path, '--force']);
		assert.equal(code, 2);
		assert.equal(stdout, '');
		assert.match(stderr, /itself\.crosstalk is left as it is; save it under another name\.\n$/);
		assert.deepEqual(readFileSync(path), Buffer.from(bytes));
	});

	it('is read, or told in sentences, whichever bytes of it are others', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
				async (changes) => {
					const bytes = Buffer.from(whole);
					for (const [at, byte] of changes) bytes[at] = byte;
					await assertReadable(written('changed', bytes));
				},
			),
			{ numRuns: 150 },
		);
	});

	it('is read, or told in sentences, when its directory is another', async () => {
		const end = whole.length - 22;
		const begin = whole.readUInt32LE(end + 16);
		await fc.assert(
			fc.asyncProperty(
				fc.array(fc.tuple(fc.integer({ min: begin, max: whole.length - 1 }), fc.nat(255)), {
					minLength: 1,
					maxLength: 8,
				}),
				async (changes) => {
					const bytes = Buffer.from(whole);
					for (const [at, byte] of changes) bytes[at] = byte;
					await assertReadable(written('directory', bytes));
				},
			),
			{ numRuns: 150 },
		);
	});

	it('is told in one line when the name of a file in it has got a line break', async () => {
		const bytes = Buffer.from(whole);
		const header = bytes.readUInt32LE(bytes.length - 22 + 16);
		bytes.writeUInt32LE(0, header + 24); // its size
		bytes.write('\n', header + 46 + 1); // its name
		await assert.rejects(openSavedSession(platform.files, written('name', bytes)), (error: Error) => {
			assert.ok(error instanceof ExpectedError);
			assert.match(error.message, /^The session file is damaged: [^\n]* does not fit it\.$/);
			return true;
		});
	});

	it('is told in sentences when it is noise', async () => {
		await fc.assert(
			fc.asyncProperty(fc.uint8Array({ maxLength: 4000 }), async (noise) => {
				const path = written('noise', noise);
				await assert.rejects(openSavedSession(platform.files, path), ExpectedError);
			}),
			{ numRuns: 100 },
		);
	});

	const manifest = {
		format: 'crosstalk-session',
		version: 1,
		session: { format: 'claude-code', nativeId: 'x' },
		liveness: { state: 'ended', evidence: '' },
		bodies: 'whole',
		main: 'a.jsonl',
		agents: [],
		files: [],
	};
	const wrong: readonly [title: string, entries: () => readonly Entry[], sentence: RegExp][] = [
		[
			'no manifest',
			() => [['a.txt', 'x']],
			/It is no session file of Crosstalk: there is no manifest\.json in it\./,
		],
		['a manifest that is no JSON', () => [['manifest.json', '{']], /manifest\.json in it is not JSON\./],
		['another file of JSON', () => [['manifest.json', '{}']], /It is no session file of Crosstalk\./],
		[
			'a newer version',
			() => [['manifest.json', JSON.stringify({ ...manifest, version: 7, writtenBy: 'crosstalk 9.1.0' })]],
			/A newer version of Crosstalk \(crosstalk 9\.1\.0\) has saved it: its format is 7, and this one knows 1\./,
		],
		[
			'a path out of it',
			() => [['manifest.json', JSON.stringify({ ...manifest, main: '../../etc/passwd' })]],
			/"main" of its manifest\.json is not as it should be\./,
		],
		[
			'an absolute path',
			() => [['manifest.json', JSON.stringify({ ...manifest, main: '/etc/passwd' })]],
			/"main" of its manifest\.json/,
		],
		[
			'a path of Windows',
			() => [['manifest.json', JSON.stringify({ ...manifest, main: 'C:\\x' })]],
			/"main" of its manifest\.json/,
		],
		['an entry out of it', () => [['../evil.jsonl', 'x']], /it has a file of the name "\.\.\/evil\.jsonl"/],
		['an absolute entry', () => [['/evil.jsonl', 'x']], /it has a file of the name/],
		[
			'two entries of one name',
			() => [
				['a', 'x'],
				['a', 'y'],
			],
			/it has two files of the name a\./,
		],
		[
			'a transcript that is not in it',
			() => [['manifest.json', JSON.stringify(manifest)]],
			/The file is no longer there\./,
		],
	];
	for (const [title, entries, sentence] of wrong) {
		it(`says what is wrong: ${title}`, async () => {
			const path = written('wrong', archive(entries()));
			const { code, stdout, stderr } = await run(['lint', path]);
			assert.equal(code, 2, stdout);
			assert.match(stderr, sentence);
			assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
		});
	}

	it('is not unpacked when it would be many times its size', async () => {
		const bomb = Buffer.alloc(64 * 1024 * 1024);
		const entries = Array.from({ length: 6 }, (_, index): Entry => [`${index}.jsonl`, bomb]);
		const path = written('bomb', archive([['manifest.json', JSON.stringify(manifest)], ...entries]));
		await assert.rejects(openSavedSession(platform.files, path), /It would unpack to \d+ MB, \d+ times its size/);
	});

	it('does not believe two entries that they are in the same bytes', async () => {
		const text = JSON.stringify(manifest);
		const bytes = Buffer.from(
			archive([
				['manifest.json', text],
				['b.jsonl', 'x'],
			]),
		);
		// The second entry of the directory begins where the first does.
		const at = bytes.lastIndexOf('b.jsonl') - 46;
		bytes.writeUInt32LE(0, at + 42);
		await assert.rejects(openSavedSession(platform.files, written('overlap', bytes)), /runs into another file/);
	});

	it('is not needed to be packed by Crosstalk: another program may have packed the folder again', async () => {
		const files = await entriesOf(folder.of('whole.crosstalk'));
		const path = written('repacked', archive(files));
		const there = await core.readSession(await openSavedSession(platform.files, path), options);
		const here = await core.readSession(
			await openSavedSession(platform.files, folder.of('whole.crosstalk')),
			options,
		);
		assert.equal(there.diagnostics.length, here.diagnostics.length);
		assert.equal(there.conversation.agents.size, here.conversation.agents.size);
	});

	it('may be a folder of that name', async () => {
		const path = folder.of('unpacked.crosstalk');
		for (const [name, bytes] of await entriesOf(folder.of('whole.crosstalk'))) {
			mkdirSync(`${path}/${name}`.slice(0, `${path}/${name}`.lastIndexOf('/')), { recursive: true });
			writeFileSync(`${path}/${name}`, bytes);
		}
		const { sessions } = await core.findSessions(path);
		assert.deepEqual(
			sessions.map(({ nativeId, agents }) => `${nativeId} ${agents.length}`),
			[`${session?.nativeId} ${session?.agents.length}`],
		);
	});

	it('is not replaced unless somebody says so, and nothing is left behind when it cannot be written', async () => {
		const path = folder.of('kept.crosstalk');
		cpSync(folder.of('whole.crosstalk'), path);
		const transcript = session?.mainPath ?? '';
		const { code, stderr } = await run(['save', transcript, '--out', path]);
		assert.equal(code, 2);
		assert.match(stderr, /kept\.crosstalk is there already; --force replaces it\.\n$/);
		assert.equal((await run(['save', transcript, '--out', path, '--force'])).code, 0);
		const nowhere = await run(['save', transcript, '--out', folder.of('no-folder/x.crosstalk')]);
		assert.match(nowhere.stderr, /cannot be written: there is no such folder\.\n$/);
		assert.match((await run(['save', transcript, '--out', folder.of('x.zip')])).stderr, /ends in \.crosstalk/);
		assert.deepEqual(
			readdirSync(folder.path).filter((name) => name.endsWith('.tmp')),
			[],
		);
	});

	it('does not replace a file that came while it was written', async () => {
		const path = folder.of('late.crosstalk');
		const writer = await PackedWriter.create(path, false);
		writeFileSync(path, 'of somebody else');
		await assert.rejects(
			writer.finish(),
			/late\.crosstalk cannot be written: there is a file of that name already\.$/,
		);
		await writer.discard();
		assert.equal(readFileSync(path, 'utf8'), 'of somebody else');
		assert.deepEqual(
			readdirSync(folder.path).filter((name) => name.endsWith('.tmp')),
			[],
		);
		const replacing = await PackedWriter.create(path, true);
		await replacing.finish();
		assert.notEqual(readFileSync(path, 'utf8'), 'of somebody else');
	});

	const options = { assume: 'auto', rules: {}, withPreviews: false } as const;

	/** Whatever is wrong is a sentence: of the file, or of one of the files in it. */
	async function assertReadable(path: string): Promise<void> {
		const before = readdirSync(folder.path).length;
		try {
			const opened = await openSavedSession(platform.files, path);
			const { readings } = await core.readSession(opened, options);
			for (const { problem } of readings) if (problem !== undefined) assert.match(problem, /\.$/);
		} catch (error) {
			assert.ok(error instanceof ExpectedError, String(error));
			assert.match(error.message, /^[^\n]*\.$/);
		}
		assert.equal(readdirSync(folder.path).length, before);
	}

	function written(name: string, bytes: Uint8Array): string {
		const path = folder.of(`${name}.crosstalk`);
		writeFileSync(path, bytes);
		return path;
	}
});

/** In the middle of a subagent's transcript. */
function damagedSubagent(whole: Buffer): Uint8Array {
	const bytes = Buffer.from(whole);
	const at = bytes.indexOf('.jsonl', bytes.indexOf('/subagents/agent-')) + 600;
	bytes.writeUInt32LE(~bytes.readUInt32LE(at) >>> 0, at);
	return bytes;
}

type Entry = readonly [name: string, content: string | Uint8Array];

async function entriesOf(path: string): Promise<readonly Entry[]> {
	const entries: Entry[] = [];
	const read = async (name: string): Promise<void> => {
		for (const entry of await platform.files.list(`${path}/${name}`)) {
			const below = `${name}/${entry.name}`;
			if (entry.isDirectory) await read(below);
			else entries.push([below, await contentOf(`${path}/${below}`)]);
		}
	};
	await read('transcripts');
	return [...entries, ['manifest.json', await contentOf(`${path}/manifest.json`)]];
}

async function contentOf(path: string): Promise<Uint8Array> {
	const file = await platform.files.open(path);
	const bytes = new Uint8Array((await platform.files.stat(path))?.size ?? 0);
	await file.read(bytes, 0);
	await file.close();
	return bytes;
}

/** A zip archive as other programs write it. */
function archive(entries: readonly Entry[]): Uint8Array {
	const parts: Buffer[] = [];
	const directory: Buffer[] = [];
	let offset = 0;
	const packedOf = new Map<string | Uint8Array, Buffer>();
	for (const [name, content] of entries) {
		const packed = packedOf.get(content) ?? deflateRawSync(content, { level: 9 });
		packedOf.set(content, packed);
		const bytes = Buffer.byteLength(content);
		const sizes = Buffer.alloc(12);
		sizes.writeUInt32LE(crc32(content), 0);
		sizes.writeUInt32LE(packed.length, 4);
		sizes.writeUInt32LE(bytes, 8);
		const local = Buffer.alloc(30);
		local.writeUInt32LE(0x04034b50, 0);
		local.writeUInt16LE(20, 4);
		local.writeUInt16LE(8, 8);
		local.set(sizes, 14);
		local.writeUInt16LE(Buffer.byteLength(name), 26);
		const central = Buffer.alloc(46);
		central.writeUInt32LE(0x02014b50, 0);
		central.writeUInt16LE(20, 6);
		central.writeUInt16LE(8, 10);
		central.set(sizes, 16);
		central.writeUInt16LE(Buffer.byteLength(name), 28);
		central.writeUInt32LE(offset, 42);
		parts.push(local, Buffer.from(name), packed);
		directory.push(central, Buffer.from(name));
		offset += 30 + Buffer.byteLength(name) + packed.length;
	}
	const size = directory.reduce((sum, { length }) => sum + length, 0);
	const end = Buffer.alloc(22);
	end.writeUInt32LE(0x06054b50, 0);
	end.writeUInt16LE(entries.length, 8);
	end.writeUInt16LE(entries.length, 10);
	end.writeUInt32LE(size, 12);
	end.writeUInt32LE(offset, 16);
	return Buffer.concat([...parts, ...directory, end]);
}
