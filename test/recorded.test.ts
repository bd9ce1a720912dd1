// The recorded sessions of examples/ are shown to everybody: nothing of a person's machine or a vendor's prompts may be in them.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = 'examples/recorded';

describe('the recorded sessions', () => {
	const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => /\.jsonl?$/.test(path));
	const texts = paths.flatMap((path) => {
		const content = readFileSync(join(folder, path), 'utf8');
		return path.endsWith('.jsonl') ? content.trimEnd().split('\n') : [content];
	});

	it('are those of a Claude Code session with subagents, one that was killed, and a Codex thread with children', () => {
		assert.equal(paths.filter((path) => /\.claude.projects.[^/\\]+.[^/\\]+\.jsonl$/.test(path)).length, 2);
		assert.equal(paths.filter((path) => /subagents.agent-\w+\.jsonl$/.test(path)).length, 6);
		assert.equal(paths.filter((path) => /\.codex.*rollout-.*\.jsonl$/.test(path)).length, 3);
	});

	it('hold no long texts but the notifications of agents', () => {
		const long = texts
			.flatMap((text) => stringsIn(JSON.parse(text)))
			.filter((text) => text.length > 600 && !text.startsWith('<task-notification>'));
		assert.deepEqual(long, []);
	});

	it('name no folder but those of an invented developer', () => {
		const absolute = texts.flatMap(
			(text) => text.match(/(?<![\w.:])\/(?:home|Users|root|work|tmp|var|opt|usr|mnt)\/[\w.-]+/g) ?? [],
		);
		// "/root" is also what Codex calls the first agent of a thread.
		const known = new Set(['/home/dev', '/tmp/claude-1000', '/root/scout', '/root/lead']);
		assert.deepEqual(
			absolute.filter((path) => !known.has(path)),
			[],
		);
	});

	it('name no host', () => {
		assert.deepEqual(
			texts.flatMap((text) => text.match(/https?:\/\/[^"\s\\]+/g) ?? []),
			[],
		);
	});
});

function stringsIn(value: unknown): string[] {
	if (typeof value === 'string') return [value];
	if (typeof value !== 'object' || value === null) return [];
	return Object.values(value).flatMap(stringsIn);
}
