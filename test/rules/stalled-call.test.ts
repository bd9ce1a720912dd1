import assert from 'node:assert/strict';
import { createCore } from '../../src/core/core.ts';
import rule from '../../src/core/rules/stalled-call.ts';
import { parseTranscript } from './notation.ts';
import { ruleTester } from './ruleTester.ts';

/** Three calls of a second each, and one that does not end. */
const others = `
user: ask
assistant [at=1]: call t1 mcp__analytics__query {"q": 1}
tool [at=2]: result t1 ok
assistant [at=3]: call t2 mcp__analytics__query {"q": 2}
tool [at=6]: result t2 ok
assistant [at=7]: call t3 mcp__analytics__query {"q": 3}
tool [at=8]: result t3 ok`;

const call = `
assistant [at=10]: call t4 mcp__analytics__query {"q": 4}`;

const sent = `
host [at=10]: sends t4 to analytics query over c1`;

/** The same, of calls that no transcript has. */
const hostsOthers = ['s1', 's2', 's3']
	.map(
		(id) => `
host [at=1]: takes ${id} for analytics query {"q": 1}
host [at=2]: sends ${id} to analytics query over c1
host [at=3]: passes on ${id}
host [at=3]: ends ${id} completed`,
	)
	.join('');

ruleTester.run(rule, {
	valid: [
		{
			name: 'only a host has seen it, and it has ended meanwhile',
			transcript: `
assume: live
now: 900
user: ask${hostsOthers}
host [at=10]: sends s4 to analytics query over c1
host [at=12]: passes on s4
host [at=12]: ends s4 completed`,
		},
		{
			name: 'only a host has seen it, and too little is known of the tool without a call that says how long it may take',
			transcript: `
assume: live
now: 900
user: ask${hostsOthers.replace('{"q": 1}', '{"q": 1, "timeout_seconds": 86400}')}
host [at=10]: sends s4 to analytics query over c1`,
		},
		{
			name: 'only a host has seen it, and it says how long it may take',
			transcript: `
assume: live
now: 900
user: ask${hostsOthers}
host [at=10]: takes s4 for analytics query {"q": 1, "timeout_seconds": 86400}
host [at=10]: sends s4 to analytics query over c1`,
		},
		{
			name: 'only a host has seen it, and too little is known of the tool, however often it is told of',
			transcript: `
assume: live
now: 900
user: ask
assistant [at=1]: call t1 mcp__analytics__query {"q": 1}
tool [at=2]: result t1 ok
host [at=10]: sends s4 to analytics query over c1
host [at=11]: sends s1 to analytics query over c1
host [at=12]: passes on s1
host [at=12]: ends s1 completed`,
		},
		{
			name: 'it has not run for long',
			transcript: `
assume: live
now: 300${others}${call}${sent}`,
		},
		{
			name: 'it takes no more than ten times what others took',
			transcript: `
assume: live
now: 1000
user: ask
assistant [at=1]: call t1 mcp__analytics__query {"q": 1}
tool [at=130]: result t1 ok
assistant [at=131]: call t2 mcp__analytics__query {"q": 2}
tool [at=136]: result t2 ok
assistant [at=137]: call t3 mcp__analytics__query {"q": 3}
tool [at=138]: result t3 ok
assistant [at=140]: call t4 mcp__analytics__query {"q": 4}
host [at=140]: sends t4 to analytics query over c1`,
		},
		{
			name: 'too little is known of the tool',
			transcript: `
assume: live
now: 9000
user: ask
assistant [at=1]: call t1 mcp__analytics__query {"q": 1}
tool [at=2]: result t1 ok
assistant [at=3]: call t4 mcp__analytics__query {"q": 4}
host [at=3]: sends t4 to analytics query over c1`,
		},
		{
			name: 'a person has gone back behind it: nobody waits for it any more',
			transcript: `
assume: live
now: 900
user [id=u]: ask
assistant [at=1]: call t1 mcp__analytics__query {"q": 1}
tool [at=2]: result t1 ok
assistant [at=3]: call t2 mcp__analytics__query {"q": 2}
tool [at=6]: result t2 ok
assistant [at=7]: call t3 mcp__analytics__query {"q": 3}
tool [id=r at=8]: result t3 ok
assistant [on=r at=10]: call t4 mcp__analytics__query {"q": 4}
host [at=10]: sends t4 to analytics query over c1
user [on=r at=20]: not that
assistant [at=21]: done`,
		},
		{
			name: 'it may wait for a permission',
			transcript: `
assume: live
now: 9000${others}${call}`,
		},
		{
			name: 'its server has told of its progress a moment ago',
			transcript: `
assume: live
now: 9000${others}${call}${sent}
host [at=8900]: tells of t4`,
		},
		{
			name: 'a debugger holds it with its result',
			transcript: `
assume: live
now: 9000${others}${call}${sent}
host [at=11]: holds t4`,
		},
		{
			name: 'a debugger has let it go a moment ago',
			transcript: `
assume: live
now: 9000${others}${call}${sent}
host [at=11]: holds t4
host [at=8900]: lets t4 go`,
		},
		{
			name: 'its server has asked somebody something',
			transcript: `
assume: live
now: 9000${others}${call}${sent}
host [at=20]: asks back for t4`,
		},
		{
			name: 'it says how long it is to wait, or its name does',
			transcript: `
assume: live
now: 9000${others.replaceAll('query', 'wait_for')}
assistant [at=10]: call t4 mcp__analytics__wait_for {"q": 4}
host [at=10]: sends t4 to analytics wait_for over c1`,
		},
		{
			name: 'an argument says how long it may take',
			transcript: `
assume: live
now: 9000${others}
assistant [at=10]: call t4 mcp__analytics__query {"q": 4, "timeout_seconds": 86400}
host [at=10]: sends t4 to analytics query over c1`,
		},
		{
			name: 'a command may take as long as it likes',
			transcript: `
assume: live
now: 9000${others.replaceAll('mcp__analytics__query {"q": 1}', 'Bash').replaceAll('mcp__analytics__query {"q": 2}', 'Bash').replaceAll('mcp__analytics__query {"q": 3}', 'Bash')}
assistant [at=10]: call t4 Bash
progress [at=11]: t4 bash_progress`,
		},
		{
			name: 'the session is over: then it was never answered',
			transcript: `
assume: ended
now: 9000${others}${call}${sent}`,
			also: ['orphaned-tool-use'],
		},
	],
	invalid: [
		{
			name: 'only a host has seen it, and the others',
			transcript: `
assume: live
now: 900
user: ask${hostsOthers}
host [at=10]: sends s4 to analytics query over c1
^^^^ stalled
host [at=20]: tells of s4`,
		},
		{
			name: 'a host has handed it to its server, and nothing has come since',
			transcript: `
assume: live
now: 320
user: ask
assistant [at=1]: call t1 mcp__analytics__query {"q": 1}
tool [at=2]: result t1 ok
assistant [at=3]: call t2 mcp__analytics__query {"q": 2}
                  ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~ longest
tool [at=6]: result t2 ok
assistant [at=7]: call t3 mcp__analytics__query {"q": 3}
tool [at=8]: result t3 ok
assistant [at=10]: call t4 mcp__analytics__query {"q": 4}
                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ stalled warning
host [at=10]: sends t4 to analytics query over c1`,
		},
		{
			name: 'its server told of its progress, long ago, and has answered others since',
			transcript: `
assume: live
now: 900${others}
assistant [at=10 message=m]: call t4 mcp__analytics__query {"q": 4}
                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ stalled
assistant+ [at=100 message=m]: call t5 mcp__analytics__query {"q": 5}
tool [at=101]: result t5 ok
host [at=10]: sends t4 to analytics query over c1
host [at=500]: tells of t4`,
		},
		{
			name: "a tool of the client's own has told of its progress, and then no more",
			transcript: `
assume: live
now: 900
user: look
assistant [at=1]: call t1 WebFetch
tool [at=2]: result t1 ok
assistant [at=3]: call t2 WebFetch
tool [at=6]: result t2 ok
assistant [at=7]: call t3 WebFetch
tool [at=8]: result t3 ok
assistant [at=10]: call t4 WebFetch
                   ^^^^^^^^^^^^^^^^ stalled
progress [at=12]: t4 query_update`,
		},
	],
});

describe('the rule stalled-call, in a session that is followed', () => {
	it('speaks when time has passed, without anything that happens, and is silent when the answer is there', async () => {
		const { files, root, process, recordingPath, appends } = parseTranscript(`
assume: live${others}${call}${sent}
tool [at=700]: result t4 ok`);
		let now = Date.UTC(2026, 10, 21, 8, 0, 20);
		const core = createCore({ files, liveness: { probe: async () => process }, clock: { now: () => now } });
		const { sessions } = await core.findSessions(root);
		assert.ok(sessions[0]);
		const [answer] = appends.slice(-1);
		assert.ok(answer);
		files.truncate(answer.path, files.bytes(answer.path).length - answer.text.length);
		const followed = core.followSession(
			{ ...sessions[0], recordingPath },
			{ assume: 'auto', rules: {}, withPreviews: false },
		);
		await followed.update();
		const found = () => followed.diagnostics.map(({ ruleId, toolUseId }) => `${ruleId} ${toolUseId}`);
		assert.deepEqual(found(), []);
		now += 400_000;
		const late = await followed.update();
		assert.deepEqual([late.hasNewEvents, late.hasNewFindings], [false, true]);
		assert.deepEqual(found(), ['stalled-call t4']);
		now += 5_000;
		assert.equal((await followed.update()).hasNewFindings, false, 'nothing is said anew each second');
		files.append(answer.path, answer.text);
		assert.equal((await followed.update()).hasNewFindings, true);
		assert.deepEqual(found(), []);
	});
});
