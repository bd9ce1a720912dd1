import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { defaultLimits } from '../../src/core/store/createTurns.ts';

const page = readFileSync('docs/session-store.md', 'utf8');

describe('the page on the session store', () => {
	it('has an example that prints what it says', async () => {
		const example = /```js\n(.*?)```/su.exec(page)?.[1] ?? '';
		const library = pathToFileURL('src/platform/node/sessionStore.ts').href;
		const directory = mkdtempSync(join(tmpdir(), 'crosstalk-example-'));
		try {
			const file = join(directory, 'example.mjs');
			writeFileSync(file, example.replace('crosstalk/session-store', library));
			const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: directory, timeout: 90_000 });
			const promised = [...example.matchAll(/console\.log\(.*\/\/ (.*)$/gmu)].map((match) => match[1]);
			assert.equal(promised.length, 3);
			assert.deepEqual(stdout.trimEnd().split('\n'), promised);
		} finally {
			rmSync(directory, { recursive: true });
		}
	}).timeout(40_000);

	it('names the limits as they are', () => {
		const { eviction, memoryBytes, deadlineMs, queueLength, keptCalls, keptCallsMs, keptStates, stateBytes } =
			defaultLimits;
		const idleMs = typeof eviction === 'object' ? eviction.idleMs : 0;
		const megabyte = 1024 * 1024;
		for (const row of [
			`| \`eviction\` | \`{ idleMs: ${idleMs.toLocaleString('en').replace(',', '_')} }\` |`,
			`| \`memoryBytes\` | ${memoryBytes / megabyte} MB |`,
			`| \`deadlineMs\` | ${deadlineMs.toLocaleString('en')} |`,
			`| \`queueLength\` | ${queueLength.toLocaleString('en')} |`,
			`| \`keptCalls\`, \`keptCallsMs\` | ${keptCalls}, ${keptCallsMs / 3_600_000} hours |`,
			`| \`keptStates\` | ${keptStates} |`,
			`| \`stateBytes\` | ${stateBytes / megabyte} MB |`,
		])
			assert.ok(page.includes(row), row);
	});

	it('names every error', () => {
		const source = readFileSync('src/core/store/storeError.ts', 'utf8');
		const codes = [...source.matchAll(/^\t\| '([a-z-]+)'/gmu)].map((match) => match[1]);
		assert.ok(codes.length > 10);
		assert.deepEqual(
			codes.filter((code) => !page.includes(`\`${code}\``)),
			[],
		);
	});
});
