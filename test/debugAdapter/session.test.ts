// The session itself, over a target that does what a test says: as VS Code runs it, within its own process.

import assert from 'node:assert/strict';
import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { Emitter } from '../../src/core/base/emitter.ts';
import { ExpectedError } from '../../src/core/base/errors.ts';
import { CrosstalkDebugSession } from '../../src/debugAdapter/crosstalkDebugSession.ts';
import type { DebugShell } from '../../src/debugAdapter/crosstalkDebugSession.ts';
import type {
	AgentKey,
	BreakpointReport,
	ChangedValues,
	DebugTarget,
	DebuggedAgent,
	Level,
	Output,
	ResumeKind,
	Stop,
} from '../../src/debugAdapter/debugTarget.ts';

const fail = (error: unknown) => {
	throw error;
};

/** Two agents that stop and go on as they are told. */
class TestTarget implements DebugTarget {
	readonly abilities = { canGoBack: false, hasLineBreakpoints: false, hasDataBreakpoints: false, canRepeat: false };
	agents: readonly DebuggedAgent[] = ['main', 'scout'].map((name) => ({
		key: name,
		sessionId: null,
		agentId: null,
		name,
	}));
	/** What its frames wait for. */
	patience: Promise<void> = Promise.resolve();
	readonly started = new Emitter<DebuggedAgent>(fail);
	readonly ended = new Emitter<DebuggedAgent>(fail);
	readonly stopped = new Emitter<Stop>(fail);
	readonly continued = new Emitter<AgentKey | null>(fail);
	readonly breakpointChanged = new Emitter<BreakpointReport>(fail);
	readonly printed = new Emitter<Output>(fail);
	readonly valuesChanged = new Emitter<ChangedValues>(fail);
	readonly terminated = new Emitter<{ readonly exitCode: number | undefined }>(fail);
	readonly onDidStart = this.started.event;
	readonly onDidEnd = this.ended.event;
	readonly onDidStop = this.stopped.event;
	readonly onDidContinue = this.continued.event;
	readonly onDidChangeBreakpoint = this.breakpointChanged.event;
	readonly onDidPrint = this.printed.event;
	readonly onDidChangeValues = this.valuesChanged.event;
	readonly onDidTerminate = this.terminated.event;
	readonly done: string[] = [];
	given: unknown = { page: 2 };
	title = 'query';

	stop(agent: string): void {
		this.stopped.fire({ agent, kind: 'tool', description: 'Paused.', breakpointIds: [], isEveryone: false });
	}

	async start(): Promise<void> {
		this.done.push('start');
	}

	async setBreakpoints(): Promise<readonly BreakpointReport[]> {
		return [];
	}

	/** What a transcript tells of the second agent. */
	rename(name: string): void {
		const [main, scout] = this.agents;
		assert.ok(main && scout);
		const renamed = { ...scout, name };
		this.agents = [main, renamed];
		this.started.fire(renamed);
	}

	async stackOf(agent: AgentKey): Promise<readonly Level[]> {
		await this.patience;
		const edit = async (keys: readonly (string | number)[], value: unknown) => {
			if (value === 0) throw new ExpectedError('page: there is no page 0.');
			this.done.push(`edit ${keys.join('.')} ${JSON.stringify(value)}`);
		};
		const answer = async (result: string, isError: boolean) => void this.done.push(`answer ${result} ${isError}`);
		return [
			{
				name: `${this.title} of ${agent}`,
				place: undefined,
				sections: [
					{
						name: 'Arguments',
						expression: 'arguments',
						isExpensive: false,
						read: async () => this.given,
						edit,
					},
				],
				answer,
			},
		];
	}

	async resume(agent: AgentKey | null, how: ResumeKind): Promise<void> {
		if (how === 'step-out')
			throw new ExpectedError('Somebody else debugs this session: this debugger only looks on.');
		if (how === 'step-in') throw new TypeError('a bug');
		this.done.push(`${how} ${agent ?? 'all'}`);
		// It is there again at once: nobody may hear of that before the answer.
		if (how === 'step-over') this.stop(agent ?? '');
	}

	async pause(agent: AgentKey | null): Promise<void> {
		this.done.push(`pause ${agent ?? 'all'}`);
	}

	async evaluate(expression: string): Promise<unknown> {
		return expression;
	}

	names(): readonly [] {
		return [];
	}

	async breakpointPlaces(): Promise<readonly []> {
		return [];
	}

	async terminate(): Promise<void> {
		this.done.push('terminate');
	}

	dispose(): void {
		this.done.push('dispose');
	}
}

/** A client in the same process. */
class Client {
	readonly heard: string[] = [];
	/** Of events. */
	readonly bodies: unknown[] = [];
	readonly session: CrosstalkDebugSession;
	readonly bugs: unknown[] = [];
	isClosed = false;
	private seq = 0;
	private readonly answers = new Map<number, (response: DebugProtocol.Response) => void>();

	constructor(shell: Partial<DebugShell>, facts: object = {}) {
		this.session = new CrosstalkDebugSession({
			openReplay: async () => new TestTarget(),
			live: undefined,
			log: () => undefined,
			onError: (error) => void this.bugs.push(error),
			onDidClose: () => (this.isClosed = true),
			...shell,
		});
		this.session.onDidSendMessage((message) => this.hear(message as DebugProtocol.ProtocolMessage)); // there are no others
		this.tell('initialize', { adapterID: 'crosstalk', supportsProgressReporting: true, ...facts });
	}

	/** @returns The number of the request. */
	tell(
		command: string,
		args: object = {},
		answered: (response: DebugProtocol.Response) => void = () => undefined,
	): number {
		const seq = ++this.seq;
		this.answers.set(seq, answered);
		this.session.handleMessage({ seq, type: 'request', command, arguments: args } as DebugProtocol.Request); // it is one
		return seq;
	}

	async ask(command: string, args: object = {}): Promise<DebugProtocol.Response> {
		return new Promise((resolve) => {
			this.tell(command, args, resolve);
		});
	}

	private hear(message: DebugProtocol.ProtocolMessage): void {
		if (message.type === 'event') {
			const { event, body } = message as { event: string; body?: unknown } & DebugProtocol.ProtocolMessage; // it says so
			this.heard.push(event);
			this.bodies.push(body);
		}
		if (message.type !== 'response') return;
		const response = message as DebugProtocol.Response; // it says so
		this.heard.push(`${response.success ? '←' : '✗'} ${response.command}`);
		this.answers.get(response.request_seq)?.(response);
	}
}

async function opened(facts: object = {}): Promise<{ readonly client: Client; readonly target: TestTarget }> {
	const target = new TestTarget();
	const client = new Client({ openReplay: async () => target }, facts);
	await client.ask('launch', { transcript: 'x' });
	await client.ask('configurationDone');
	client.heard.length = 0;
	return { client, target };
}

describe('a debug session', () => {
	it('tells of a stop after it has answered what led to it', async () => {
		const { client, target } = await opened();
		await client.ask('threads');
		client.heard.length = 0;
		target.stop('scout');
		await client.ask('next', { threadId: 2 });
		await setImmediate();
		assert.deepEqual(client.heard, ['stopped', '← next', 'stopped']);
	});

	it('lets one agent go on while another stays, with all that was shown of it', async () => {
		const { client, target } = await opened();
		await client.ask('threads');
		target.stop('main');
		target.stop('scout');
		const frameOf = async (threadId: number) =>
			((await client.ask('stackTrace', { threadId })).body as { stackFrames: { id: number }[] }).stackFrames[0]
				?.id; // as the protocol says
		const [main, scout] = [await frameOf(1), await frameOf(2)];
		const answer = await client.ask('continue', { threadId: 2 });
		assert.deepEqual(answer.body, { allThreadsContinued: false });
		assert.deepEqual(target.done, ['start', 'run scout']);
		assert.equal((await client.ask('scopes', { frameId: main })).success, true);
		const gone = await client.ask('scopes', { frameId: scout });
		assert.deepEqual([gone.success, gone.message], [false, 'The agent has gone on meanwhile.']);
	});

	it('tells the name of an agent that stands still when its client has shown the stop, for VS Code drops a stop that it hears more of', async () => {
		const { client, target } = await opened();
		const names = async () =>
			((await client.ask('threads')).body as { threads: { name: string }[] }).threads // as the protocol says
				.map(({ name }) => name);
		target.agents.forEach((agent) => target.started.fire(agent));
		await client.ask('threads');
		target.rename('the scout');
		target.stop('scout');
		target.rename('check-payments');
		await setImmediate();
		// While it runs at once; while it stands still not yet, but whoever asks is told.
		assert.deepEqual(client.heard.slice(2), ['← threads', 'thread', 'stopped']);
		assert.deepEqual(await names(), ['main', 'check-payments']);
		target.rename('check the payments');
		client.heard.length = 0;
		const deadline = Date.now() + 20_000;
		while (client.heard.length === 0 && Date.now() < deadline) await delay(20);
		assert.deepEqual(client.heard, ['thread']);
		assert.deepEqual(await names(), ['main', 'check the payments']);
		// What was told meanwhile is not told again.
		assert.deepEqual(client.heard, ['thread', '← threads']);
		await client.ask('disconnect');
	});

	it('lets nothing wait for frames that wait, and gives none of before when its agent has gone on', async () => {
		const { client, target } = await opened();
		await client.ask('threads');
		const { promise, resolve } = Promise.withResolvers<void>();
		target.patience = promise;
		target.stop('scout');
		const frames = client.ask('stackTrace', { threadId: 2 });
		target.stop('main');
		await client.ask('threads');
		assert.deepEqual(client.heard, ['← threads', 'stopped', 'stopped', '← threads']);
		await client.ask('continue', { threadId: 2 });
		resolve();
		const { stackFrames } = (await frames).body as { stackFrames: { id: number }[] }; // as the protocol says
		const again: unknown = (await client.ask('stackTrace', { threadId: 2 })).body;
		assert.deepEqual(again, { stackFrames, totalFrames: 1 });
	});

	it('edits values with what people type, and says why one is refused', async () => {
		const { client, target } = await opened();
		await client.ask('threads');
		target.stop('main');
		const { stackFrames } = (await client.ask('stackTrace', { threadId: 1 })).body as {
			stackFrames: { id: number }[];
		}; // as the protocol says
		const frameId = stackFrames[0]?.id;
		const { scopes } = (await client.ask('scopes', { frameId })).body as {
			scopes: { variablesReference: number }[];
		}; // likewise
		const variablesReference = scopes[0]?.variablesReference;
		const set = await client.ask('setVariable', { variablesReference, name: 'page', value: '3' });
		assert.equal((set.body as { value: string }).value, '3'); // likewise
		const refused = await client.ask('setVariable', { variablesReference, name: 'page', value: '0' });
		assert.equal(refused.message, 'page: there is no page 0.');
		const typed = await client.ask('setVariable', { variablesReference, name: 'page', value: 'three' });
		assert.match(typed.message ?? '', /^three is no JSON value/);
		await client.ask('setExpression', { frameId, expression: 'arguments.page', value: '4' });
		await client.ask('evaluate', { frameId, expression: 'arguments.page = 5', context: 'repl' });
		await client.ask('evaluate', { frameId, expression: 'answer {"rows": []}', context: 'repl' });
		await client.ask('crosstalk/answer', { frameId, result: 'no', isError: true });
		// In a watch it is an expression like any other.
		await client.ask('evaluate', { frameId, expression: 'answer x', context: 'watch' });
		assert.deepEqual(target.done.slice(1), [
			'edit page 3',
			'edit page 4',
			'edit page 5',
			'answer {"rows": []} false',
			'answer no true',
		]);
	});

	it('has a new name for the frame of a call that was edited, under the same number, and says so to each client in the way that takes least from it', async () => {
		for (const [facts, expected] of [
			[{}, []],
			[{ supportsInvalidatedEvent: true }, [{ areas: ['stacks', 'variables'], threadId: 2 }]],
			[
				{ supportsInvalidatedEvent: true, clientID: 'vscode' },
				[
					{ description: 'Paused', preserveFocusHint: true },
					{ areas: ['variables'], threadId: 2 },
				],
			],
		] as const) {
			const { client, target } = await opened(facts);
			const frame = async () =>
				(
					(await client.ask('stackTrace', { threadId: 2 })).body as {
						stackFrames: { id: number; name: string }[];
					}
				).stackFrames[0]; // as the protocol says
			await client.ask('threads');
			target.stop('scout');
			const before = await frame();
			target.title = 'edited';
			client.bodies.length = 0;
			target.valuesChanged.fire({ agent: 'scout', change: 'title' });
			await setImmediate();
			assert.equal(client.bodies.length, expected.length);
			for (const [index, body] of expected.entries()) assert.partialDeepStrictEqual(client.bodies[index], body);
			assert.deepEqual(await frame(), { ...before, name: 'edited of scout' });
			// Of one that has gone on nothing is told that would look like a stop.
			await client.ask('continue', { threadId: 2 });
			client.heard.length = 0;
			target.valuesChanged.fire({ agent: 'scout', change: 'title' });
			await setImmediate();
			assert.ok(!client.heard.includes('stopped'));
			await client.ask('disconnect');
		}
	});

	it('gives a refusal as its sentence, and keeps a bug for the log', async () => {
		const { client, target } = await opened();
		await client.ask('threads');
		target.stop('main');
		const refused = await client.ask('stepOut', { threadId: 1 });
		assert.equal(refused.message, 'Somebody else debugs this session: this debugger only looks on.');
		assert.deepEqual(client.bugs, []);
		const failed = await client.ask('stepIn', { threadId: 1 });
		assert.match(failed.message ?? '', /^The request "stepIn" has failed; that is a bug in Crosstalk/);
		assert.equal(client.bugs.length, 1);
		// It goes on all the same.
		assert.equal((await client.ask('threads')).success, true);
	});

	it('pauses one agent or all of them, and lets all go on', async () => {
		const { client, target } = await opened();
		await client.ask('threads');
		await client.ask('pause', { threadId: 2 });
		await client.ask('crosstalk/pauseAll');
		await client.ask('crosstalk/continueAll');
		assert.deepEqual(target.done, ['start', 'pause scout', 'pause all', 'run all']);
	});

	it('can be cancelled while it opens, and says that it takes long', async () => {
		let isAborted = false;
		const client = new Client({
			openReplay: async (_configuration, debugClient, signal) => {
				const shownProgress = debugClient.progress('Reading the session');
				try {
					return await new Promise<never>((_, reject) => {
						signal.addEventListener('abort', () => {
							isAborted = true;
							reject(new DOMException('aborted', 'AbortError'));
						});
					});
				} finally {
					shownProgress.dispose();
				}
			},
		});
		const answer = new Promise<DebugProtocol.Response>((resolve) => {
			const requestId = client.tell('launch', { transcript: 'x' }, resolve);
			void setImmediate().then(() => client.tell('cancel', { requestId }));
		});
		const { success, message } = await answer;
		assert.deepEqual([success, message, isAborted], [false, 'It was cancelled.', true]);
		assert.deepEqual(client.heard, ['← initialize', 'progressStart', '← cancel', 'progressEnd', '✗ launch']);
		assert.deepEqual(client.bugs, []);
	});

	it('lets go of what it opens when the client has gone meanwhile', async () => {
		const target = new TestTarget();
		const release = Promise.withResolvers<TestTarget>();
		const client = new Client({ openReplay: async () => release.promise });
		client.tell('launch', { transcript: 'x' });
		await setImmediate();
		client.session.dispose();
		release.resolve(target);
		await setImmediate();
		assert.deepEqual([target.done, client.isClosed], [['dispose'], true]);
	});

	it('ends what it has started, and only lets go of what it has not', async () => {
		const { client, target } = await opened();
		await client.ask('disconnect');
		await setImmediate();
		assert.deepEqual([target.done, client.isClosed], [['start', 'dispose'], true]);
		const launched = new TestTarget();
		const other = new Client({ live: { launch: async () => launched, attach: async () => launched } });
		await other.ask('launch', { program: 'claude' });
		await other.ask('disconnect');
		assert.deepEqual(launched.done, ['terminate', 'dispose']);
	});

	it('passes on what happens without being asked', async () => {
		const { client, target } = await opened();
		target.stop('main');
		target.continued.fire('main');
		target.valuesChanged.fire({ agent: null, change: 'values' });
		target.printed.fire({ kind: 'program', text: 'hello' });
		target.ended.fire({ key: 'scout', sessionId: null, agentId: null, name: 'scout' });
		target.terminated.fire({ exitCode: 1 });
		await setImmediate();
		assert.deepEqual(client.heard, ['stopped', 'continued', 'output', 'thread', 'exited', 'terminated']);
	});
});
