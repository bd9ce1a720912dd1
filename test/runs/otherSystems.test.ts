// Saved on one system, opened on another: paths in a session file belong to neither.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createCore } from '../../src/core/core.ts';
import type { TranscriptFiles } from '../../src/core/transcripts/files.ts';
import { openSavedSession } from '../../src/core/transcripts/savedSession.ts';
import type { SessionFiles } from '../../src/core/transcripts/sessionFiles.ts';
import { PackedWriter } from '../../src/platform/node/packed/packedWriter.ts';
import { MemoryFiles } from '../transcripts/memoryFiles.ts';
import { SavingFolder, core, platform } from './savedSessions.ts';

const recorded = 'examples/recorded/.claude/projects/-home-dev-analytics';
const id = '4286b68e-7bda-44a4-87ea-3c0f563e00a3';
const project = 'C:\\Users\\me\\.claude\\projects\\C--work';
const options = { assume: 'ended', rules: {}, withPreviews: false } as const;

describe('a session file on another system', () => {
	let folder: SavingFolder;

	before(() => {
		folder = new SavingFolder();
	});

	after(() => folder.remove());

	it('has the same paths when it was saved on Windows', async () => {
		const windows = new WindowsFiles();
		const session: SessionFiles = {
			format: 'claude-code',
			nativeId: id,
			mainPath: windows.take(`${recorded}/${id}.jsonl`, `${project}\\${id}.jsonl`),
			agents: readdirSync(join(recorded, id, 'subagents'))
				.filter((name) => name.endsWith('.jsonl'))
				.map((name) => {
					const path = `${project}\\${id}\\subagents\\${name}`;
					return {
						agentId: basename(name, '.jsonl').slice('agent-'.length),
						path: windows.take(join(recorded, id, 'subagents', name), path),
						sidecarPath: windows.take(
							join(recorded, id, 'subagents', name.replace('.jsonl', '.meta.json')),
							path.replace('.jsonl', '.meta.json'),
						),
						isWorkflow: false,
					};
				}),
		};
		const path = folder.of('windows.crosstalk');
		const writer = await PackedWriter.create(path, true);
		await createCore({ ...platform, files: windows }).saveSession(session, writer, {
			writtenBy: 'crosstalk test',
			savedAt: 0,
			replacing: undefined,
		});
		await writer.finish();

		const opened = await openSavedSession(platform.files, path);
		assert.equal(opened.mainPath, join(path, 'transcripts', `${id}.jsonl`));
		assert.deepEqual(
			opened.agents.map((agent) => agent.path),
			session.agents.map((agent) =>
				join(path, 'transcripts', id, 'subagents', agent.path.split('\\').at(-1) ?? ''),
			),
		);
		const read = await core.readSession(opened, options);
		const { sessions } = await core.findSessions(join(process.cwd(), `${recorded}/${id}.jsonl`));
		const original = await core.readSession(sessions[0]!, options);
		assert.equal(read.diagnostics.length, 3);
		assert.deepEqual(
			read.diagnostics.map(({ message }) => message),
			original.diagnostics.map(({ message }) => message),
		);
	});

	it('is read with the separators of the system that opens it', async () => {
		const windows = new WindowsFiles();
		const path = 'D:\\run.crosstalk';
		windows.write(
			`${path}\\manifest.json`,
			JSON.stringify({
				format: 'crosstalk-session',
				version: 1,
				writtenBy: 'crosstalk test',
				savedAt: '2026-11-21T12:00:00.000Z',
				session: { format: 'claude-code', nativeId: id },
				liveness: { state: 'ended', evidence: 'It has ended.' },
				bodies: 'whole',
				main: `transcripts/${id}.jsonl`,
				agents: [{ agentId: 'a', path: `transcripts/${id}/subagents/agent-a.jsonl` }],
				files: [],
			}),
		);
		const opened = await openSavedSession(windows, path);
		assert.equal(opened.mainPath, `${path}\\transcripts\\${id}.jsonl`);
		assert.equal(opened.agents[0]?.path, `${path}\\transcripts\\${id}\\subagents\\agent-a.jsonl`);
	});
});

/** Files in memory, with the paths of Windows. */
class WindowsFiles implements TranscriptFiles {
	readonly separator = '\\';
	private readonly files = new MemoryFiles();

	write(path: string, content: string | Uint8Array): void {
		this.files.write(plain(path), content);
	}

	/** Gives the path. */
	take(from: string, path: string): string {
		this.write(path, readFileSync(from));
		return path;
	}

	stat = async (path: string) => this.files.stat(plain(path));
	list = async (path: string) => this.files.list(plain(path));
	open = async (path: string) => this.files.open(plain(path));
	allocate = (length: number) => this.files.allocate(length);
}

function plain(path: string): string {
	return `/${path.replaceAll('\\', '/')}`;
}
