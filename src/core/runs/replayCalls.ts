// The calls of a run, made again: each result beside the one that was recorded.

import type { Disposable } from '../base/lifecycle.ts';
import type { TranscriptFiles } from '../transcripts/files.ts';
import type { OrderedCall } from './callOrder.ts';
import { jsonDifference } from './jsonDifference.ts';
import type { IgnoredPath, JsonDifference } from './jsonDifference.ts';
import { RecordedBodies } from './recordedCalls.ts';
import type { RecordedCall, RecordedOutcome } from './recordedCalls.ts';

/** What came of a call that was made again. */
export type MadeCall =
	/** `result`: of MCP, `{ content, structuredContent?, isError? }`. */
	| { readonly kind: 'result'; readonly result: Readonly<Record<string, unknown>>; readonly durationMs: number }
	| { readonly kind: 'error'; readonly message: string; readonly durationMs: number };

/** Makes calls on real servers. */
export interface CallMaker {
	/** Sends the call before it returns, and resolves with whatever comes of it. */
	make(call: RecordedCall, given: Readonly<Record<string, unknown>>): Promise<MadeCall>;
}

export interface ReplayClock {
	/** Milliseconds from any fixed point. */
	elapsed(): number;
	/** Calls back once, after so many milliseconds, unless disposed before. */
	after(milliseconds: number, callback: () => void): Disposable;
}

export interface ReplayedCall {
	readonly call: RecordedCall;
	readonly verdict: ReplayVerdict;
	/** Of the call as it was made again. */
	readonly durationMs: number | undefined;
}

/**
 * - `equal`, `differs`: beside the recorded result.
 * - `failed`: it was answered then, and fails now. `recovered`: the other way round.
 * - `unrecorded`: it was made, and there is nothing to compare with. `skipped`: it was not made.
 */
export type ReplayVerdict =
	| { readonly kind: 'equal' }
	| { readonly kind: 'differs' | 'recovered'; readonly difference: JsonDifference }
	| { readonly kind: 'failed'; readonly message: string }
	| { readonly kind: 'unrecorded' | 'skipped'; readonly reason: string };

export interface ReplayOptions {
	readonly ignored: readonly IgnoredPath[];
	/** How much faster than recorded the times are kept; `undefined`: times do not matter. */
	readonly speed: number | undefined;
	/** Told of each call as it ends. */
	readonly onCall?: ((replayed: ReplayedCall) => void) | undefined;
	readonly signal?: AbortSignal | undefined;
}

/** What stands for a secret in what a host has recorded. */
const redacted = '[redacted]';

/** Makes the calls, and gives what came of them in their order. Stopped, it makes no more calls, and waits for none. */
export async function replayCalls(
	files: TranscriptFiles,
	calls: readonly OrderedCall[],
	maker: CallMaker,
	clock: ReplayClock,
	options: ReplayOptions,
): Promise<readonly ReplayedCall[]> {
	const { ignored, speed, onCall, signal } = options;
	const bodies = new RecordedBodies(files);
	const beganAt = clock.elapsed();
	const ends = new Map<number, Promise<ReplayedCall>>();
	try {
		for (const { call, afterMs, after } of calls) {
			for (const index of after) await ends.get(index);
			if (speed !== undefined) await until(clock, beganAt + afterMs / speed, signal);
			signal?.throwIfAborted();
			// One after the other: bodies are read from files, and calls begin in their order.
			const given = await bodies.read(call.given);
			ends.set(call.index, replayed(call, given));
		}
		const all = await Promise.all(ends.values());
		signal?.throwIfAborted();
		return all;
	} finally {
		await bodies.close();
	}

	function replayed(call: RecordedCall, given: unknown): Promise<ReplayedCall> {
		const problem = problemOf(given);
		if (problem !== undefined)
			return Promise.resolve(
				told({ call, verdict: { kind: 'skipped', reason: problem }, durationMs: undefined }),
			);
		// It is an object, and `make` sends it at once.
		const made = maker.make(call, given as Readonly<Record<string, unknown>>);
		return made.then(async (outcome) => {
			const verdict = await compared(files, call.outcome, outcome, ignored);
			return told({ call, verdict, durationMs: outcome.durationMs });
		});
	}

	function told(result: ReplayedCall): ReplayedCall {
		onCall?.(result);
		return result;
	}
}

function problemOf(given: unknown): string | undefined {
	if (given === undefined) return 'Its arguments were not recorded.';
	if (typeof given !== 'object' || given === null || Array.isArray(given)) return 'Its arguments are no object.';
	return JSON.stringify(given).includes(redacted) ? 'Its arguments held a secret, which is not recorded.' : undefined;
}

async function until(clock: ReplayClock, at: number, signal: AbortSignal | undefined): Promise<void> {
	const wait = at - clock.elapsed();
	if (wait <= 0 || signal?.aborted === true) return;
	await new Promise<void>((resolve) => {
		const done = () => {
			timer.dispose();
			signal?.removeEventListener('abort', done);
			resolve();
		};
		const timer = clock.after(wait, done);
		signal?.addEventListener('abort', done, { once: true });
	});
}

async function compared(
	files: TranscriptFiles,
	outcome: RecordedOutcome | undefined,
	made: MadeCall,
	ignored: readonly IgnoredPath[],
): Promise<ReplayVerdict> {
	if (outcome === undefined) return { kind: 'unrecorded', reason: 'It was not answered when it was recorded.' };
	const bodies = new RecordedBodies(files);
	let before: unknown;
	try {
		before = await bodies.readPlain(outcome);
	} finally {
		await bodies.close();
	}
	if (before === undefined) return { kind: 'unrecorded', reason: 'Its result was not recorded.' };
	if (isElsewhere(before)) return { kind: 'unrecorded', reason: 'Its result was too long for the transcript.' };
	const hasFailed = outcome.isError || (outcome.from === 'wire' && isErrorResult(before));
	const failure = made.kind === 'error' ? made.message : isErrorResult(made.result) ? textOf(made.result) : undefined;
	if (failure !== undefined) {
		if (!hasFailed) return { kind: 'failed', message: failure };
		const words = errorWords(before);
		// Agents put words of their own around what a server says.
		const isSame = words === failure || words.includes(failure) || failure.includes(words);
		return isSame
			? { kind: 'equal' }
			: { kind: 'differs', difference: { path: 'error', one: words, other: failure } };
	}
	// It is no error: `failure` would be there.
	const after = made.kind === 'result' ? made.result : {};
	if (hasFailed)
		return { kind: 'recovered', difference: { path: 'error', one: errorWords(before), other: after['content'] } };
	const difference =
		outcome.from === 'wire' ? wireDifference(before, after, ignored) : writtenDifference(before, after, ignored);
	return difference === undefined ? { kind: 'equal' } : { kind: 'differs', difference };
}

/**
 * The first difference between two results, each as a server has sent it or as an agent has written it down: a recording of the host has
 * the former, a transcript the latter, and a replay is compared with both. What a server says in `_meta` is no part of a result.
 */
export function resultDifference(
	one: unknown,
	other: unknown,
	ignored: readonly IgnoredPath[],
): JsonDifference | undefined {
	if (isWireResult(one) && isWireResult(other)) return wireDifference(one, other, ignored);
	if (isWireResult(other) && isWritten(one)) return writtenDifference(one, other, ignored);
	if (isWireResult(one) && isWritten(other)) {
		const difference = writtenDifference(other, one, ignored);
		return difference === undefined ? undefined : { ...difference, one: difference.other, other: difference.one };
	}
	return jsonDifference(one, other, ignored);
}

function isWireResult(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null && 'content' in value && Array.isArray(value.content);
}

function isWritten(value: unknown): boolean {
	return typeof value === 'string' || Array.isArray(value);
}

function wireDifference(before: unknown, after: object, ignored: readonly IgnoredPath[]): JsonDifference | undefined {
	// What one side says of itself beside the result is no part of it.
	const own = ({ _meta, ...result }: Readonly<Record<string, unknown>>) => result;
	const isObject = typeof before === 'object' && before !== null && !Array.isArray(before);
	return jsonDifference(
		isObject ? own(before as Readonly<Record<string, unknown>>) : before,
		own({ ...after }),
		ignored,
	);
}

/** Of a result as an agent has written it down: as its blocks, as their text, or as the structured content alone. */
function writtenDifference(
	before: unknown,
	after: Readonly<Record<string, unknown>>,
	ignored: readonly IgnoredPath[],
): JsonDifference | undefined {
	const { blocks, text } = written(before);
	const own = { text: textOf(after), blocks: written(after['content']).blocks };
	const candidates: readonly (readonly [unknown, unknown])[] = [
		...(blocks === undefined ? [] : [[blocks, own.blocks] as const]),
		[text, own.text],
		...(after['structuredContent'] === undefined
			? []
			: [[text, JSON.stringify(after['structuredContent'])] as const]),
	];
	let first: JsonDifference | undefined;
	for (const [one, other] of candidates) {
		const difference = jsonDifference(one, other, ignored);
		if (difference === undefined) return undefined;
		first ??= difference;
	}
	return first;
}

interface WrittenResult {
	/** `undefined`: it is one text. */
	readonly blocks: readonly unknown[] | undefined;
	readonly text: string;
}

/** Without what the agent has put around it: Codex tells the time before the first block. */
function written(value: unknown): WrittenResult {
	if (typeof value === 'string') return { blocks: undefined, text: value.replace(wallTime, '') };
	if (!Array.isArray(value)) return { blocks: undefined, text: value === undefined ? '' : JSON.stringify(value) };
	const blocks = value
		// Each member is looked at before it is used.
		.map((block: unknown) =>
			typeof block === 'object' && block !== null ? (block as Record<string, unknown>) : {},
		)
		.filter(({ text }) => typeof text !== 'string' || text.replace(wallTime, '') !== '' || text === '')
		.map((block) => (block['type'] === 'input_text' ? { ...block, type: 'text' } : block))
		.map(({ _meta, annotations: _annotations, cache_control: _control, ...block }) => block);
	return { blocks, text: textOfBlocks(blocks) };
}

const wallTime = /^Wall time: [\d.]+ seconds\nOutput:\n?/;

function textOf(result: Readonly<Record<string, unknown>>): string {
	return written(result['content'] ?? []).text;
}

function textOfBlocks(blocks: readonly Readonly<Record<string, unknown>>[]): string {
	return blocks.flatMap(({ text }) => (typeof text === 'string' ? [text] : [])).join('\n');
}

function isErrorResult(value: unknown): boolean {
	return typeof value === 'object' && value !== null && 'isError' in value && value.isError === true;
}

/** Of a JSON-RPC error, a result that is one, or what an agent has written of either. */
function errorWords(value: unknown): string {
	if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
		if ('message' in value && typeof value.message === 'string') return value.message;
		if ('content' in value) return written(value.content).text;
	}
	return written(value).text;
}

/** Claude Code writes long results into files of their own. */
function isElsewhere(value: unknown): boolean {
	return /^\s*<persisted-output>/.test(written(value).text);
}
