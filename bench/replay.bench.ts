// Stepping back in a long replay, as a client sees it: from the request until the stack and the values of the stop are there.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AdapterClient } from '../test/debugAdapter/adapterClient.ts';
import { percentile, report } from './measure.ts';

const folder = mkdtempSync(join(tmpdir(), 'crosstalk-bench-replay-'));
const rounds = 200;
const wantedSteps = 100_000;

/** A prompt, then rounds of a text, a call and its result, each a step. */
function writeSession(path: string): void {
	const lines: string[] = [];
	let parent = 'null';
	const write = (type: string, message: object) => {
		const id = `00000000-0000-4000-8000-${lines.length.toString(16).padStart(12, '0')}`;
		const at = new Date(Date.UTC(2026, 0, 1) + lines.length * 700).toISOString();
		lines.push(
			`{"parentUuid":${parent},"isSidechain":false,"type":"${type}","message":${JSON.stringify(message)},"uuid":"${id}","timestamp":"${at}","sessionId":"s","version":"2.1.150"}`,
		);
		parent = `"${id}"`;
	};
	write('user', { role: 'user', content: 'Find the failing test and mend it.' });
	for (let round = 0; lines.length < wantedSteps; round++) {
		const tool = {
			type: 'tool_use',
			id: `toolu_${round}`,
			name: 'Bash',
			input: { command: `npm test -- ${round}` },
		};
		const said = { id: `msg_${round}`, role: 'assistant' };
		write('assistant', { ...said, content: [{ type: 'text', text: `Round ${round}.` }] });
		write('assistant', { ...said, content: [tool] });
		const result = {
			tool_use_id: tool.id,
			type: 'tool_result',
			content: `${round} passing`,
			is_error: round % 10 === 0,
		};
		write('user', { role: 'user', content: [result] });
	}
	writeFileSync(path, `${lines.join('\n')}\n`);
}

const client = new AdapterClient();
try {
	const project = join(folder, 'projects', 'project');
	mkdirSync(project, { recursive: true });
	const path = join(project, '0a0a0a0a-0000-4000-8000-000000000000.jsonl');
	writeSession(path);
	const opened = performance.now();
	await client.open({ transcript: path });
	await client.stopAfter('configurationDone');
	report(`a session of ${wantedSteps} steps is open after`, (performance.now() - opened) / 1000, ' s');
	const ran = performance.now();
	await client.stopAfter('continue', { threadId: 1 });
	report('from its beginning to its end', performance.now() - ran, ' ms');
	const latencies: number[] = [];
	for (let round = 0; round < rounds; round++) {
		const asked = performance.now();
		await client.stopAfter('stepBack', { threadId: 1 });
		const [frame] = await client.frames(1);
		await client.look(frame?.id ?? 0);
		latencies.push(performance.now() - asked);
	}
	report('stepping back, with stack and values, p50', percentile(latencies, 0.5), ' ms');
	report('stepping back, with stack and values, p99', percentile(latencies, 0.99), ' ms', { at: 'most', value: 50 });
	await client.ask('setFunctionBreakpoints', {
		breakpoints: [{ name: 'Bash', condition: 'arguments.command == "npm test -- 5"' }],
	});
	const back = performance.now();
	await client.stopAfter('reverseContinue', { threadId: 1 });
	report('back to a condition that holds once, near the beginning', (performance.now() - back) / 1000, ' s');
} finally {
	await client.close();
	rmSync(folder, { recursive: true, force: true });
}
