// The three bugs that this program is for, each played by small agents through a real host to a real server.

import type { FaultDefinition } from '../../core/host/faults/index.ts';
import type { CommandIo } from '../io.ts';
import type { PresetName } from './presetNames.ts';
import { practise } from './practiceRun.ts';
import type { Practice, PracticeResult } from './practiceRun.ts';
import { newToolUseId } from './practiceTranscript.ts';

/** One run of a preset, and how its calls ended for their agents. */
export interface PresetRun extends PracticeResult {
	/** `naive`, `crosstalk`; of a preset with one run, its own name. */
	readonly name: string;
	readonly calls: readonly PresetCall[];
}

export interface PresetCall {
	readonly agent: string;
	readonly tool: string;
	readonly isError: boolean;
	/** What its agent got to read. */
	readonly text: string;
}

export interface Preset {
	/** A sentence: what is played. */
	readonly description: string;
	/** The rules that name the bug, any of which has to find it; in this run. */
	readonly finds: readonly string[];
	readonly foundIn: string;
	run(io: CommandIo, folder: string): Promise<readonly PresetRun[]>;
}

const reportMs = 3_000;
const quickLimitMs = 1_000;
const regions = ['east', 'south', 'west'] as const;

export const presets: Readonly<Record<PresetName, Preset>> = {
	cascade: {
		description:
			'Four agents share a server. The answer to one call is lost, and the call passes its limit of 1 s: once with a host that then closes the connection and opens another, once with this one.',
		finds: ['reconnect-cascade'],
		foundIn: 'naive',
		async run(io, folder) {
			const lost = { kind: 'drop', tool: 'reports/quick_total' } as const;
			return [
				await cascade(io, folder, 'naive', { ...lost, reconnect: 'naive' }),
				await cascade(io, folder, 'crosstalk', lost),
			];
		},
	},
	compaction: {
		description: "An agent's conversation is compacted while two of its calls are out.",
		finds: ['compaction-mid-call', 'result-lost-to-compaction'],
		foundIn: 'compaction',
		run: compaction,
	},
	scope: {
		description:
			'A review that nobody watches asks for all messages of the day, and does not say of which context.',
		finds: ['default-scope-query'],
		foundIn: 'scope',
		run: scope,
	},
};

async function cascade(io: CommandIo, folder: string, name: string, fault: FaultDefinition): Promise<PresetRun> {
	const calls: PresetCall[] = [];
	const limits = { callMsByTool: { quick_total: quickLimitMs } };
	const result = await practise(io, { folder, server: 'reports', limits, faults: [fault] }, async (practice) => {
		const { main } = practice.session;
		await main.prompt(`Practice: four agents on one server (${name} reconnect)`);
		const names = ['north', ...regions];
		const spawns = names.map((region) => ({
			id: newToolUseId(),
			name: 'Agent',
			input: { description: region, prompt: `Look after ${region}.`, subagent_type: 'general-purpose' },
		}));
		await main.calls(spawns);
		await Promise.all(
			names.map(async (region, index) => {
				const spawnedBy = spawns[index]?.id ?? '';
				await work(practice, region, spawnedBy, calls);
				await main.result(spawnedBy, `${region} is done.`, false);
			}),
		);
		await main.says('All four have ended.');
	});
	return { ...result, name, calls };
}

/** One of the four: `north` asks for a total, the others build reports, which takes longer. */
async function work(practice: Practice, region: string, spawnedBy: string, calls: PresetCall[]): Promise<void> {
	const agentId = `practice${region}`;
	const transcript = await practice.session.subagent(agentId, region, spawnedBy);
	await transcript.prompt(`Look after ${region}.`);
	const agent = await practice.agent(agentId, transcript);
	const tool = region === 'north' ? 'quick_total' : 'build_report';
	const given = region === 'north' ? { region } : { region, milliseconds: reportMs };
	// The reports are under way before the call that will be lost.
	if (region === 'north') await practice.untilRunning(regions.length);
	const first = await agent.call(tool, given);
	calls.push({ agent: region, tool, ...first });
	// Whoever was told that its own call took too long asks again; the others are told that nobody knows what has become of theirs.
	const again = first.isError && region === 'north' ? await agent.call(tool, given) : undefined;
	if (again !== undefined) calls.push({ agent: region, tool, ...again });
	await transcript.says((again ?? first).isError ? 'My call has failed.' : 'Done.');
}

async function compaction(io: CommandIo, folder: string): Promise<readonly PresetRun[]> {
	const calls: PresetCall[] = [];
	const faults: readonly FaultDefinition[] = [
		{ kind: 'delay', tool: 'reports/build_report', ms: 1_000 },
		{ kind: 'drop', tool: 'reports/quick_total' },
	];
	const limits = { callMsByTool: { quick_total: 500 } };
	const result = await practise(io, { folder, server: 'reports', limits, faults }, async (practice) => {
		const { main } = practice.session;
		await main.prompt('Practice: a compaction while calls are out');
		const agent = await practice.agent('main', main);
		const [report, total] = await agent.begin([
			{ tool: 'build_report', given: { region: 'north', milliseconds: 200 } },
			{ tool: 'quick_total', given: { region: 'north' } },
		]);
		await main.compact('This session is being continued. The report of the north was asked for.');
		// It came to nothing, and the conversation that it belonged to is gone: nobody writes it down.
		const lost = await total?.answer;
		const late = await report?.answer;
		if (report === undefined || late === undefined || lost === undefined) throw new Error('Two calls were begun.');
		await main.result(report.id, late.text, late.isError);
		await main.says('Where was I?');
		calls.push({ agent: 'main', tool: 'build_report', ...late }, { agent: 'main', tool: 'quick_total', ...lost });
	});
	return [{ ...result, name: 'compaction', calls }];
}

async function scope(io: CommandIo, folder: string): Promise<readonly PresetRun[]> {
	const calls: PresetCall[] = [];
	const result = await practise(io, { folder, server: 'chat', limits: {}, faults: [] }, async (practice) => {
		const { main } = practice.session;
		await main.prompt('Practice: review what was said today');
		const agent = await practice.agent('main', main);
		for (const [tool, given] of [
			['chat_list_messages', { since: '2026-11-20T00:00:00Z' }],
			['chat_list_contexts', {}],
		] as const) {
			calls.push({ agent: 'main', tool, ...(await agent.call(tool, given)) });
		}
		await main.says('Nobody has said anything today.');
	});
	return [{ ...result, name: 'scope', calls }];
}
