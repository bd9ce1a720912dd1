// A client of the real `crosstalk debug`, which writes down what is said on both sides, in the order of the wire.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DebugClient } from '@vscode/debugadapter-testsupport';
import type { DebugProtocol } from '@vscode/debugprotocol';

const bin = fileURLToPath(new URL('../../src/cli/bin.ts', import.meta.url));
const root = fileURLToPath(new URL('../../', import.meta.url));

export class AdapterClient extends DebugClient {
	readonly exchange: string[] = [];
	readonly process: ChildProcess;
	private readonly home: string;
	private readonly stderrTexts: string[] = [];
	private rest = Buffer.alloc(0);

	constructor(args: readonly string[] = []) {
		super(process.execPath, bin, 'crosstalk');
		this.home = mkdtempSync(join(tmpdir(), 'crosstalk-debug-'));
		const environment = { ...process.env, HOME: this.home, USERPROFILE: this.home };
		const child = spawn(process.execPath, [bin, 'debug', ...args], {
			stdio: ['pipe', 'pipe', 'pipe'],
			env: environment,
			cwd: this.home,
		});
		this.process = child;
		child.stderr.on('data', (data: Buffer) => this.stderrTexts.push(data.toString()));
		// What is written to one that has ended is of no interest.
		child.stdin.on('error', () => undefined);
		child.stdout.on('data', (data: Buffer) => this.note(data));
		this.connect(child.stdout, child.stdin);
		this.defaultTimeout = 60_000;
	}

	get stderr(): string {
		return this.stderrTexts.join('');
	}

	/** Sends a request as it stands, and gives the body of the answer; a refusal is its sentence. */
	async ask(command: string, args: object = {}): Promise<unknown> {
		this.exchange.push(`→ ${command}${Object.keys(args).length === 0 ? '' : ` ${JSON.stringify(args)}`}`);
		try {
			return ((await this.customRequest(command, args)) as { readonly body?: unknown }).body; // compared, not trusted
		} catch (error) {
			return (error as Error).message; // the client throws nothing else
		}
	}

	/** The next stop, after what `act` asks for. */
	async stopAfter(command: string, args: object = {}): Promise<DebugProtocol.StoppedEvent['body']> {
		const [stopped] = await Promise.all([this.waitForEvent('stopped', 60_000), this.ask(command, args)]);
		return (stopped as DebugProtocol.StoppedEvent).body; // the name says which it is
	}

	/** Opens a session and sets what is to stop it; `launch` gives the configuration beside its type. */
	async open(
		launch: object,
		{
			before,
			request = 'launch',
			initialize = {},
		}: { before?: () => Promise<unknown>; request?: string; initialize?: object } = {},
	): Promise<void> {
		await this.initialize(initialize);
		await Promise.all([this.waitForEvent('initialized', 60_000), this.ask(request, launch)]);
		await before?.();
	}

	async initialize(given: object = {}): Promise<DebugProtocol.Capabilities> {
		const facts = {
			adapterID: 'crosstalk',
			linesStartAt1: true,
			columnsStartAt1: true,
			pathFormat: 'path',
			...given,
		};
		// The rules have names of their own in it; what it says is looked at elsewhere.
		return (await this.initializeRequest(facts)).body ?? {};
	}

	async frames(threadId: number): Promise<DebugProtocol.StackFrame[]> {
		const body = await this.ask('stackTrace', { threadId });
		return (body as DebugProtocol.StackTraceResponse['body']).stackFrames; // as the protocol says
	}

	/** The scopes of a frame with the rows of each. */
	async look(frameId: number): Promise<void> {
		const { scopes } = (await this.ask('scopes', { frameId })) as DebugProtocol.ScopesResponse['body']; // as the protocol says
		for (const { variablesReference } of scopes) await this.ask('variables', { variablesReference });
	}

	/** Waits for the end of the process and says how it came. */
	async ended(): Promise<number | string> {
		if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, 'exit');
		return this.process.exitCode ?? this.process.signalCode ?? 'unknown';
	}

	async close(): Promise<void> {
		this.process.kill('SIGKILL');
		await this.ended();
		rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
	}

	/** Compares with what is in the file, or writes it: `UPDATE_GOLDENS=1 npx mocha test/debugAdapter`. */
	compareWithGolden(name: string): void {
		const path = `test/debugAdapter/goldens/${name}.txt`;
		const text = `${this.exchange.map((line) => this.normalised(line)).join('\n')}\n`;
		if (process.env['UPDATE_GOLDENS'] === '1') writeFileSync(path, text);
		assert.ok(existsSync(path), `There is no ${path}; UPDATE_GOLDENS=1 writes it.`);
		assert.equal(text, readFileSync(path, 'utf8'));
	}

	private normalised(line: string): string {
		// In JSON a path of Windows has its separators twice.
		const written = JSON.stringify(root)
			.slice(1, -1)
			.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
		return line
			.replaceAll(new RegExp(`${written}([^"]*)`, 'g'), (_, path: string) => path.replaceAll('\\\\', '/'))
			.replaceAll(root, '')
			.replaceAll(this.home, '<home>');
	}

	private note(data: Buffer): void {
		this.rest = Buffer.concat([this.rest, data]);
		for (;;) {
			const end = this.rest.indexOf('\r\n\r\n');
			if (end === -1) return;
			const header = this.rest.toString('latin1', 0, end);
			// Nothing but the protocol may be on this stream.
			assert.match(header, /^Content-Length: \d+$/);
			const length = Number(header.slice('Content-Length: '.length));
			if (this.rest.length < end + 4 + length) return;
			const message = JSON.parse(
				this.rest.toString('utf8', end + 4, end + 4 + length),
			) as DebugProtocol.ProtocolMessage;
			this.rest = this.rest.subarray(end + 4 + length);
			this.exchange.push(...told(message));
		}
	}
}

function told(message: DebugProtocol.ProtocolMessage): readonly string[] {
	if (message.type === 'event') {
		const { event, body } = message as { event: string; body?: unknown } & DebugProtocol.ProtocolMessage; // the type says so
		return [`  ! ${event}${jsonOf(body)}`];
	}
	if (message.type !== 'response') return [`  ? ${JSON.stringify(message)}`];
	const {
		command,
		success,
		message: refusal,
		body,
	} = message as Omit<DebugProtocol.Response, 'body'> & { body?: unknown }; // the type says so
	if (command === 'initialize') return [];
	return [success ? `  ← ${command}${jsonOf(body)}` : `  ✗ ${command}: ${refusal ?? ''}`];
}

function jsonOf(body: unknown): string {
	return body === undefined ? '' : ` ${JSON.stringify(body)}`;
}
