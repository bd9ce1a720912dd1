// A real Claude Code with four subagents under the debugger, in VS Code's own debug views.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { join } from 'node:path';
import {
	ConfigurationTarget,
	DebugStackFrame,
	FunctionBreakpoint,
	commands,
	debug,
	extensions,
	window,
	workspace,
} from 'vscode';
import type { DebugConfiguration, DebugSession, Disposable } from 'vscode';
import { appears, ask, eventually, labels, press, pull, screenshot, type } from '../runner.ts';
import { workers } from '../scene/scene.ts';
import type { SceneProcess } from '../scene/sceneProcess.ts';
import { startScene } from '../scene/sceneProcess.ts';
import { dataDirectory } from '../scriptedHost.ts';
import { api, endHost } from '../tested.ts';

const configure = (name: string, value: unknown) =>
	workspace.getConfiguration('crosstalk').update(name, value, ConfigurationTarget.Global);

interface Message {
	readonly type: string;
	readonly event?: string;
	readonly body?: Readonly<Record<string, unknown>>;
	/** When it came. */
	readonly at: number;
}

interface Variable {
	readonly name: string;
	readonly value: string;
	readonly variablesReference: number;
}

interface Frame {
	readonly id: number;
	readonly name: string;
	readonly line: number;
	readonly source?: { readonly path?: string };
}

/** What the debugger has said to VS Code in one session. */
class Conversation {
	readonly messages: Message[] = [];
	session: DebugSession | undefined;

	/** Those that are new: one is told of again when what it shows has another name. */
	stops(): readonly Message[] {
		return this.messages.filter(({ event, body }) => event === 'stopped' && body?.['preserveFocusHint'] !== true);
	}

	async nextStop(count: number): Promise<Message> {
		const stops = await eventually(
			`Stop ${count}`,
			() => this.stops(),
			(found) => found.length >= count,
			{ timeoutMs: 120_000 },
		);
		const stop = stops[count - 1];
		assert.ok(stop);
		return stop;
	}

	async request<T>(command: string, args: object = {}): Promise<T> {
		assert.ok(this.session, 'there is no debug session');
		return (await this.session.customRequest(command, args)) as T; // as the protocol has it
	}

	async threads(): Promise<readonly { readonly id: number; readonly name: string }[]> {
		return (await this.request<{ threads: { id: number; name: string }[] }>('threads')).threads;
	}

	async frames(threadId: number): Promise<readonly Frame[]> {
		return (await this.request<{ stackFrames: Frame[] }>('stackTrace', { threadId })).stackFrames;
	}

	async scope(frameId: number, name: string): Promise<{ reference: number; variables: readonly Variable[] }> {
		const { scopes } = await this.request<{ scopes: Variable[] }>('scopes', { frameId });
		const reference = scopes.find((scope) => scope.name === name)?.variablesReference ?? 0;
		const { variables } = await this.request<{ variables: Variable[] }>('variables', {
			variablesReference: reference,
		});
		return { reference, variables };
	}
}

describe('an agent under the debugger', () => {
	const directory = dataDirectory();
	const disposables: Disposable[] = [];
	let scene: SceneProcess;
	let heard: Conversation;
	let children: ChildProcess[] = [];
	let servers: Server[] = [];

	before(async () => {
		await configure('host.dataDirectory', directory.path);
		await workspace.getConfiguration('debug').update('toolBarLocation', 'docked', ConfigurationTarget.Global);
		disposables.push(
			debug.registerDebugAdapterTrackerFactory('crosstalk', {
				createDebugAdapterTracker: (session) => {
					heard.session = session;
					const { messages } = heard;
					return {
						onDidSendMessage: (message: Message) => void messages.push({ ...message, at: Date.now() }),
						onWillReceiveMessage: (message: Message) => void messages.push({ ...message, at: Date.now() }),
					};
				},
			}),
		);
	});
	beforeEach(async function () {
		this.timeout(600_000);
		heard = new Conversation();
		scene = await startScene();
		mkdirSync(join(scene.scene.folder, 'project'));
	});
	afterEach(async function () {
		if (this.currentTest?.state === 'failed')
			for (const message of heard.messages) await ask('report', { line: JSON.stringify(message).slice(0, 300) });
		if (debug.activeDebugSession !== undefined) await debug.stopDebugging();
		debug.removeBreakpoints(debug.breakpoints);
		for (const child of children) child.kill('SIGKILL');
		for (const server of servers) server.close();
		children = [];
		servers = [];
		for (const terminal of window.terminals) terminal.dispose();
		await commands.executeCommand('workbench.action.closeAllEditors');
		await scene.close();
	});
	after(async () => {
		for (const disposable of disposables) disposable.dispose();
		await endHost();
		await configure('host.dataDirectory', undefined);
		directory.dispose();
		await commands.executeCommand('notifications.clearAll');
		await commands.executeCommand('workbench.action.closePanel');
	});

	function configuration(): DebugConfiguration {
		const { program, args, mcpConfig, environment, folder } = scene.scene;
		return {
			type: 'crosstalk',
			request: 'launch',
			name: 'Compare the tables',
			program,
			args,
			mcpConfig,
			env: environment,
			cwd: join(folder, 'project'),
		};
	}

	const state = () => scene.state();

	/** Prints how long a stop took to the screen. Where: selectors, each with a text that nothing there has yet. */
	const watchScreen = (places: Readonly<Record<string, readonly [selector: string, text: string]>>) => {
		const seen = Object.entries(places).map(([where, [selector, text]]) => {
			const at = appears(selector, text);
			// Whoever waits for it hears of its failure.
			at.catch(() => undefined);
			return { where, at };
		});
		return async (since: number) => {
			const times: string[] = [];
			for (const { where, at } of seen) times.push(`${where} ${(await at) - since} ms`);
			await ask('report', { line: `      stop → screen: ${times.join(', ')}` });
		};
	};
	const callStackRow = '.debug-call-stack .monaco-list-row';

	it('is stopped by a condition on one subagent while the three others go on; its edited argument reaches the server; a built-in tool stops too', async () => {
		debug.addBreakpoints([
			new FunctionBreakpoint('analytics/query', true, 'arguments.table == "payments"'),
			new FunctionBreakpoint(`${workers[2].name}:Bash`),
		]);
		await commands.executeCommand('workbench.view.debug');
		let selectedAt: number | undefined;
		disposables.push(
			debug.onDidChangeActiveStackItem((item) => {
				if (item instanceof DebugStackFrame) selectedAt ??= Date.now();
			}),
		);
		const reportStop = watchScreen({
			'status bar': ['.statusbar-item', 'held by a debugger'],
			'call stack': [callStackRow, 'Breakpoint'],
		});
		assert.ok(await debug.startDebugging(workspace.workspaceFolders?.[0], configuration()));

		const stop = await heard.nextStop(1);
		const threadId = Number(stop.body?.['threadId']);
		const [held] = (await (await api()).debug.load()).held;
		assert.ok(held);
		const shownAt = await eventually(
			'VS Code has selected the frame of the held call',
			() => selectedAt,
			(at) => at !== undefined,
		);
		await ask('report', {
			line: `      stop → event in VS Code: ${stop.at - held.call.heldSince} ms, → its frame is selected there: ${(shownAt ?? 0) - held.call.heldSince} ms`,
		});
		await reportStop(held.call.heldSince);
		assert.match(String(stop.body?.['description']), /analytics\/query/);

		const others = await eventually(
			'The three others have gone on and are done',
			state,
			({ answered }) => [1, 2, 4].every((worker) => answered.includes(`toolu_shell_${worker}`)),
			{ timeoutMs: 120_000 },
		);
		assert.deepEqual(others.calls.map(({ input }) => String(input['table'])).toSorted(), [
			'customers',
			'orders',
			'refunds',
		]);
		assert.ok(!others.answered.includes('toolu_query_3'));

		await eventually(
			'It has its name, and those that have ended are gone',
			() => heard.threads(),
			(threads) => threads.map(({ name }) => name).join(' ') === `main ${workers[2].name}`,
		);
		assert.equal((await heard.threads())[1]?.id, threadId);
		const frames = await eventually(
			'The held call is found in its transcript',
			() => heard.frames(threadId),
			(found) => found[0]?.source?.path?.endsWith('.jsonl') === true,
		);
		assert.deepEqual(
			frames.map(({ name }) => name),
			['query(table: "payments", page: 3, limit: 50)', `Agent(${workers[2].name})`, 'main'],
		);
		const [top] = frames;
		assert.ok(top);
		const { reference, variables } = await heard.scope(top.id, 'Arguments');
		assert.deepEqual(
			variables.map(({ name, value }) => `${name} ${value}`),
			['table "payments"', 'page 3', 'limit 50'],
		);
		await assert.rejects(
			heard.request('setVariable', { variablesReference: reference, name: 'page', value: '"three"' }),
			/page/,
		);
		await commands.executeCommand('workbench.view.debug');
		// Wide enough to read what stands in it.
		await pull('.part.sidebar', 220);
		await commands.executeCommand('workbench.action.closePanel');
		await eventually(
			'The arguments are shown',
			() => labels('.debug-variables .monaco-list-row'),
			(rows) => rows.some((row) => row.includes('page')),
		);
		await commands.executeCommand('workbench.action.debug.callStackTop');
		await eventually(
			'The frames are shown',
			() => labels(callStackRow),
			(rows) => rows.some((row) => row.includes('query(')),
		);
		const line = top.line - 1;
		// What an agent has been told to be is of no use to anybody who looks at the picture.
		await commands.executeCommand('revealLine', { lineNumber: line, at: 'top' });
		await screenshot('debug-stopped');
		let focusChanges = 0;
		disposables.push(debug.onDidChangeActiveStackItem(() => focusChanges++));
		await heard.request('setVariable', { variablesReference: reference, name: 'page', value: '7' });
		await eventually(
			'Its frame has the new name',
			() => labels(callStackRow),
			(rows) => rows.some((row) => row.includes('page: 7')),
			{ timeoutMs: 20_000 },
		);
		await eventually(
			'The new argument is shown',
			() => labels('.debug-variables .monaco-list-row'),
			(rows) => rows.some((row) => /page.*7/.test(row)),
			{ timeoutMs: 20_000 },
		);
		assert.equal(focusChanges, 0, 'an edit takes the focus to nothing else');
		await commands.executeCommand('crosstalk.inFlight.focus');
		await eventually(
			'The held call has a row that says why',
			() => labels('.monaco-list-row'),
			(rows) => rows.some((row) => /query .*has been held .*breakpoint/.test(row)),
		);
		await screenshot('debug-in-flight');
		await commands.executeCommand('workbench.view.debug');

		const reportStep = watchScreen({ 'call stack': [callStackRow, 'A step'] });
		await commands.executeCommand('workbench.action.debug.stepOver');
		await heard.nextStop(2);
		const [step] = (await (await api()).debug.load()).held;
		assert.ok(step);
		await reportStep(step.call.heldSince);
		const edited = (await state()).calls.find(({ input }) => input['table'] === 'payments');
		assert.deepEqual(edited?.input, { table: 'payments', page: 7, limit: 50 });
		await commands.executeCommand('workbench.action.debug.continue');
		const shell = await eventually(
			'The shell is stopped too',
			() => heard.stops().at(-1),
			(last) => /Bash/.test(String(last?.body?.['description'])),
		);
		assert.ok(shell);
		const bash = await heard.frames(threadId);
		assert.match(bash[0]?.name ?? '', /^Bash\(/);
		assert.ok(!(await state()).shell.includes(workers[2].name));
		await screenshot('debug-bash');
		await pull('.part.sidebar', -220);

		// From the view of calls in flight, for those who look there.
		const { parts } = (await api()).debug;
		const row = { server: '', callId: parts?.held[0]?.call.stopId };
		void commands.executeCommand('crosstalk.editArguments', row);
		await eventually(
			'The arguments can be typed over',
			() => labels('.quick-input-widget :focus'),
			(focused) => focused.length > 0,
		);
		const command = `echo ${workers[2].name} >> ${scene.scene.shellLog}; echo edited >> ${scene.scene.shellLog}`;
		await press('Control+A');
		await type(JSON.stringify({ command, description: 'Note the result' }));
		await press('Enter');
		await eventually(
			'They are what was typed',
			() => JSON.stringify(parts?.held[0]?.value ?? null),
			(value) => value.includes('echo edited'),
		);
		await commands.executeCommand('crosstalk.continueCall', row);

		await eventually(
			'The agent has ended',
			() => heard.messages.filter(({ event }) => event === 'terminated' || event === 'exited').length,
			(count) => count === 2,
			{ timeoutMs: 120_000 },
		);
		const exited = heard.messages.find(({ event }) => event === 'exited');
		assert.equal(exited?.body?.['exitCode'], 0);
		const end = await state();
		assert.deepEqual(end.failures, []);
		assert.deepEqual(
			end.shell.trimEnd().split('\n').toSorted(),
			[...workers.map(({ name }) => name), 'edited'].toSorted(),
		);
	}).timeout(600_000);

	it('finishes all the same when the debugger is killed while a call is held', async () => {
		const folder = extensions.getExtension('crosstalk.crosstalk')?.extensionPath ?? '';
		const adapter = spawn(process.execPath, [join(folder, 'dist', 'cli.js'), 'debug'], {
			env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
			stdio: ['pipe', 'pipe', 'inherit'],
		});
		children.push(adapter);
		const server = createServer((socket) => {
			socket.on('error', () => socket.destroy());
			// What VS Code says to one that has been killed comes to nobody.
			adapter.stdin.on('error', () => socket.destroy());
			socket.pipe(adapter.stdin);
			adapter.stdout.pipe(socket);
			adapter.once('close', () => socket.destroy());
		});
		servers.push(server);
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		const address = server.address();
		assert.ok(typeof address === 'object' && address !== null);
		// As from the row of a call; that nobody debugs yet is said, and stands there until it is dismissed.
		void commands.executeCommand('crosstalk.breakOnTool', {
			kind: 'call',
			call: { name: 'Bash', server: undefined, hostCalls: [] },
		});
		await eventually(
			'The breakpoint is there',
			() => debug.breakpoints.map((each) => (each instanceof FunctionBreakpoint ? each.functionName : '')),
			(names) => names.join() === 'Bash',
		);
		const started = debug.startDebugging(workspace.workspaceFolders?.[0], {
			...configuration(),
			data: directory.path,
			debugServer: address.port,
		});
		await heard.nextStop(1);
		assert.ok(await started);
		const before = await state();
		assert.equal(before.shell, '');
		adapter.kill('SIGKILL');
		const end = await eventually(
			'All four have finished',
			state,
			({ answered }) => [1, 2, 3, 4].every((worker) => answered.includes(`toolu_shell_${worker}`)),
			{ timeoutMs: 120_000 },
		);
		assert.deepEqual(end.failures, []);
		assert.deepEqual(end.shell.trimEnd().split('\n').toSorted(), workers.map(({ name }) => name).toSorted());
		await eventually(
			'Nothing is debugged any more',
			() => debug.activeDebugSession,
			(session) => session === undefined,
		);
	}).timeout(600_000);
});
