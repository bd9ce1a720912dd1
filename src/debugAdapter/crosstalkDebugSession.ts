// One debug session: requests of the client in, calls on what is debugged out, and what happens there back as events. What is debugged
// knows nothing of the protocol, and this file nothing of agents beyond `debugTarget.ts`.

import {
	DebugSession,
	Event,
	InitializedEvent,
	OutputEvent,
	Response,
	StoppedEvent,
	TerminatedEvent,
} from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { ExpectedError } from '../core/base/errors.ts';
import { DisposableStore } from '../core/base/lifecycle.ts';
import type { Disposable } from '../core/base/lifecycle.ts';
import { BreakpointBook, toolErrorFilter } from './breakpointBook.ts';
import { capabilities, targetCapabilities } from './capabilities.ts';
import { configurationOf } from './configurations.ts';
import type { Configuration } from './configurations.ts';
import { answerBy, completionsFor, evaluateInConsole } from './debugConsole.ts';
import type {
	AgentKey,
	BreakpointReport,
	ChangedValues,
	DebugTarget,
	DebuggedAgent,
	LiveTargets,
	Output,
	ResumeKind,
	Stop,
	TargetClient,
	TerminalCommand,
} from './debugTarget.ts';
import { present } from './present.ts';
import type { ReplayConfiguration } from './replay/replayConfiguration.ts';
import { ShownStack } from './shownStack.ts';
import { Timers } from './timers.ts';

/** What the shell that runs the session gives it. */
export interface DebugShell {
	openReplay(configuration: ReplayConfiguration, client: TargetClient, signal: AbortSignal): Promise<DebugTarget>;
	/** `undefined`: this shell only replays. */
	readonly live: LiveTargets | undefined;
	/** The messages of a session that is traced: never the protocol's own stream. */
	readonly log: (text: string) => void;
	/** A bug of ours. */
	readonly onError: (error: unknown) => void;
	/** The client has gone, or wants no more. */
	readonly onDidClose: () => void;
}

type Handler = (args: never, request: DebugProtocol.Request) => Promise<object | void> | object | void;

const terminalTimeout = 60_000;
/** By then VS Code has shown a stop, and asked for the names of its threads. */
const renameAfterMs = 1000;

export class CrosstalkDebugSession extends DebugSession {
	private readonly shell: DebugShell;
	private readonly book = new BreakpointBook();
	private readonly disposables = new DisposableStore();
	private clientFacts: DebugProtocol.InitializeRequestArguments = { adapterID: 'crosstalk' };
	private configuration: Configuration | undefined;
	private target: DebugTarget | undefined;
	private ofTarget = new DisposableStore();
	private timers = this.ofTarget.add(new Timers());
	private stack: ShownStack | undefined;
	private isConfigured = false;
	private isTracing = false;
	private isClosed = false;
	private readonly stops = new Map<AgentKey, Stop>();
	/** The names of threads as the client was told them last, by number; `undefined`: that there is one is all it knows. */
	private readonly toldNames = new Map<number, string | undefined>();
	/** Requests and events one after another: nobody is told of a stop before the answer to what has led to it. */
	private queue: Promise<void> = Promise.resolve();
	/** What takes long, by the number of its request or the id of its progress. */
	private readonly running = new Map<number | string, AbortController>();
	private nextProgress = 1;

	constructor(shell: DebugShell) {
		super();
		this.shell = shell;
		this.setDebuggerLinesStartAt1(true);
		this.setDebuggerColumnsStartAt1(true);
	}

	/** The client's end of the stream, an error of it, or a wish to end: nothing is held any longer than this. */
	override shutdown(): void {
		this.dispose();
	}

	override dispose(): void {
		if (this.isClosed) return;
		this.isClosed = true;
		for (const controller of this.running.values()) controller.abort();
		this.closeTarget();
		this.disposables.dispose();
		this.shell.onDidClose();
	}

	// Most do one thing with the target. What they reject with goes back to the client, in one place.
	private readonly handlers: Readonly<Record<string, Handler>> = {
		launch: (args: unknown, request) => this.openAndInvite(configurationOf('launch', args), request),
		attach: (args: unknown, request) => this.openAndInvite(configurationOf('attach', args), request),
		restart: (args: { arguments?: unknown }, request) => this.restart(args?.arguments, request),
		configurationDone: () => this.begin(),
		disconnect: (args: DebugProtocol.DisconnectArguments | undefined) => this.disconnect(args ?? {}),
		terminate: async () => {
			// What has ended by itself meanwhile needs no end.
			await this.target?.terminate();
		},
		setBreakpoints: async ({ source, breakpoints = [] }: DebugProtocol.SetBreakpointsArguments) => {
			const { path } = source;
			if (path === undefined)
				return {
					breakpoints: breakpoints.map(() => ({ verified: false, message: 'There is no file to stop in.' })),
				};
			const ids = this.book.setLines(
				path,
				breakpoints,
				(line) => this.convertClientLineToDebugger(line),
				(column) => this.convertClientColumnToDebugger(column),
			);
			return this.setAll(ids);
		},
		setFunctionBreakpoints: ({ breakpoints }: DebugProtocol.SetFunctionBreakpointsArguments) =>
			this.setAll(this.book.setFunctions(breakpoints)),
		setDataBreakpoints: ({ breakpoints }: DebugProtocol.SetDataBreakpointsArguments) =>
			this.setAll(this.book.setData(breakpoints)),
		setExceptionBreakpoints: (args: DebugProtocol.SetExceptionBreakpointsArguments) =>
			this.setAll(this.book.setFilters(args)),
		dataBreakpointInfo: (args: DebugProtocol.DataBreakpointInfoArguments) => this.dataBreakpointInfo(args),
		breakpointLocations: async ({ source, line, endLine }: DebugProtocol.BreakpointLocationsArguments) => {
			if (source.path === undefined || this.target === undefined) return { breakpoints: [] };
			const from = this.convertClientLineToDebugger(line);
			const to = endLine === undefined ? from : this.convertClientLineToDebugger(endLine);
			const places = await this.target.breakpointPlaces(source.path, from, to);
			return {
				breakpoints: places.map(({ line: at, column, endColumn }) =>
					present({
						line: this.convertDebuggerLineToClient(at),
						column: column === undefined ? undefined : this.convertDebuggerColumnToClient(column),
						endColumn: endColumn === undefined ? undefined : this.convertDebuggerColumnToClient(endColumn),
					}),
				),
			};
		},
		threads: () => {
			const threads = this.shownStack.threads();
			for (const { id, name } of threads) this.toldNames.set(id, name);
			return { threads };
		},
		stackTrace: ({ threadId, startFrame = 0, levels = 0 }: DebugProtocol.StackTraceArguments) =>
			this.shownStack.frames(threadId, startFrame, levels),
		scopes: ({ frameId }: DebugProtocol.ScopesArguments) => ({ scopes: this.shownStack.scopes(frameId) }),
		variables: async (args: DebugProtocol.VariablesArguments) => ({
			variables: await this.shownStack.variables(args),
		}),
		setVariable: async ({ variablesReference, name, value }: DebugProtocol.SetVariableArguments) =>
			this.shownStack.setVariable(variablesReference, name, value),
		setExpression: (args: DebugProtocol.SetExpressionArguments) => this.setExpression(args),
		source: async ({ source, sourceReference }: DebugProtocol.SourceArguments) => ({
			content: await this.shownStack.sourceText(source?.sourceReference ?? sourceReference).read(),
		}),
		evaluate: (args: DebugProtocol.EvaluateArguments) => evaluateInConsole(this.opened, this.shownStack, args),
		completions: async ({ frameId, text, column, line }: DebugProtocol.CompletionsArguments) => {
			const at = line === undefined ? 0 : this.convertClientLineToDebugger(line) - 1;
			const typed = text.split('\n')[at] ?? text;
			const targets = await completionsFor(
				this.opened,
				this.shownStack.level(frameId),
				typed,
				this.convertClientColumnToDebugger(column) - 1,
			);
			return { targets };
		},
		exceptionInfo: ({ threadId }: DebugProtocol.ExceptionInfoArguments) => this.exceptionInfo(threadId),
		continue: async ({ threadId }: DebugProtocol.ContinueArguments) => {
			// Where all stand still together they go on together, whatever was asked for.
			const isEveryone = this.isEveryoneStopped(threadId);
			await this.resume(threadId, 'run');
			return { allThreadsContinued: isEveryone };
		},
		next: ({ threadId }: DebugProtocol.NextArguments) => this.resume(threadId, 'step-over'),
		stepIn: ({ threadId }: DebugProtocol.StepInArguments) => this.resume(threadId, 'step-in'),
		stepOut: ({ threadId }: DebugProtocol.StepOutArguments) => this.resume(threadId, 'step-out'),
		stepBack: ({ threadId }: DebugProtocol.StepBackArguments) => this.resume(threadId, 'step-back'),
		reverseContinue: ({ threadId }: DebugProtocol.ReverseContinueArguments) =>
			this.resume(threadId, 'back-to-breakpoint'),
		pause: ({ threadId }: DebugProtocol.PauseArguments) =>
			this.opened.pause(threadId === 0 ? null : this.shownStack.agentOf(threadId)),
		restartFrame: ({ frameId }: DebugProtocol.RestartFrameArguments) => this.repeat(frameId),
		/** Ours: the call of a frame is answered by hand. */
		'crosstalk/answer': async (args: { frameId: number; result: string; isError?: boolean }) => {
			await answerBy(this.shownStack.level(args.frameId), args.result, args.isError === true);
		},
		/** Ours: the next call of any agent stops. */
		'crosstalk/pauseAll': () => this.opened.pause(null),
		/** Ours: all that are stopped go on. */
		'crosstalk/continueAll': async () => {
			this.goesOn(null);
			await this.opened.resume(null, 'run');
		},
	};

	protected override dispatchRequest(request: DebugProtocol.Request): void {
		if (this.isTracing) this.shell.log(`← ${JSON.stringify(request)}`);
		const { command } = request;
		if (command === 'initialize') {
			this.initialize(request);
			return;
		}
		if (command === 'cancel') {
			this.cancel(request);
			return;
		}
		const answer = async () => this.answer(request);
		// What is to end or to halt something must not wait for it.
		if (command === 'disconnect' || command === 'terminate' || command === 'pause') {
			if (command !== 'pause') for (const controller of this.running.values()) controller.abort();
			void answer();
			return;
		}
		// Frames may wait for the line of their call, and nothing else is to wait with them.
		this.enqueue(command === 'stackTrace' ? () => void answer() : answer);
	}

	override sendResponse(response: DebugProtocol.Response): void {
		if (this.isTracing) this.shell.log(`→ ${JSON.stringify(response)}`);
		super.sendResponse(response);
	}

	override sendEvent(event: DebugProtocol.Event): void {
		if (this.isClosed) return;
		if (this.isTracing) this.shell.log(`→ ${JSON.stringify(event)}`);
		super.sendEvent(event);
	}

	private enqueue(job: () => void | Promise<void>): void {
		this.queue = this.queue.then(job).catch((error: unknown) => this.bug(error));
	}

	private async answer(request: DebugProtocol.Request): Promise<void> {
		const response: DebugProtocol.Response = new Response(request);
		const { command } = request;
		try {
			const handler = Object.hasOwn(this.handlers, command) ? this.handlers[command] : undefined;
			if (handler === undefined) throw new ExpectedError(`There is no request "${command}".`);
			// Each handler says what its own request brings; the protocol's types are all that can be known of it.
			const body = await handler((request.arguments ?? {}) as never, request);
			if (body !== undefined) response.body = body;
			this.sendResponse(response);
		} catch (error) {
			this.refuse(response, error, command);
		}
		if (command === 'disconnect') this.dispose();
	}

	private refuse(response: DebugProtocol.Response, error: unknown, command: string): void {
		const isExpected = error instanceof ExpectedError;
		if (!isExpected && !(error instanceof Error && error.name === 'AbortError')) this.bug(error);
		const sentence = isExpected
			? error.message
			: error instanceof Error && error.name === 'AbortError'
				? 'It was cancelled.'
				: `The request "${command}" has failed; that is a bug in Crosstalk, and its log says more.`;
		response.success = false;
		response.message = sentence;
		// What a person has only pointed at needs no dialog.
		const showUser = command === 'launch' || command === 'attach' || command === 'restart' || !quiet.has(command);
		response.body = { error: { id: 1, format: '{_sentence}', variables: { _sentence: sentence }, showUser } };
		this.sendResponse(response);
	}

	private bug(error: unknown): void {
		this.shell.onError(error);
	}

	private initialize(request: DebugProtocol.Request): void {
		// Its arguments are what the protocol says, as far as we look; the class above remembers how the client counts.
		const args = (request.arguments ?? {}) as DebugProtocol.InitializeRequestArguments;
		this.clientFacts = args;
		args.pathFormat ??= 'path';
		super.dispatchRequest({ ...request, arguments: args });
	}

	protected override initializeRequest(response: DebugProtocol.InitializeResponse): void {
		response.body = capabilities;
		this.sendResponse(response);
	}

	private cancel(request: DebugProtocol.Request): void {
		const { requestId, progressId } = (request.arguments ?? {}) as DebugProtocol.CancelArguments; // as the protocol says
		for (const id of [requestId, progressId]) if (id !== undefined) this.running.get(id)?.abort();
		this.sendResponse(new Response(request));
	}

	private get opened(): DebugTarget {
		if (this.target === undefined) throw new ExpectedError('Nothing is debugged: launch or attach comes first.');
		return this.target;
	}

	private get shownStack(): ShownStack {
		if (this.stack === undefined) throw new ExpectedError('Nothing is debugged: launch or attach comes first.');
		return this.stack;
	}

	private async open(configuration: Configuration, request: DebugProtocol.Request): Promise<void> {
		this.configuration = configuration;
		this.isTracing = configuration.isTracing;
		const controller = new AbortController();
		this.running.set(request.seq, controller);
		try {
			const target = await this.targetOf(configuration, controller);
			if (this.isClosed) {
				target.dispose();
				return;
			}
			this.follow(target);
		} finally {
			this.running.delete(request.seq);
		}
		this.book.configure(configuration.breakpoints);
	}

	/** Behind the answer: now the client may set its breakpoints. */
	private async openAndInvite(configuration: Configuration, request: DebugProtocol.Request): Promise<void> {
		await this.open(configuration, request);
		this.enqueue(() => this.sendEvent(new InitializedEvent()));
	}

	private async targetOf(configuration: Configuration, controller: AbortController): Promise<DebugTarget> {
		const client = this.targetClient(controller);
		if (configuration.kind === 'replay')
			return this.shell.openReplay(configuration.replay, client, controller.signal);
		const { live } = this.shell;
		if (live === undefined) throw new ExpectedError('Only transcripts and recordings can be debugged here.');
		return configuration.kind === 'launch'
			? live.launch(configuration.launch, client, controller.signal)
			: live.attach(configuration.attach, client, controller.signal);
	}

	private follow(target: DebugTarget): void {
		this.closeTarget();
		this.target = target;
		this.ofTarget = new DisposableStore();
		this.timers = this.ofTarget.add(new Timers());
		const stack = new ShownStack(target, {
			line: (line) => this.convertDebuggerLineToClient(line),
			column: (column) => this.convertDebuggerColumnToClient(column),
		});
		this.stack = stack;
		this.stops.clear();
		this.toldNames.clear();
		const on = <Value>(event: (listener: (value: Value) => void) => Disposable, tell: (value: Value) => void) =>
			this.ofTarget.add(event((value) => this.enqueue(() => (this.target === target ? tell(value) : undefined))));
		on(target.onDidStart, (agent) => this.tellThread(agent, stack.threadOf(agent.key)));
		on(target.onDidEnd, ({ key }) => {
			this.toldNames.delete(stack.threadOf(key));
			this.sendThread('exited', stack.threadOf(key));
		});
		on(target.onDidStop, (stop) => this.sendStop(stop));
		on(target.onDidContinue, (agent) => {
			this.goesOn(agent);
			this.sendEvent(
				new Event('continued', {
					threadId: agent === null ? 0 : stack.threadOf(agent),
					allThreadsContinued: agent === null,
				}),
			);
		});
		on(target.onDidChangeBreakpoint, (report) =>
			this.sendEvent(new Event('breakpoint', { reason: 'changed', breakpoint: this.breakpointOf(report) })),
		);
		on(target.onDidPrint, (output) => this.sendOutput(output));
		on(target.onDidChangeValues, ({ agent, change }) => {
			if (change !== 'values') stack.refresh(agent);
			const isRetold = change === 'title' && this.clientFacts.clientID === 'vscode' && this.tellTitle(agent);
			if (this.clientFacts.supportsInvalidatedEvent !== true) return;
			const threadId = agent === null ? undefined : stack.threadOf(agent);
			this.sendEvent(
				new Event('invalidated', present({ areas: isRetold ? ['variables'] : areas[change], threadId })),
			);
		});
		on(target.onDidTerminate, ({ exitCode }) => {
			if (exitCode !== undefined) this.sendEvent(new Event('exited', { exitCode }));
			this.sendEvent(new TerminatedEvent());
		});
		this.sendEvent(new Event('capabilities', { capabilities: targetCapabilities(target.abilities) }));
	}

	private closeTarget(): void {
		this.ofTarget.dispose();
		this.target?.dispose();
		this.target = undefined;
		this.stack = undefined;
	}

	private async begin(): Promise<void> {
		const target = this.opened;
		this.isConfigured = true;
		if (this.configuration !== undefined && this.configuration.breakpoints.length > 0) {
			const reports = await target.setBreakpoints(this.book.plan);
			for (const problem of this.book.problemsOfConfigured(reports))
				this.sendOutput({ kind: 'important', text: problem });
		}
		await target.start();
	}

	/** The same once more, or what the client has made of the configuration meanwhile. */
	private async restart(given: unknown, request: DebugProtocol.Request): Promise<void> {
		const before = this.configuration;
		const configuration =
			given === undefined || before === undefined
				? before
				: configurationOf(before.kind === 'attach' ? 'attach' : 'launch', given);
		if (configuration === undefined) throw new ExpectedError('Nothing is debugged that could be started again.');
		this.closeTarget();
		await this.open(configuration, request);
		// The client keeps its breakpoints and does not say again that it is done.
		if (!this.isConfigured) return;
		await this.opened.setBreakpoints(this.book.plan);
		await this.begin();
	}

	private async disconnect({
		terminateDebuggee = this.configuration?.kind === 'launch',
	}: DebugProtocol.DisconnectArguments): Promise<void> {
		if (terminateDebuggee) await this.target?.terminate();
	}

	private async setAll(ids: readonly string[]): Promise<{ breakpoints: DebugProtocol.Breakpoint[] }> {
		const reports = (await this.target?.setBreakpoints(this.book.plan)) ?? [];
		return {
			breakpoints: ids.map((id) =>
				this.breakpointOf(
					reports.find((report) => report.id === id) ?? {
						id,
						isVerified: false,
						message: 'Nothing is debugged yet.',
					},
				),
			),
		};
	}

	private breakpointOf({ id, isVerified, message, place }: BreakpointReport): DebugProtocol.Breakpoint {
		return {
			id: this.book.numberOf(id),
			verified: isVerified,
			...present({ message }),
			...(place === undefined ? {} : this.shownStack.placeFields(place)),
			...(place?.endColumn === undefined
				? {}
				: { endColumn: this.convertDebuggerColumnToClient(place.endColumn) }),
		};
	}

	private dataBreakpointInfo({
		variablesReference,
		name,
		frameId,
	}: DebugProtocol.DataBreakpointInfoArguments): DebugProtocol.DataBreakpointInfoResponse['body'] {
		const found = this.shownStack.watched(variablesReference, name, frameId);
		if (typeof found === 'string') return { dataId: null, description: found };
		return { ...found, accessTypes: ['write'], canPersist: true };
	}

	private async setExpression({
		expression,
		value,
		frameId,
	}: DebugProtocol.SetExpressionArguments): Promise<DebugProtocol.SetExpressionResponse['body']> {
		return this.shownStack.setExpression(frameId, expression, value);
	}

	private exceptionInfo(thread: number): DebugProtocol.ExceptionInfoResponse['body'] {
		const stop = this.stops.get(this.shownStack.agentOf(thread));
		if (stop === undefined || (stop.kind !== 'rule' && stop.kind !== 'error'))
			throw new ExpectedError('The agent has not stopped at a finding or an error.');
		const { ruleId = toolErrorFilter, description, details, related = [] } = stop;
		const places = related.map(({ place, message }) => `${message} (${place.path}:${place.line})`);
		return {
			exceptionId: ruleId,
			description: details ?? description,
			breakMode: 'always',
			details: {
				message: details ?? description,
				typeName: ruleId,
				...(places.length === 0 ? {} : { stackTrace: places.join('\n') }),
			},
		};
	}

	private async resume(thread: number, how: ResumeKind): Promise<void> {
		// Before: afterwards the agent may be gone.
		const agent = this.shownStack.agentOf(thread);
		const isEveryone = this.isEveryoneStopped(thread);
		await this.opened.resume(agent, how);
		this.goesOn(isEveryone ? null : agent);
	}

	private async repeat(frame: number): Promise<void> {
		const level = this.shownStack.level(frame);
		const agent = this.shownStack.agentOfFrame(frame);
		const isEveryone = this.isEveryoneStopped(this.shownStack.threadOf(agent));
		if (level?.repeat === undefined) throw new ExpectedError('This call cannot be made again.');
		await level.repeat();
		this.goesOn(isEveryone ? null : agent);
	}

	private isEveryoneStopped(thread: number): boolean {
		return (
			this.stops.get(this.shownStack.agentOf(thread))?.isEveryone ??
			[...this.stops.values()].some((stop) => stop.isEveryone)
		);
	}

	private goesOn(agent: AgentKey | null): void {
		this.stack?.forget(agent);
		if (agent === null) this.stops.clear();
		else this.stops.delete(agent);
	}

	/** A thread is new, or has another name: the protocol has nothing else to say that with. */
	private tellThread({ key, name }: DebuggedAgent, threadId: number): void {
		if (!this.toldNames.has(threadId)) {
			this.toldNames.set(threadId, undefined);
			this.sendThread('started', threadId);
			return;
		}
		const told = this.toldNames.get(threadId);
		// It has yet to ask what the thread is called.
		if (told === undefined || told === name) return;
		if (!this.stops.has(key)) {
			this.sendThread('started', threadId);
			return;
		}
		// VS Code drops a stop that it has not shown yet when it hears anything of its thread. It asks for the names while it shows it.
		this.timers.after(renameAfterMs, () =>
			this.enqueue(() => {
				if (this.toldNames.has(threadId) && this.toldNames.get(threadId) !== name)
					this.sendThread('started', threadId);
			}),
		);
	}

	/**
	 * The level at which an agent stands still is called something else. Of stacks that are not valid VS Code makes all stops anew, and takes the
	 * focus to the last of them; a stop that it hears of again, and that is not to take the focus, has its frames read anew and nothing else.
	 * @returns Whether it was told.
	 */
	private tellTitle(agent: AgentKey | null): boolean {
		const stop = agent === null ? undefined : this.stops.get(agent);
		if (stop === undefined) return false;
		const event = this.stoppedEvent({ ...stop, breakpointIds: [] });
		event.body.preserveFocusHint = true;
		this.sendEvent(event);
		return true;
	}

	private sendThread(reason: 'started' | 'exited', threadId: number): void {
		this.sendEvent(new Event('thread', { reason, threadId }));
	}

	private sendStop(stop: Stop): void {
		const { agent, isEveryone } = stop;
		this.stack?.forget(isEveryone ? null : agent);
		if (isEveryone) this.stops.clear();
		this.stops.set(agent, stop);
		this.sendEvent(this.stoppedEvent(stop));
	}

	private stoppedEvent(stop: Stop): DebugProtocol.StoppedEvent {
		const { agent, kind, description, details, breakpointIds, isEveryone } = stop;
		const event: DebugProtocol.StoppedEvent = new StoppedEvent(stopReasons[kind], this.stack?.threadOf(agent) ?? 0);
		event.body = {
			...event.body,
			// It is shown as a label beside the agent's name, and those end without a full stop.
			description: description.replace(/\.$/, ''),
			...present({ text: details }),
			allThreadsStopped: isEveryone,
			...(breakpointIds.length === 0
				? {}
				: { hitBreakpointIds: breakpointIds.map((id) => this.book.numberOf(id)) }),
		};
		return event;
	}

	private sendOutput({ kind, text, place }: Output): void {
		const event: DebugProtocol.OutputEvent = new OutputEvent(
			text.endsWith('\n') ? text : `${text}\n`,
			categories[kind],
		);
		if (place !== undefined && this.stack !== undefined) Object.assign(event.body, this.stack.placeFields(place));
		this.sendEvent(event);
	}

	private targetClient(controller: AbortController): TargetClient {
		const { supportsRunInTerminalRequest, supportsProgressReporting } = this.clientFacts;
		return {
			runInTerminal: supportsRunInTerminalRequest === true ? (command) => this.inTerminal(command) : undefined,
			progress: (title) => {
				if (supportsProgressReporting !== true) return { dispose() {} };
				const progressId = `progress-${this.nextProgress++}`;
				this.running.set(progressId, controller);
				this.sendEvent(new Event('progressStart', { progressId, title, cancellable: true }));
				return {
					dispose: () => {
						if (!this.running.delete(progressId)) return;
						this.sendEvent(new Event('progressEnd', { progressId }));
					},
				};
			},
		};
	}

	private inTerminal({
		title,
		cwd,
		args,
		env,
		isIntegrated,
	}: TerminalCommand): Promise<{ processId: number | undefined }> {
		return new Promise((resolve, reject) => {
			this.runInTerminalRequest(
				{ kind: isIntegrated ? 'integrated' : 'external', title, cwd, args: [...args], env: { ...env } },
				terminalTimeout,
				({ success, message, body }) => {
					if (!success)
						reject(
							new ExpectedError(
								`The terminal could not be opened: ${message ?? 'the client does not say why'}.`,
							),
						);
					else resolve({ processId: body?.processId });
				},
			);
		});
	}
}

const stopReasons = {
	entry: 'entry',
	step: 'step',
	pause: 'pause',
	line: 'breakpoint',
	tool: 'function breakpoint',
	data: 'data breakpoint',
	rule: 'exception',
	error: 'exception',
} as const satisfies Record<Stop['kind'], string>;

/** What a client is to ask for again. */
const areas = {
	values: ['variables'],
	title: ['stacks', 'variables'],
	stack: ['all'],
} as const satisfies Record<ChangedValues['change'], readonly DebugProtocol.InvalidatedAreas[]>;

const categories = {
	'log-point': 'console',
	note: 'console',
	important: 'important',
	program: 'stdout',
} as const satisfies Record<Output['kind'], string>;

/** Their answers are shown where they were asked for. */
const quiet: ReadonlySet<string> = new Set([
	'evaluate',
	'completions',
	'variables',
	'scopes',
	'stackTrace',
	'source',
	'exceptionInfo',
	'threads',
]);
