// One run of a preset: a host of its own in a data directory of its own, a real server, agents, and what is left of it: a session.

import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ExpectedError } from '../../core/base/errors.ts';
import { counted } from '../../core/base/text.ts';
import type { FaultDefinition, FaultStatus } from '../../core/host/faults/index.ts';
import { defaultLimits } from '../../core/host/serverDefinition.ts';
import type { ServerDefinition, ServerLimits } from '../../core/host/serverDefinition.ts';
import { recordingFileName } from '../../core/transcripts/sessionFiles.ts';
import { attachOrStart } from '../../platform/node/host/attach.ts';
import type { ControlClient } from '../../platform/node/host/controlClient.ts';
import { recordingPath } from '../../platform/node/store/recordingPaths.ts';
import type { CommandIo } from '../io.ts';
import { ownProgram } from '../ownProgram.ts';
import { PracticeClient } from './practiceClient.ts';
import { practiceTools } from './practiceServer.ts';
import { beginSession, newToolUseId } from './practiceTranscript.ts';
import type { AgentTranscript, PracticeSession } from './practiceTranscript.ts';

export interface PracticeOptions {
	/** Where the session is left. */
	readonly folder: string;
	/** The name of its server. */
	readonly server: string;
	readonly limits: Partial<ServerLimits>;
	readonly faults: readonly FaultDefinition[];
}

/** What the agents of a preset can do. */
export interface Practice {
	readonly session: PracticeSession;
	readonly server: string;
	/** Connects an agent: `main`, or the id of a subagent. */
	agent(agentId: string, transcript: AgentTranscript): Promise<PracticeAgent>;
	/** Resolves when so many calls are with the server. */
	untilRunning(calls: number): Promise<void>;
}

export interface PracticeResult {
	/** Of the main transcript. */
	readonly path: string;
	readonly faults: readonly FaultStatus[];
	readonly reconnects: number;
}

/** One agent of a preset: what it does it also writes down. */
export class PracticeAgent {
	readonly transcript: AgentTranscript;
	private readonly client: PracticeClient;
	private readonly server: string;

	constructor(client: PracticeClient, transcript: AgentTranscript, server: string) {
		this.client = client;
		this.transcript = transcript;
		this.server = server;
	}

	/** Makes the calls of one response, and gives for each what will come of it. Results are not written down. */
	async begin(calls: readonly { readonly tool: string; readonly given: Readonly<Record<string, unknown>> }[]) {
		const uses = calls.map(({ tool, given }) => ({ id: newToolUseId(), tool, given }));
		await this.transcript.calls(
			uses.map(({ id, tool, given }) => ({ id, name: `mcp__${this.server}__${tool}`, input: given })),
		);
		return uses.map(({ id, tool, given }) => ({ id, answer: this.client.call(tool, given, id) }));
	}

	/** One call from its beginning to its written end. */
	async call(tool: string, given: Readonly<Record<string, unknown>>) {
		const [begun] = await this.begin([{ tool, given }]);
		if (begun === undefined) throw new Error('One call was begun.');
		const answer = await begun.answer;
		await this.transcript.result(begun.id, answer.text, answer.isError);
		return answer;
	}

	close(): Promise<void> {
		return this.client.close();
	}
}

/** For agents to get going, on a machine that has much else to do. */
const patienceMs = 30_000;

export async function practise(
	io: CommandIo,
	{ folder, server, limits, faults }: PracticeOptions,
	script: (practice: Practice) => Promise<void>,
): Promise<PracticeResult> {
	const directory = join(folder, `host-${randomUUID().slice(0, 8)}`);
	const program = ownProgram(io);
	const session = await beginSession(folder);
	const sessionId = `claude-code:${session.nativeId}`;
	const source = `practice-${randomUUID()}`;
	const { signal } = io;
	try {
		// Should this process be killed, the host sees to its own end.
		const client = await attachOrStart({
			directory,
			client: 'crosstalk fault preset',
			program,
			idleSeconds: 10,
			signal,
		});
		const agents: PracticeAgent[] = [];
		try {
			const transport = {
				kind: 'stdio',
				command: program.command,
				args: [...program.args, 'fault', 'serve'],
				env: program.environment,
			} as const;
			const definition: ServerDefinition = {
				name: server,
				transport,
				sharing: 'shared',
				secrets: [],
				redactedArguments: [],
				limits: { ...defaultLimits, ...limits },
			};
			await client.request('servers/put', { source, servers: [definition] });
			const target = { kind: 'source', source } as const;
			await client.request('faults/arm', { faults, target, isKept: false, client: 'crosstalk fault preset' });
			await session.main.tools(server, practiceTools);
			const { url, token } = client.address;
			const headers = {
				'x-crosstalk-session': sessionId,
				'x-crosstalk-source': source,
				'x-crosstalk-intent': 'headless',
			};
			await script({
				session,
				server,
				async agent(agentId, transcript) {
					const address = `${url}/${token}/agent/${encodeURIComponent(agentId)}/mcp/${server}`;
					const connection = new PracticeClient(address, headers);
					await connection.connect();
					const agent = new PracticeAgent(connection, transcript, server);
					agents.push(agent);
					return agent;
				},
				async untilRunning(count) {
					const deadline = performance.now() + patienceMs;
					for (;;) {
						const { calls } = await client.request('host/status', {});
						if (calls.filter(({ state }) => state === 'running').length >= count) return;
						signal.throwIfAborted();
						if (performance.now() > deadline)
							throw new ExpectedError(`The agents did not get to ${counted(count, 'call')} in time.`);
						await delay(20);
					}
				},
			});
			const status = await client.request('host/status', {});
			for (const agent of agents) await agent.close();
			await ended(client);
			await keepRecording(io, directory, sessionId, session.folder);
			return {
				path: session.path,
				faults: status.faults ?? [],
				reconnects: status.servers.reduce((sum, { reconnects }) => sum + reconnects, 0),
			};
		} finally {
			client.dispose();
		}
	} finally {
		await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }).catch(() => undefined); // a host that still ends holds it; what is left is small
	}
}

/** All that was recorded is then in the store. */
async function ended(client: ControlClient): Promise<void> {
	const closed = new Promise<void>((resolve) => void client.onDidClose(() => resolve()));
	await client.request('host/stop', { isForced: true });
	await closed;
}

/** What the host has recorded goes beside the transcript, as a file that needs no host to be read. */
async function keepRecording(io: CommandIo, directory: string, sessionId: string, folder: string): Promise<void> {
	const recording = recordingPath(directory, sessionId);
	const stat = await io.platform.files.stat(recording);
	if (stat === undefined) throw new ExpectedError('The host has recorded nothing of the calls.');
	const file = await io.platform.files.open(recording);
	try {
		const bytes = new Uint8Array(stat.size);
		let filled = 0;
		while (filled < bytes.length) {
			const length = await file.read(bytes.subarray(filled), filled);
			if (length === 0) break;
			filled += length;
		}
		await writeFile(join(folder, recordingFileName), bytes.subarray(0, filled));
	} finally {
		await file.close();
	}
}
