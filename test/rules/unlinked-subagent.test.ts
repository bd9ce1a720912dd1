import rule from '../../src/core/rules/unlinked-subagent.ts';
import { ruleTester } from './ruleTester.ts';

ruleTester.run(rule, {
	valid: [
		{
			name: 'its sidecar names the call',
			transcript: `
user: hi
assistant: call t1 Agent "look"
tool: result t1 ok
assistant: done
user [agent=scout]: look
assistant [agent=scout]: done
sidecar: scout toolUseId=t1`,
		},
		{
			name: 'the result of the call names it',
			transcript: `
layout: beside
client: claude-code 2.0.60
user: hi
assistant: call t1 Task "look"
tool: result t1 agent scout
assistant: done
user [agent=scout]: look here
assistant [agent=scout]: done`,
		},
		{
			name: 'progress names it while it runs',
			transcript: `
client: claude-code 2.1.60
assume: live
user: hi
assistant: call t1 Task "look"
progress: t1 agent_progress scout
user [agent=scout]: look here
assistant [agent=scout]: looking`,
		},
		{
			name: 'its prompt is that of the call, and its sidecar is torn',
			transcript: `
user: hi
assistant: call t1 Agent "look around"
tool: result t1 ok
assistant: done
user [agent=scout]: look around
assistant [agent=scout]: done
sidecar: scout torn`,
		},
		{
			name: 'it is written inline in its parent (1.0.x)',
			transcript: `
client: claude-code 1.0.98
layout: inline
user: hi
assistant: call t1 Task "look around"
user [agent=scout on=root]: look around
assistant [agent=scout]: call s1 Read
tool [agent=scout]: result s1 ok
assistant [agent=scout]: done
tool: result t1 ok
assistant: done`,
		},
		{
			name: 'nested agents name their parents',
			transcript: `
user: hi
assistant: call t1 Agent "look"
tool: result t1 ok
assistant: done
user [agent=lead]: look
assistant [agent=lead]: call l1 Agent "look closer"
tool [agent=lead]: result l1 ok
assistant [agent=lead]: done
user [agent=kid]: look closer
assistant [agent=kid]: done
sidecar: lead toolUseId=t1
sidecar: kid toolUseId=l1 parentAgentId=lead spawnDepth=2`,
		},
		{
			name: "agents of two parents have one prompt, and each one's sidecar names its call",
			transcript: `
user: hi
assistant: call t1 Agent "ask two" | call t2 Agent "ask two"
tool: result t1 agent lead
tool: result t2 agent head
assistant: done
user [agent=aa at=9]: say a line
assistant [agent=aa at=9]: done
user [agent=ab at=9]: say a line
assistant [agent=ab at=9]: done
user [agent=ba at=8]: say a line
assistant [agent=ba at=8]: done
user [agent=lead]: ask two
assistant [agent=lead]: call l1 Agent "say a line" | call l2 Agent "say a line"
tool [agent=lead]: result l1 ok
tool [agent=lead]: result l2 ok
assistant [agent=lead]: done
user [agent=head]: ask two
assistant [agent=head]: call h1 Agent "say a line"
tool [agent=head]: result h1 ok
assistant [agent=head]: done
sidecar: lead toolUseId=t1
sidecar: head toolUseId=t2
sidecar: aa toolUseId=l1
sidecar: ab toolUseId=l2
sidecar: ba toolUseId=h1`,
		},
		{
			name: 'the client has begun it for itself to warm a cache (2.0.x)',
			transcript: `
client: claude-code 2.0.77
layout: beside
user: hi
assistant: done
user [agent=warm]: Warmup
assistant [agent=warm]: ready`,
		},
		{
			name: "a team mate is nobody's call",
			transcript: `
user: hi
assistant: done
user [agent=mate]: <teammate-message teammate_id="lead">begin</teammate-message>
assistant [agent=mate]: done
sidecar: mate taskKind=in_process_teammate name=mate teamName=crew toolUseId=t77`,
		},
		{
			name: 'nothing names a call, as with agents that the client starts itself',
			transcript: `
user: hi
assistant: done
user [agent=helper]: summarise
^^^^ inconclusive
assistant [agent=helper]: done`,
		},
		{
			name: 'the call may not be written yet',
			transcript: `
assume: live
user: hi
user [agent=scout]: look
^^^^ inconclusive
assistant [agent=scout]: looking
sidecar: scout toolUseId=t9`,
		},
		{
			name: "the parent's transcript is not there",
			transcript: `
user [agent=scout]: look
^^^^ inconclusive
assistant [agent=scout]: done
sidecar: scout toolUseId=t1`,
		},
		{
			name: 'a Codex child names its parent and the parent names the child',
			transcript: `
client: codex 0.169.0
user: hi
assistant: call c1 spawn_agent
tool: result c1 agent kid
assistant: done
user [agent=kid]: your part
assistant [agent=kid]: done
done [agent=kid]:`,
		},
	],
	invalid: [
		{
			name: "the call is not in the parent's transcript",
			transcript: `
assume: ended
user: hi
assistant: done
user [agent=scout]: look
^^^^ unlinked note
assistant [agent=scout]: done
sidecar: scout toolUseId=t9`,
		},
	],
});
