import { EventEmitter, McpHttpServerDefinition, Uri } from 'vscode';
import type { Disposable } from 'vscode';
import { ExpectedError } from '../core/base/errors.ts';
import { DisposableStore } from '../core/base/lifecycle.ts';
import type { HostAddress } from '../core/host/control.ts';
import type { HostStatus } from '../core/host/status.ts';
import type { HostConnection } from './hostConnection.ts';
import { byName } from './hostWords.ts';
import { windowSession } from './thisWindow.ts';

const ofThisWindow = { 'X-Crosstalk-Session': windowSession };

/** A host tells what it knows as soon as it is watched. */
const statusWaitMs = 5000;

/** The host's servers for VS Code's own agents. */
export class McpServers implements Disposable {
	private readonly changed = new EventEmitter<void>();
	/** Other servers than before, or other definitions. */
	readonly onDidChange = this.changed.event;
	private readonly connection: HostConnection;
	private readonly disposables = new DisposableStore();
	/** A host that has ended for lack of work is started again when one of its servers is; until then this is what it knew. */
	private known: readonly McpHttpServerDefinition[] | undefined;
	private knownWords = '';

	constructor(connection: HostConnection) {
		this.connection = connection;
		this.disposables.add(this.changed);
		this.disposables.add(connection.onDidChange(() => this.take() && this.changed.fire()));
		this.take();
	}

	async provide(): Promise<McpHttpServerDefinition[]> {
		await this.connection.look();
		if (this.connection.status === undefined && this.known === undefined) await this.whenStarted();
		this.take();
		return [...(this.known ?? [])];
	}

	/** Called when a server is about to be used: the host must run by then. Rejects with a sentence. */
	async resolve(definition: McpHttpServerDefinition): Promise<McpHttpServerDefinition> {
		const { address, status } = await this.whenStarted();
		const server = status.servers.find(({ name }) => name === definition.label);
		if (server === undefined) {
			throw new ExpectedError(
				`The host no longer knows a server named ${definition.label}. Whoever brought it has to bring it again.`,
			);
		}
		definition.uri = serverUri(address, server.name);
		return definition;
	}

	dispose(): void {
		this.disposables.dispose();
	}

	private async whenStarted(): Promise<{ readonly address: HostAddress; readonly status: HostStatus }> {
		const { address } = await this.connection.start();
		const { connection } = this;
		if (connection.status !== undefined) return { address, status: connection.status };
		return new Promise((resolve, reject) => {
			const finish = (end: () => void) => {
				clearTimeout(timer);
				listening.dispose();
				end();
			};
			const timer = setTimeout(
				() => finish(() => reject(new ExpectedError('The host was started, and has not said what it knows.'))),
				statusWaitMs,
			);
			const listening = connection.onDidChange(() => {
				const { status } = connection;
				if (status !== undefined) finish(() => resolve({ address, status }));
			});
		});
	}

	/** Whether anything is different. */
	private take(): boolean {
		const { status, address } = this.connection;
		if (status === undefined || address === undefined) return false;
		const definitions = definitionsOf(status, address);
		const words = definitions.map(({ label, uri, version }) => `${label} ${uri.toString()} ${version}`).join('\n');
		if (words === this.knownWords && this.known !== undefined) return false;
		this.known = definitions;
		this.knownWords = words;
		return true;
	}
}

function definitionsOf({ servers }: HostStatus, address: HostAddress): readonly McpHttpServerDefinition[] {
	return [...servers]
		.sort(byName)
		.map(
			({ name, definition }) =>
				new McpHttpServerDefinition(name, serverUri(address, name), ofThisWindow, definition ?? '1'),
		);
}

function serverUri({ url, token }: HostAddress, server: string): Uri {
	return Uri.parse(serverAddress(url, token, server), true);
}

/** Where an agent reaches the server. Whoever has it can call the server. */
export function serverAddress(url: string, token: string, server: string): string {
	return `${url}/${token}/mcp/${encodeURIComponent(server)}`;
}
