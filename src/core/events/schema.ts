import { z } from 'zod';
import { agentId, storedSessionId, toolUseId } from '../base/ids.ts';
import { FORMAT_VERSION } from './sessionEvent.ts';
import type { SessionEvent } from './sessionEvent.ts';

// The compiler holds this schema to the types of `sessionEvent.ts`; an optional member that it forgot would be dropped, and a test
// over every event of every fixture finds that. It is for events that come from outside; what a reader makes is typed already.

const count = z.int().nonnegative();
const agent = z.string().transform(agentId);
const toolUse = z.string().transform(toolUseId);

const source = z.discriminatedUnion('kind', [
	z.object({
		kind: z.literal('transcript'),
		path: z.string(),
		line: z.int().positive(),
		offset: count,
		length: count,
	}),
	z.object({ kind: z.literal('process'), pid: z.number().optional() }),
	z.object({
		kind: z.literal('wire'),
		connectionId: z.string(),
		direction: z.enum(['in', 'out']),
		rpcId: z.union([z.string(), z.number()]).optional(),
	}),
	z.object({ kind: z.literal('hook'), event: z.string() }),
	z.object({ kind: z.literal('store'), generation: count }),
]);

const envelope = {
	version: z.literal(FORMAT_VERSION),
	seq: count,
	at: z.number().optional(),
	sessionId: z.string().transform(storedSessionId),
	agent: z.union([z.object({ id: agent }), z.object({ unknown: z.string() })]),
	source,
};

const body = z.object({ offset: count, length: count, preview: z.string() });
const range = z.object({ column: z.int().positive(), endColumn: z.int().positive() });
const chain = z.object({ id: z.string(), parentId: z.string().nullable() }).optional();
const outcome = z.enum(['completed', 'failed', 'killed', 'ended']);
const text = z.string().optional();
const given = z.array(z.object({ path: z.string(), value: z.string() }));

/** Whether a value is an event of the present version. Older ones are lifted by `upgrades.ts` first. */
export const sessionEventSchema: z.ZodType<SessionEvent> = z.discriminatedUnion('type', [
	z.object({
		...envelope,
		type: z.literal('session-started'),
		format: z.string(),
		nativeId: z.string(),
		cwd: text,
		agentVersion: text,
		entrypoint: z.enum(['interactive', 'headless', 'scheduled', 'unknown']),
	}),
	z.object({
		...envelope,
		type: z.literal('session-titled'),
		title: z.string(),
		by: z.enum(['person', 'model', 'prompt']),
	}),
	z.object({
		...envelope,
		type: z.literal('session-liveness'),
		state: z.enum(['live', 'ended', 'unknown']),
		evidence: z.string(),
		since: z.number().optional(),
	}),
	z.object({
		...envelope,
		type: z.literal('agent-spawned'),
		agentId: agent,
		parentId: agent.optional(),
		toolUseId: toolUse.optional(),
		name: text,
		agentType: text,
		description: text,
		depth: z.number().optional(),
		evidence: z.enum(['sidecar', 'result', 'header', 'progress', 'hook', 'prompt', 'guess']),
		promptDigest: text,
		relation: z.enum(['subagent', 'fork', 'teammate', 'workflow']).optional(),
	}),
	z.object({ ...envelope, type: z.literal('agent-ended'), agentId: agent, outcome, evidence: z.string() }),
	z.object({
		...envelope,
		type: z.literal('message'),
		messageId: z.string(),
		role: z.enum(['user', 'assistant', 'system']),
		kind: z.enum(['prompt', 'response', 'notification', 'results', 'summary', 'interrupt', 'meta', 'local']),
		origin: z.enum(['typed', 'queued', 'scheduled', 'hook', 'program', 'agent', 'system']).optional(),
		chain,
		parts: z.array(
			z.enum(['text', 'thinking', 'tool-use', 'tool-result', 'image', 'document', 'server-tool-result', 'other']),
		),
		text: body.optional(),
		model: text,
		stopReason: text,
		tokens: z.object({ input: z.number(), output: z.number() }).optional(),
	}),
	z.object({
		...envelope,
		type: z.literal('turn-ended'),
		reason: z.enum(['completed', 'interrupted']),
		durationMs: z.number().optional(),
	}),
	z.object({ ...envelope, type: z.literal('branch'), turns: count }),
	z.object({
		...envelope,
		type: z.literal('compaction'),
		chain,
		trigger: z.enum(['auto', 'manual', 'unknown']),
		tokensBefore: z.number().optional(),
		tokensAfter: z.number().optional(),
		preserved: z.object({ headId: z.string(), anchorId: z.string(), tailId: z.string() }).optional(),
	}),
	z.object({ ...envelope, type: z.literal('results-cleared'), toolUseIds: z.array(toolUse) }),
	z.object({
		...envelope,
		type: z.literal('tool-use'),
		toolUseId: toolUse,
		name: z.string(),
		server: text,
		answeredBy: z.enum(['client', 'provider']),
		messageId: z.string(),
		chainId: text,
		range,
		arguments: body,
		given: z.object({ range, values: given, isPartial: z.boolean() }).optional(),
		spawn: z.object({ description: text, agentType: text, name: text, promptDigest: text }).optional(),
	}),
	z.object({
		...envelope,
		type: z.literal('tool-result'),
		toolUseId: toolUse,
		isError: z.boolean(),
		chainId: text,
		messageId: z.string(),
		range,
		body,
		durationMs: z.number().optional(),
		isPrecededByOther: z.boolean(),
		isInPlace: z.boolean(),
		denial: text,
		isInterruption: z.boolean(),
		content: z.object({ items: count.optional(), values: given }).optional(),
	}),
	z.object({ ...envelope, type: z.literal('tool-progress'), toolUseId: toolUse, phase: z.string() }),
	z.object({ ...envelope, type: z.literal('tool-detached'), toolUseId: toolUse, agentId: agent.optional() }),
	z.object({
		...envelope,
		type: z.literal('tool-outcome'),
		toolUseId: toolUse.optional(),
		agentId: agent.optional(),
		outcome,
	}),
	z.object({
		...envelope,
		type: z.literal('tool-described'),
		server: z.string(),
		tool: z.string(),
		description: text,
		inputSchema: text,
		isRemoved: z.boolean().optional(),
	}),
	z.object({
		...envelope,
		type: z.literal('wire-message'),
		kind: z.enum(['request', 'response', 'error', 'notification']),
		server: z.string(),
		method: text,
		tool: text,
		toolUseId: toolUse.optional(),
		callId: text,
		body,
	}),
	z.object({
		...envelope,
		type: z.literal('call-queued'),
		callId: z.string(),
		server: z.string(),
		reason: z.string(),
	}),
	z.object({
		...envelope,
		type: z.literal('call-sent'),
		callId: z.string(),
		server: z.string(),
		tool: text,
		toolUseId: toolUse.optional(),
		upstreamId: z.string(),
		pid: z.number().optional(),
		attempt: z.int().positive(),
	}),
	z.object({
		...envelope,
		type: z.literal('call-ended'),
		callId: z.string(),
		server: z.string(),
		tool: text,
		toolUseId: toolUse.optional(),
		ending: z.enum(['completed', 'failed', 'cancelled', 'timed-out', 'refused', 'outcome-unknown']),
		durationMs: z.number(),
		reason: text,
	}),
	z.object({
		...envelope,
		type: z.literal('upstream-state'),
		server: z.string(),
		upstreamId: z.string(),
		state: z.enum(['connecting', 'connected', 'draining', 'reconnecting', 'failed', 'stopped']),
		pid: z.number().optional(),
		exitCode: z.number().optional(),
		signal: text,
		reason: text,
		stderrTail: text,
	}),
	z.object({
		...envelope,
		type: z.literal('reconnect'),
		server: z.string(),
		upstreamId: z.string(),
		reason: z.string(),
		callersWaiting: count,
		drainedMs: z.number(),
		durationMs: z.number(),
		attempts: count,
		isSuccessful: z.boolean(),
	}),
	z.object({
		...envelope,
		type: z.literal('hook'),
		event: z.string(),
		toolUseId: toolUse.optional(),
		toolName: text,
		agentType: text,
		body,
	}),
	z.object({ ...envelope, type: z.literal('unknown'), nativeType: z.string(), chain }),
	z.object({
		...envelope,
		type: z.literal('damaged-line'),
		kind: z.enum([
			'invalid-line',
			'truncated-line',
			'spliced-line',
			'nul-bytes',
			'unsupported-version',
			'unreadable',
		]),
		message: z.string(),
		isAtEnd: z.boolean(),
	}),
]);
