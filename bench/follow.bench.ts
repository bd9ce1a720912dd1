import { appendFileSync, mkdirSync, mkdtempSync, rmSync, statSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCore } from '../src/core/core.ts';
import type { FollowedSession } from '../src/core/core.ts';
import { createNodePlatform } from '../src/platform/node/platform.ts';
import { percentile, report } from './measure.ts';
import { generateSession } from './transcripts.ts';

// From a line that is appended to a transcript to the finding that it causes, beside a small and beside a 200 MB file.

const core = createCore(createNodePlatform(false));
const folder = mkdtempSync(join(tmpdir(), 'crosstalk-bench-follow-'));

interface Figures {
	readonly latencies: readonly number[];
	/** Processor time of one update, milliseconds. */
	readonly processorTime: number;
	readonly openSeconds: number;
}

async function measure(megabytes: number): Promise<Figures> {
	const project = join(folder, `projects-${megabytes}`, 'projects', 'project');
	mkdirSync(project, { recursive: true });
	const path = join(project, '0a0a0a0a-0000-4000-8000-000000000000.jsonl');
	await generateSession(path, 1, megabytes * 1e6);
	const found = (await core.findSessions(path)).sessions[0];
	if (found === undefined) throw new Error('The generated session was not found.');
	const session = core.followSession(found, { assume: 'ended', rules: {}, withPreviews: true });
	const opened = performance.now();
	await session.update({ paths: new Set([path]), isProbing: false });
	const openSeconds = (performance.now() - opened) / 1000;
	const latencies: number[] = [];
	let processorTime = 0;
	const rounds = 200;
	let parent = '';
	for (let round = 0; round < rounds; round++) {
		const isCall = round % 2 === 0;
		const id = `bench-${megabytes}-${round}`;
		const wanted = isCall ? 1 : 0;
		const appended = performance.now();
		const usage = process.cpuUsage();
		const arrived = changed(path);
		appendFileSync(path, isCall ? callLine(id, round) : resultLine(id, parent, round - 1));
		await arrived;
		await updated(session, path, wanted);
		latencies.push(performance.now() - appended);
		const used = process.cpuUsage(usage);
		processorTime += (used.user + used.system) / 1000 / rounds;
		parent = id;
	}
	if (statSync(path).size < megabytes * 1e6) throw new Error('The file is smaller than it was to be.');
	return { latencies, processorTime, openSeconds };
}

function changed(path: string): Promise<void> {
	return new Promise((resolve) => {
		const watcher = watch(path, () => {
			watcher.close();
			resolve();
		});
	});
}

async function updated(session: FollowedSession, path: string, wanted: number): Promise<void> {
	for (let tries = 0; tries < 1000; tries++) {
		await session.update({ paths: new Set([path]), isProbing: false });
		if (session.diagnostics.filter((diagnostic) => diagnostic.ruleId === 'orphaned-tool-use').length === wanted) {
			return;
		}
	}
	throw new Error('The finding did not come.');
}

const callLine = (id: string, round: number) =>
	`{"parentUuid":null,"isSidechain":false,"type":"assistant","message":{"id":"msg_bench_${round}","role":"assistant","content":[{"type":"tool_use","id":"toolu_bench_${round}","name":"Bash","input":{}}]},"uuid":"${id}","timestamp":"2026-02-01T00:00:00.000Z","sessionId":"s","version":"2.1.150"}\n`;
const resultLine = (id: string, parent: string, round: number) =>
	`{"parentUuid":"${parent}","isSidechain":false,"type":"user","message":{"role":"user","content":[{"tool_use_id":"toolu_bench_${round}","type":"tool_result","content":"ok"}]},"uuid":"${id}","timestamp":"2026-02-01T00:00:00.000Z","sessionId":"s","version":"2.1.150"}\n`;

try {
	const small = await measure(1);
	const large = await measure(200);
	report('a 200 MB session is open after', large.openSeconds, ' s');
	report('appended line to finding, p99, beside 200 MB', percentile(large.latencies, 0.99), ' ms', {
		at: 'most',
		value: 100,
	});
	report('processor time of an update beside 200 MB', large.processorTime, ' ms');
	report('processor time, 200 MB / 1 MB', large.processorTime / small.processorTime, '', { at: 'most', value: 2 });
} finally {
	rmSync(folder, { recursive: true, force: true });
}
