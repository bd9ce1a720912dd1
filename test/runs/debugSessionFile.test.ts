// A session file in the debugger: steps, frames, values and breakpoints on lines of what is in it.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { AdapterClient } from '../debugAdapter/adapterClient.ts';
import { SavingFolder, core, saveAs } from './savedSessions.ts';

const transcript = 'examples/recorded/.claude/projects/-home-dev-analytics/4286b68e-7bda-44a4-87ea-3c0f563e00a3.jsonl';

describe('a session file in the debugger', () => {
	let folder: SavingFolder;
	let client: AdapterClient;

	beforeEach(() => {
		folder = new SavingFolder();
		client = new AdapterClient();
	});

	afterEach(async () => {
		await client.close();
		folder.remove();
	});

	it('is replayed as the session is, and stops at lines of its transcripts', async () => {
		const path = folder.of('killed.crosstalk');
		const { sessions } = await core.findSessions(join(process.cwd(), transcript));
		const [session] = sessions;
		assert.ok(session !== undefined);
		await saveAs(path, session);
		const inside = join(path, 'transcripts', '4286b68e-7bda-44a4-87ea-3c0f563e00a3.jsonl');
		await client.open({ transcript: path });
		const { breakpoints } = (await client.ask('setBreakpoints', {
			source: { path: inside },
			breakpoints: [{ line: 22 }],
		})) as DebugProtocol.SetBreakpointsResponse['body']; // as the protocol says
		assert.equal(breakpoints[0]?.verified, true);
		await client.stopAfter('configurationDone');
		await client.stopAfter('continue', { threadId: 1 });
		const [frame] = await client.frames(1);
		assert.match(frame?.name ?? '', /worker 2/);
	});
});
