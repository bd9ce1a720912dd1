// The bodies are those that Codex 0.169.0 has sent, one for each kind of event, tool and agent; paths are replaced.
// `UPDATE_GOLDENS=1 npx mocha test/host/hooks` writes the facts anew: read the diff.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { readHook } from '../../../src/core/host/hooks/agentHooks.ts';
import { codexEvents } from '../../../src/core/host/hooks/codexHooks.ts';
import type { HookFacts } from '../../../src/core/host/hooks/hookFacts.ts';

const recorded = new URL('../../fixtures/hooks/codex-0.169.0.jsonl', import.meta.url);
const golden = new URL('../../fixtures/hooks/codex-0.169.0.facts.txt', import.meta.url);
const bodies = readFileSync(recorded, 'utf8').trimEnd().split('\n');

function read(body: string, format = 'codex'): HookFacts | undefined {
	return readHook(format, Buffer.from(body));
}

describe('hook events of Codex', () => {
	it('say what is known of them', () => {
		const facts = bodies.map((body) => {
			const members = Object.entries(read(body) ?? {}).filter(([, value]) => value !== undefined);
			return members.map(([name, value]) => `${name} ${JSON.stringify(value)}`).join('\n  ');
		});
		const text = `${facts.join('\n')}\n`;
		if (process.env['UPDATE_GOLDENS'] === '1') writeFileSync(golden, text);
		assert.equal(text, readFileSync(golden, 'utf8'));
	});

	it('are all known by name', () => {
		const names: readonly string[] = codexEvents;
		assert.deepEqual(
			bodies.map((body) => read(body)?.event ?? '').filter((event) => !names.includes(event)),
			[],
		);
	});

	it('are none without an event, without a session, or of another agent', () => {
		for (const body of ['', '{', 'null', '[]', '{"hook_event_name":"Stop"}', '{"session_id":"x"}'])
			assert.equal(read(body), undefined, body);
		assert.equal(read(bodies[0] ?? '', 'other'), undefined);
	});
});
