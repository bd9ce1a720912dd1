import { createWriteStream, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Claude Code transcripts of a wanted size, in the shapes of real ones: each turn is a prompt, then rounds of thinking, text and one to
 * three parallel calls with their results. The sizes of results follow what was measured on real files: a median of about 1 KB, one in
 * ten above 6 KB, some of 60 KB; every result stands twice in its line, as the block and as `toolUseResult`, and is code or a listing
 * full of quotes and escapes. The same seed gives the same bytes.
 */
export async function generateHome(megabytes: number): Promise<string> {
	const folder = join(tmpdir(), `crosstalk-bench-2-${megabytes}`);
	const marker = join(folder, 'complete');
	if (existsSync(marker)) return folder;
	rmSync(folder, { recursive: true, force: true });
	let written = 0;
	for (let number = 0; written < megabytes * 1e6; number++) {
		const project = join(folder, 'projects', `project-${number % 7}`);
		mkdirSync(project, { recursive: true });
		// Sessions from half a megabyte to forty.
		const wanted = Math.min(megabytes * 1e6 - written, [0.5e6, 2e6, 8e6, 40e6][number % 4] ?? 2e6);
		written += await generateSession(join(project, `${uuid(number, 0)}.jsonl`), number, wanted);
	}
	writeFileSync(marker, '');
	return folder;
}

/** One session of at least `bytes` bytes. Gives the number of bytes written. */
export async function generateSession(path: string, number: number, bytes: number): Promise<number> {
	const random = createRandom(number + 1);
	const stream = createWriteStream(path);
	const session = uuid(number, 0);
	let lines = 0;
	let written = 0;
	let parent: string | null = null;
	const write = async (type: string, body: string, behind: string): Promise<string> => {
		const id = uuid(number, ++lines);
		const at = new Date(Date.UTC(2026, 0, 1) + lines * 700).toISOString();
		const line = `{"parentUuid":${parent === null ? 'null' : `"${parent}"`},"isSidechain":false,"userType":"external","cwd":"/home/dev/project","sessionId":"${session}","version":"2.1.150","gitBranch":"main",${body},"type":"${type}","uuid":"${id}","timestamp":"${at}"${behind}}\n`;
		written += line.length;
		if (!stream.write(line)) await once(stream, 'drain');
		parent = id;
		return id;
	};
	for (let turn = 0; written < bytes; turn++) {
		await write(
			'user',
			`"message":{"role":"user","content":"Turn ${turn}: find the failing test and mend it."}`,
			'',
		);
		const rounds = 1 + Math.floor(random() * 8);
		for (let round = 0; round < rounds && written < bytes; round++) {
			const message = `msg_${number}_${lines}`;
			const block = (content: string) =>
				`"message":{"model":"claude-opus-5","id":"${message}","type":"message","role":"assistant","content":[${content}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":4,"cache_creation_input_tokens":1312,"cache_read_input_tokens":48211,"output_tokens":312,"service_tier":"standard"}},"requestId":"req_${number}_${lines}"`;
			await write(
				'assistant',
				block(`{"type":"thinking","thinking":"","signature":"${'Ev4BCkYICxgCKkD'.repeat(20)}"}`),
				'',
			);
			if (random() < 0.5) {
				await write('assistant', block(`{"type":"text","text":"Let me look at the code around it."}`), '');
			}
			const calls = random() < 0.7 ? 1 : 3;
			const open: { readonly id: string; readonly line: string }[] = [];
			for (let call = 0; call < calls; call++) {
				const id = `toolu_${number}_${lines}`;
				const line = await write(
					'assistant',
					block(
						`{"type":"tool_use","id":"${id}","name":"${random() < 0.5 ? 'Read' : 'Bash'}","input":{"file_path":"/home/dev/project/src/module${call}.ts","offset":${lines}},"caller":{"type":"direct"}}`,
					),
					'',
				);
				open.push({ id, line });
			}
			for (const call of open) {
				const text = JSON.stringify(code(random, sizeOf(random)));
				parent = call.line;
				await write(
					'user',
					`"message":{"role":"user","content":[{"tool_use_id":"${call.id}","type":"tool_result","content":${text}}]}`,
					`,"toolUseResult":{"type":"text","file":{"filePath":"/home/dev/project/src/module.ts","content":${text},"numLines":120,"startLine":1,"totalLines":120}},"sourceToolAssistantUUID":"${call.line}"`,
				);
			}
		}
		await write(
			'assistant',
			`"message":{"model":"claude-opus-5","id":"msg_${number}_${lines}","type":"message","role":"assistant","content":[{"type":"text","text":"The test passes now."}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":4,"output_tokens":12}}`,
			'',
		);
	}
	stream.end();
	await once(stream, 'finish');
	return written;
}

function sizeOf(random: () => number): number {
	const draw = random();
	if (draw < 0.5) return 100 + random() * 900;
	if (draw < 0.9) return 1000 + random() * 5000;
	if (draw < 0.99) return 6000 + random() * 20_000;
	return 60_000;
}

// Code, listings and prose are what tools return: line ends, tabs, now and then a letter outside of ASCII. In real transcripts 160 bytes
// lie between two escaped quotes; this file alone would have five times as many.
let quotes = 0;
const source = readFileSync(new URL(import.meta.url), 'utf8')
	.replaceAll('KB', 'KB – é')
	.replaceAll('"', () => (quotes++ % 5 === 0 ? '"' : "'"));

function code(random: () => number, length: number): string {
	let text = '';
	while (text.length < length) {
		const start = Math.floor(random() * (source.length - 400));
		text += source.slice(start, start + 400);
	}
	return text.slice(0, length);
}

function uuid(session: number, line: number): string {
	return `${session.toString(16).padStart(8, '0')}-0000-4000-8000-${line.toString(16).padStart(12, '0')}`;
}

function createRandom(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return state / 4294967296;
	};
}
