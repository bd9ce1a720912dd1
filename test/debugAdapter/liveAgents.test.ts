import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { agentId, mainAgentId, sessionId } from '../../src/core/base/ids.ts';
import { createConversation, foldWhole } from '../../src/core/conversation/index.ts';
import type { SessionEvent } from '../../src/core/events/sessionEvent.ts';
import { LiveAgents } from '../../src/debugAdapter/liveAgents.ts';
import type { HeldCall, NamedAgent } from '../../src/core/debug/index.ts';

const session = sessionId('claude-code', 's1');
const worker = agentId('a1');

/** What of a held call says whose it is. */
const callOf = (stopId: string) =>
	({ sessionId: session, agentId: worker, agentType: 'Explore', stopId }) as Partial<HeldCall> as HeldCall; // no more is looked at

function followed(events: readonly SessionEvent[]) {
	const named: NamedAgent[] = [];
	const told: string[] = [];
	const errors: unknown[] = [];
	const agents = new LiveAgents({
		transcripts: {
			async read() {
				if (events.length === 0) return undefined;
				const conversation = createConversation(session);
				foldWhole(conversation, events);
				return conversation;
			},
		},
		onDidStart: ({ name }) => void told.push(`+ ${name}`),
		onDidEnd: ({ name }) => void told.push(`- ${name}`),
		onDidName: (list) => void named.push(...list),
		onError: (error) => void errors.push(error),
	});
	return { agents, named, told, errors, names: () => agents.list.map(({ name }) => name) };
}

async function until(isSo: () => boolean): Promise<void> {
	for (const deadline = Date.now() + 20_000; !isSo() && Date.now() < deadline;) await delay(5);
}

describe('the agents of a session that runs', () => {
	it('come and go as their hooks tell, where no transcript does', () => {
		const { agents, names, told } = followed([]);
		agents.begin(session, worker, 'Explore');
		assert.deepEqual(names(), ['main', 'Explore']);
		agents.finish(session, worker);
		assert.deepEqual(names(), ['main']);
		// One that goes on after all is there again.
		agents.meet(callOf('stop-1'));
		agents.finish(session, worker);
		assert.deepEqual(names(), ['main', 'Explore'], 'its call is held');
		agents.resumed(callOf('stop-1'));
		assert.deepEqual(names(), ['main']);
		agents.finish(session, null);
		assert.deepEqual(names(), []);
		assert.deepEqual(told, ['+ main', '+ Explore', '- Explore', '+ Explore', '- Explore', '- main']);
		// A session that is resumed.
		agents.begin(session, mainAgentId, null);
		assert.deepEqual(names(), ['main']);
		agents.dispose();
	});

	it('have the names of their transcripts, which are told once, and do not come back from them when they have ended', async () => {
		const spawned: SessionEvent = {
			version: 1,
			seq: 0,
			agent: { id: worker },
			source: { kind: 'process' },
			type: 'agent-spawned',
			sessionId: session,
			agentId: worker,
			name: 'check-payments',
			evidence: 'sidecar',
		};
		const { agents, names, named, errors } = followed([spawned]);
		agents.begin(session, worker, 'Explore');
		await until(() => named.length + errors.length > 0);
		assert.deepEqual(errors, []);
		assert.deepEqual(names(), ['main', 'check-payments']);
		agents.finish(session, worker);
		agents.begin(session, mainAgentId, null);
		// It is read again and again.
		await delay(600);
		assert.deepEqual(names(), ['main']);
		assert.deepEqual(named, [{ sessionId: session, agentId: worker, name: 'check-payments' }]);
		agents.dispose();
	});
});
