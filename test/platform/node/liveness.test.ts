import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { ProcessEvidence } from '../../../src/core/platform.ts';
import type { SessionFiles } from '../../../src/core/transcripts/sessionFiles.ts';
import { NodeLivenessProbe } from '../../../src/platform/node/liveness.ts';

const id = '5ca1ab1e-0000-4000-8000-000000000001';
const longAgo = Date.UTC(2026, 0, 1);

describe('whether a session still runs', () => {
	for (const { what, format, at, agentAt, state } of [
		{
			what: 'in its home',
			format: 'claude-code',
			at: `.claude/projects/-home-dev-shop/${id}.jsonl`,
			state: 'ended',
		},
		{ what: 'in its home', format: 'claude-code', at: `.claude/projects/C--work/${id}.jsonl`, state: 'ended' },
		{
			what: 'without its main transcript',
			format: 'claude-code',
			agentAt: `.claude/projects/-home-dev-shop/${id}/subagents/agent-a1.jsonl`,
			state: 'ended',
		},
		{ what: 'in its home', format: 'codex', at: `.codex/sessions/2026/01/01/rollout-${id}.jsonl`, state: 'ended' },
		{ what: 'in the archive', format: 'codex', at: `.codex/archived_sessions/rollout-${id}.jsonl`, state: 'ended' },
		// A copy may have been made while the call ran: that nothing came behind it tells of the copy, not of the session.
		{ what: 'that was copied', format: 'claude-code', at: 'checkpoints/4c/full.jsonl', state: 'unknown' },
		{ what: 'that was copied', format: 'claude-code', at: 'projects/shop/session.jsonl', state: 'unknown' },
		{ what: 'that was copied', format: 'codex', at: 'checkpoints/4c/full.jsonl', state: 'unknown' },
		{ what: 'that was copied', format: 'codex', at: `sessions/rollout-${id}.jsonl`, state: 'unknown' },
	] as const) {
		it(`${state === 'ended' ? 'is over' : 'is not known'} for a transcript of ${format} ${what} long ago: ${at ?? agentAt}`, async () => {
			assert.equal((await probe(format, at, agentAt)).state, state);
		});
	}
});

function probe(
	format: 'claude-code' | 'codex',
	at: string | undefined,
	agentAt: string | undefined,
): Promise<ProcessEvidence> {
	const below = (path: string) => join(import.meta.dirname, 'no-such-folder', path);
	const session: SessionFiles = {
		format,
		nativeId: id,
		mainPath: at === undefined ? undefined : below(at),
		agents:
			agentAt === undefined
				? []
				: [{ agentId: 'a1', path: below(agentAt), sidecarPath: undefined, isWorkflow: false }],
	};
	return new NodeLivenessProbe().probe(session, {
		agentVersion: '2.1.200',
		lastEventAt: longAgo,
		paths: [session.mainPath, ...session.agents.map(({ path }) => path)].filter((path) => path !== undefined),
	});
}
