// What the agents of a preset do, written down as they do it, in the form in which Claude Code writes it.

import { randomUUID } from 'node:crypto';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../platform/node/host/makeFolder.ts';
import type { PracticeTool } from './practiceServer.ts';

/** The version whose form this is. */
const formatVersion = '2.1.328';

export interface PracticeSession {
	readonly nativeId: string;
	/** Of the main agent's transcript. */
	readonly path: string;
	/** The folder beside it. */
	readonly folder: string;
	readonly main: AgentTranscript;
	/** Begins the transcript of a subagent that the main agent has started with this tool use. */
	subagent(agentId: string, description: string, spawnedBy: string): Promise<AgentTranscript>;
}

let lastUse = 0;

/** An id as a provider gives it. */
export function newToolUseId(): string {
	return `toolu_practice${String(++lastUse).padStart(4, '0')}${randomUUID().slice(0, 8)}`;
}

export async function beginSession(root: string): Promise<PracticeSession> {
	const nativeId = randomUUID();
	const folder = join(root, nativeId);
	await makeFolder(join(folder, 'subagents'), 0o777);
	const path = `${folder}.jsonl`;
	return {
		nativeId,
		path,
		folder,
		main: new AgentTranscript(path, nativeId, root, undefined),
		async subagent(agentId, description, spawnedBy) {
			const own = join(folder, 'subagents', `agent-${agentId}`);
			const about = { agentType: 'general-purpose', description, toolUseId: spawnedBy, spawnDepth: 1 };
			await writeFile(`${own}.meta.json`, JSON.stringify({ ...about, finished: true }));
			return new AgentTranscript(`${own}.jsonl`, nativeId, root, agentId);
		},
	};
}

/** One file, line by line. */
export class AgentTranscript {
	private readonly path: string;
	private readonly sessionId: string;
	private readonly cwd: string;
	private readonly agentId: string | undefined;
	private parent: string | null = null;
	private writing = Promise.resolve();

	constructor(path: string, sessionId: string, cwd: string, agentId: string | undefined) {
		this.path = path;
		this.sessionId = sessionId;
		this.cwd = cwd;
		this.agentId = agentId;
	}

	prompt(text: string): Promise<void> {
		return this.line({
			type: 'user',
			message: { role: 'user', content: text },
			promptSource: 'sdk',
			turnOrigin: 'sdk',
		});
	}

	/** What the provider was told of the tools of a server. */
	tools(server: string, tools: readonly PracticeTool[]): Promise<void> {
		const shape = {
			tools: tools.map(({ name, description, inputSchema }) => ({
				name: `mcp__${server}__${name}`,
				description,
				input_schema: inputSchema,
			})),
		};
		return this.append({
			type: 'api-request-shape',
			sessionId: this.sessionId,
			shapeHash: randomUUID().slice(0, 8),
			timestamp: new Date().toISOString(),
			version: formatVersion,
			shape,
		});
	}

	says(text: string): Promise<void> {
		return this.response(randomUUID(), { type: 'text', text }, 'end_turn');
	}

	/** Several calls of one response. */
	async calls(
		uses: readonly { readonly id: string; readonly name: string; readonly input: object }[],
	): Promise<void> {
		const messageId = `msg_${randomUUID().slice(0, 12)}`;
		for (const use of uses) await this.response(messageId, { type: 'tool_use', ...use }, 'tool_use');
	}

	result(toolUseId: string, text: string, isError: boolean): Promise<void> {
		const block = {
			tool_use_id: toolUseId,
			type: 'tool_result',
			content: text,
			...(isError ? { is_error: true } : {}),
		};
		return this.line({ type: 'user', message: { role: 'user', content: [block] } });
	}

	/** The conversation is replaced by a summary; what comes later knows nothing of what was before. */
	async compact(summary: string): Promise<void> {
		const before = this.parent;
		this.parent = null;
		await this.line({
			type: 'system',
			subtype: 'compact_boundary',
			content: 'Conversation compacted',
			logicalParentUuid: before,
			compactMetadata: { trigger: 'auto', preTokens: 156_000, postTokens: 4_000 },
		});
		await this.line({ type: 'user', message: { role: 'user', content: summary }, isCompactSummary: true });
	}

	private response(messageId: string, block: object, stopReason: string): Promise<void> {
		const usage = { input_tokens: 100, output_tokens: 20 };
		return this.line({
			type: 'assistant',
			requestId: `req_${messageId}`,
			message: {
				...{ id: messageId, type: 'message', role: 'assistant', model: 'practice', content: [block] },
				...{ stop_reason: stopReason, usage },
			},
		});
	}

	private line(members: object): Promise<void> {
		const uuid = randomUUID();
		const { parent } = this;
		this.parent = uuid;
		return this.append({
			parentUuid: parent,
			isSidechain: this.agentId !== undefined,
			...(this.agentId === undefined ? {} : { agentId: this.agentId }),
			userType: 'external',
			entrypoint: 'sdk-cli',
			cwd: this.cwd,
			sessionId: this.sessionId,
			version: formatVersion,
			gitBranch: '',
			...members,
			uuid,
			timestamp: new Date().toISOString(),
		});
	}

	private append(line: object): Promise<void> {
		this.writing = this.writing.then(() => appendFile(this.path, `${JSON.stringify(line)}\n`));
		return this.writing;
	}
}
