// VS Code's own MCP client in a window of its own, with the extension as it is shipped: it finds the host's servers by itself.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { build } from 'esbuild';
import { root } from '../../tools/process.ts';
import { findVscodeHost } from '../../tools/vscodeHost.ts';

export interface VscodeCall {
	/** Of the host. */
	readonly dataDirectory: string;
	readonly server: string;
	readonly tool: string;
	readonly input: Record<string, unknown>;
}

export interface VscodeClient {
	/** The text of the tool's answer. */
	readonly answered: Promise<string>;
	close(): Promise<void>;
}

/** Opens a window, which makes this call as soon as it has found the host. */
export async function startVscodeClient(folder: string, call: VscodeCall): Promise<VscodeClient> {
	const entry = join(folder, 'vscodeEntry.cjs');
	await build({
		entryPoints: [join(import.meta.dirname, 'vscodeEntry.ts')],
		outfile: entry,
		bundle: true,
		platform: 'node',
		format: 'cjs',
		external: ['vscode'],
		logLevel: 'warning',
	});
	const { promise: answered, resolve: answer, reject: fail } = Promise.withResolvers<string>();
	// Whoever waits for the answer is told; while nobody does, nothing has gone wrong yet.
	answered.catch(() => undefined);
	const listener = createServer((request, response) => {
		let body = '';
		request.setEncoding('utf8').on('data', (text: string) => (body += text));
		request.on('end', () => {
			response.end();
			if (request.url === '/answer') answer(body);
			else fail(new Error(`VS Code failed to call the tool: ${body}`));
		});
	});
	await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
	// A TCP server has an address of this kind.
	const { port } = listener.address() as AddressInfo;
	const workspace = join(folder, 'workspace');
	await mkdir(workspace);
	const host = await findVscodeHost({ kind: 'any' });
	const window = await host.open({
		extension: root,
		tests: entry,
		folder: workspace,
		profile: join(folder, 'profile'),
		settings: {},
		environment: {
			HOME: join(folder, 'home'),
			CROSSTALK_E2E_ADDRESS: `http://127.0.0.1:${port}`,
			CROSSTALK_E2E_CALL: JSON.stringify(call),
		},
	});
	void window.ended.then(() => fail(new Error(`VS Code has ended without an answer:\n${window.log()}`)));
	return {
		answered,
		async close() {
			await window.close();
			listener.close();
		},
	};
}
