import assert from 'node:assert/strict';
import { createCore } from '../../src/core/core.ts';
import { agentWords } from '../../src/extension/words.ts';
import { summaryOf } from '../../src/extension/summary.ts';
import { parseTranscript } from '../rules/notation.ts';

/** What the tree of agents says of a session, an agent a line. */
async function rowsOf(notation: string): Promise<readonly string[]> {
	const transcript = parseTranscript(notation);
	const core = createCore({
		files: transcript.files,
		liveness: { probe: async () => transcript.process },
		clock: { now: () => transcript.now },
	});
	const { sessions } = await core.findSessions(transcript.root);
	assert.ok(sessions[0]);
	const read = await core.readSession(sessions[0], { assume: 'auto', rules: {}, withPreviews: false });
	const summary = summaryOf(read.conversation, read.diagnostics);
	const rows = [...summary.agents.values()].map((agent) => `${agent.name}: ${agentWords(agent, 0)}`);
	return [...rows, `${summary.pending} pending, ${summary.orphaned} orphaned, ${summary.findings} findings`];
}

describe('the summary of a session', () => {
	for (const process of ['ended', 'live', 'unknown']) {
		it(`misses no answer of an agent that only warmed a cache, in a session that is ${process}`, async () => {
			assert.deepEqual(
				await rowsOf(`
client: claude-code 2.1.4
layout: beside
assume: ${process}
user: hi
assistant: done
user [agent=warm]: Warmup
assistant [agent=warm]: call t1 Bash | call t2 Glob
tool [agent=warm]: result t1 error
assistant [agent=warm]: call t3 Read`),
				['main: 0 calls', 'warm: done · 1 failed · 3 calls', '0 pending, 0 orphaned, 0 findings'],
			);
		});
	}

	it('misses no answer on a branch that was left', async () => {
		assert.deepEqual(
			await rowsOf(`
assume: ended
user [id=u]: hi
assistant [id=a on=u]: call t1 Bash
user [id=v on=u]: something else
assistant [on=v]: done`),
			['main: 1 call', '0 pending, 0 orphaned, 0 findings'],
		);
	});

	it('misses the answer of a call once that a fork has a copy of', async () => {
		assert.deepEqual(
			await rowsOf(`
client: codex 0.120.0
assume: ended
user: hi
assistant: call c1 wait_agent
header [agent=kid of=main]:
user [agent=kid]: hi
assistant [agent=kid]: call c1 wait_agent
aborted [agent=kid]:
user [agent=kid]: your part
assistant [agent=kid]: done
done [agent=kid]:`),
			['kid: done · 1 call · default', 'main: killed · 1 orphaned', '0 pending, 1 orphaned, 1 findings'],
		);
	});

	it('says which agent misses an answer', async () => {
		assert.deepEqual(
			await rowsOf(`
assume: ended
user: hi
assistant: call t1 Bash`),
			['main: killed · 1 orphaned', '0 pending, 1 orphaned, 1 findings'],
		);
	});
});
