import assert from 'node:assert/strict';
import {
	appendFileSync,
	closeSync,
	cpSync,
	mkdirSync,
	mkdtempSync,
	openSync,
	readFileSync,
	renameSync,
	rmSync,
	writeFileSync,
	writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '../../src/cli/main.ts';
import { MemoryIo } from './memoryIo.ts';

const fixture = 'test/fixtures/cli/projects/-home-dev-shop';
const name = '5ca1ab1e-0000-4000-8000-000000000001';

describe('crosstalk lint --watch', () => {
	let folder = '';
	let io = new MemoryIo();
	let running: Promise<number> | undefined;
	beforeEach(() => {
		folder = mkdtempSync(join(tmpdir(), 'crosstalk-watch-'));
		io = new MemoryIo({ workingFolder: folder });
	});
	afterEach(async () => {
		io.stop.abort();
		await running;
		rmSync(folder, { recursive: true, force: true });
	});

	/** The findings of the last round, once there are that many rounds. */
	async function round(number: number): Promise<string> {
		const finished = /crosstalk: lint finished\n/g;
		await io.stdout.until((text) => (text.match(finished)?.length ?? 0) >= number);
		const last = io.stdout.text.split('crosstalk: lint started\n').at(-1) ?? '';
		assert.match(last, /crosstalk: lint finished\n$/);
		return last;
	}

	it('reports each change between its two lines, and ends with the code of the last report', async () => {
		const path = join(folder, `${name}.jsonl`);
		const lines = readFileSync(`${fixture}/${name}.jsonl`, 'utf8').split('\n');
		writeFileSync(path, `${lines.slice(0, 7).join('\n')}\n`);
		running = main(['lint', path, '--watch', '--assume', 'ended'], io);
		assert.match(await round(1), /\nNothing found\. 1 inconclusive\.\n1 session, 2 agents, 3 tool calls/);
		assert.match(io.stdout.text, /^crosstalk: lint started\n/);
		appendFileSync(path, `${lines[7]}\n`);
		assert.match(await round(2), /\.jsonl:8:323: error: .* \[orphaned-tool-use\]\n/);
		appendFileSync(path, `${lines[8]}\n`);
		assert.match(await round(3), /:8:323: error: .*\n.*:9:1: note: The conversation goes on here\.\n/);
		io.stop.abort();
		assert.equal(await running, 1);
	});

	it('sees sessions, subagents and sidecars that come to a folder, and sessions that go', async () => {
		running = main(['lint', folder, '--watch', '--assume', 'ended'], io);
		await round(1);
		mkdirSync(join(folder, 'project'));
		cpSync(`${fixture}/${name}.jsonl`, join(folder, 'project', `${name}.jsonl`));
		await io.stdout.until((text) => /\[orphaned-tool-use\]/.test(text));
		cpSync(`${fixture}/${name}`, join(folder, 'project', name), { recursive: true });
		await io.stdout.until((text) => /subagents\/agent-a0000000000000001\.jsonl:4:1: warning: /.test(text));
		await io.stdout.until((text) => text.includes('1 session, 2 agents, 5 tool calls'));
		rmSync(join(folder, 'project'), { recursive: true });
		await io.stdout.until((text) =>
			text.endsWith(
				'Nothing found.\n0 sessions, 0 agents, 0 tool calls in 0 files, 0 lines.\ncrosstalk: lint finished\n',
			),
		);
	});

	it('forgets the sessions of a folder that goes as a whole', async () => {
		const watched = join(folder, 'watched');
		mkdirSync(join(watched, 'project'), { recursive: true });
		cpSync(`${fixture}/${name}.jsonl`, join(watched, 'project', `${name}.jsonl`));
		running = main(['lint', watched, '--watch', '--assume', 'ended'], io);
		assert.match(await round(1), /orphaned-tool-use/);
		renameSync(watched, join(folder, 'elsewhere'));
		await io.stdout.until((text) => (text.split('lint started').at(-1) ?? '').includes('\n0 sessions'));
	});

	it('reads a transcript again that was replaced', async () => {
		const path = join(folder, `${name}.jsonl`);
		cpSync(`${fixture}/${name}.jsonl`, path);
		running = main(['lint', path, '--watch', '--assume', 'ended'], io);
		assert.match(await round(1), /orphaned-tool-use/);
		writeFileSync(path, `${readFileSync(`${fixture}/${name}.jsonl`, 'utf8').split('\n').slice(0, 3).join('\n')}\n`);
		await io.stdout.until((text) => text.includes('Nothing found.\n1 session, 1 agent, 1 tool call '));
	});

	it('reads a transcript again that was changed in place, as long as before', async () => {
		const path = join(folder, `${name}.jsonl`);
		const text = readFileSync(`${fixture}/${name}.jsonl`, 'utf8').split('\n').slice(0, 3).join('\n');
		writeFileSync(path, `${text}\n`);
		running = main(['lint', path, '--watch', '--assume', 'ended'], io);
		assert.match(await round(1), /^Nothing found\.\n/);
		const file = openSync(path, 'r+');
		// The id that the result answers.
		writeSync(file, 'X', text.indexOf('"tool_use_id":"') + '"tool_use_id":"toolu_'.length);
		closeSync(file);
		assert.match(await round(2), /\[orphaned-tool-use\]/);
	});

	it('keeps the lines of its rounds out of a report for programs', async () => {
		const path = join(folder, `${name}.jsonl`);
		cpSync(`${fixture}/${name}.jsonl`, path);
		running = main(['lint', path, '--watch', '--json'], io);
		await io.stderr.until((text) => text.includes('crosstalk: lint finished\n'));
		assert.equal((JSON.parse(io.stdout.text) as { version: number }).version, 1);
	});
});
