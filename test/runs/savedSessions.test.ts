// A session as one file: what comes out of it is what went in, on every system, and nothing else.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { findingsOf } from '../../src/cli/findings.ts';
import { callState } from '../../src/core/conversation/index.ts';
import { createCore } from '../../src/core/core.ts';
import { openSavedSession } from '../../src/core/transcripts/savedSession.ts';
import { pathsOf } from '../../src/core/transcripts/sessionFiles.ts';
import type { SessionFiles } from '../../src/core/transcripts/sessionFiles.ts';
import { SavingFolder, core, everySession, nameOf, platform, saveAs } from './savedSessions.ts';

const sessions = await everySession();
const killed = '4286b68e-7bda-44a4-87ea-3c0f563e00a3';
/** What these say rests on names and values. */
const wordRules = new Set(['default-scope-query', 'suspiciously-empty-result']);

describe('a session that is saved as one file', () => {
	let folder: SavingFolder;

	before(() => {
		folder = new SavingFolder();
	});

	after(() => folder.remove());

	it('is one of many', () => assert.ok(sessions.length > 25, String(sessions.length)));

	it('stays unfinished when it was saved while it ran, whatever runs where it is opened', async () => {
		const session = sessions.find(({ nativeId }) => nativeId === killed);
		assert.ok(session !== undefined);
		const path = folder.of('live.crosstalk');
		const live = { state: 'live', evidence: 'Its process runs.' } as const;
		const there = createCore({ ...platform, liveness: { probe: async () => live } });
		assert.equal((await saveAs(path, session, 'whole', there)).isUnfinished, true);
		const { conversation, diagnostics } = await core.readSession(await openSavedSession(platform.files, path), {
			assume: 'auto',
			rules: {},
			withPreviews: false,
		});
		assert.deepEqual(conversation.liveness, { ...live, since: undefined });
		assert.deepEqual(diagnostics, []);
		const states = [...conversation.agents.values()].flatMap((agent) =>
			agent.toolCalls.map((call) => callState(conversation, call).state),
		);
		assert.equal(states.filter((state) => state === 'pending').length, 3);
	});

	it('brings what its servers have said of their tools, and no others', async () => {
		const session = sessions.find(({ nativeId }) => nativeId === killed);
		assert.ok(session !== undefined);
		const tool = 'trigger-long-running-operation';
		const tools = ['everything', 'another'].map((server) => ({ server, tool, description: `Of ${server}` }));
		const there = createCore({ ...platform, toolCatalogue: { read: async () => tools } });
		// What is known where it is opened is of other servers.
		const here = createCore({
			...platform,
			toolCatalogue: { read: async () => [{ server: 'everything', tool, description: 'Of somebody else' }] },
		});
		for (const bodies of ['whole', 'replaced'] as const) {
			const path = folder.of('tools.crosstalk');
			await saveAs(path, session, bodies, there);
			const opened = await openSavedSession(platform.files, path);
			assert.deepEqual(
				opened.saved?.tools.map(({ server }) => server),
				bodies === 'whole' ? ['everything'] : [],
			);
			const options = { assume: 'auto', rules: {}, withPreviews: false } as const;
			const { conversation } = await here.readSession(opened, options);
			const described = conversation.tools.get('everything')?.get(tool)?.description;
			assert.equal(described, bodies === 'whole' ? 'Of everything' : undefined);
		}
	});

	for (const session of sessions) {
		it(`comes back byte for byte, with the same findings: ${nameOf(session)}`, async () => {
			const path = folder.of('whole.crosstalk');
			const { problems } = await saveAs(path, session);
			assert.deepEqual(problems, []);
			const opened = await openSavedSession(platform.files, path);
			assert.equal(pathsOf(opened).length, pathsOf(session).length);
			const copies = filesOf(opened);
			for (const [index, original] of filesOf(session).entries())
				assert.deepEqual(await bytesOf(copies[index] ?? ''), readFileSync(original), original);
			assert.deepEqual(await findings(opened), await findings(session));
		});

		it(`keeps its findings without what was said in it: ${nameOf(session)}`, async () => {
			const path = folder.of('replaced.crosstalk');
			await saveAs(path, session, 'replaced');
			const opened = await openSavedSession(platform.files, path);
			assert.deepEqual(structure(await findings(opened)), structure(await findings(session)));
		});
	}
});

function filesOf(session: SessionFiles): readonly string[] {
	const { mainPath, agents, recordingPath } = session;
	return [
		...(mainPath === undefined ? [] : [mainPath]),
		...agents.flatMap(({ path, sidecarPath }) => [path, ...(sidecarPath === undefined ? [] : [sidecarPath])]),
		...(recordingPath === undefined ? [] : [recordingPath]),
	].filter((path) => !path.endsWith('.meta.json') || path.includes('.crosstalk') || existsSync(path));
}

async function bytesOf(path: string): Promise<Buffer> {
	const { size } = (await platform.files.stat(path)) ?? { size: -1 };
	const file = await platform.files.open(path);
	try {
		const bytes = Buffer.alloc(size);
		// In pieces that fit neither blocks nor lines.
		for (let offset = 0; offset < size;) {
			const length = await file.read(bytes.subarray(offset, offset + 1000), offset);
			assert.ok(length > 0);
			offset += length;
		}
		assert.equal(await file.read(Buffer.alloc(1), size), 0);
		return bytes;
	} finally {
		await file.close();
	}
}

async function findings(session: SessionFiles) {
	const read = await core.readSession(session, { assume: 'auto', rules: {}, withPreviews: false });
	const found = await findingsOf(read, platform.files, undefined);
	const places = new Map(filesOf(session).map((path, index) => [path, `file ${index}`]));
	// A file by its number in the session.
	return JSON.parse(
		JSON.stringify(found, (_key, value: unknown) =>
			typeof value === 'string' ? (places.get(value) ?? value) : value,
		),
	) as typeof found;
}

/** All but words, and what rests on them. */
function structure({ files, session, diagnostics, inconclusive, strayResults }: Awaited<ReturnType<typeof findings>>) {
	return {
		files: files.map(({ path, lines, problems }) => ({
			path,
			lines,
			problems: problems.map(({ line, kind }) => ({ line, kind })),
		})),
		session: { ...session, agents: session.agents.map((agent) => ({ ...agent, name: '' })) },
		diagnostics: diagnostics
			.filter(({ ruleId }) => !wordRules.has(ruleId))
			.map(({ message: _message, related, ...diagnostic }) => ({
				...diagnostic,
				related: related.map(({ message: _words, ...place }) => place),
			})),
		inconclusive: inconclusive
			.filter(({ ruleId }) => !wordRules.has(ruleId))
			.map(({ message: _message, ...place }) => place),
		strayResults,
	};
}
