import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostAddress } from '../../../../src/core/host/control.ts';
import { connectionOver } from '../../../../src/platform/node/host/controlConnection.ts';
import { prepareDataDirectory, writeAddress } from '../../../../src/platform/node/host/dataDirectory.ts';
import { debugLinks } from '../../../../src/platform/node/host/debugLink.ts';
import { controlSocketPath } from '../../../../src/platform/node/host/localSocket.ts';

describe("a debugger's way to a host", () => {
	let folder: string;
	let server: Server;
	const sockets: Socket[] = [];

	/** A host that answers these requests, and knows no others. */
	async function listen(answers: (address: HostAddress) => Readonly<Record<string, () => unknown>>): Promise<void> {
		folder = await prepareDataDirectory(await mkdtemp(join(tmpdir(), 'xtalk-link-')));
		const path = await controlSocketPath(folder);
		const address: HostAddress = {
			url: 'http://127.0.0.1:9',
			token: 'none',
			controlSocket: path,
			pid: process.pid,
			generation: 1,
			dataDir: folder,
		};
		server = createServer((socket) => {
			sockets.push(socket);
			const connection = connectionOver(socket, { longestMessage: 1_000_000, onBroken: () => undefined });
			for (const [name, answer] of Object.entries(answers(address))) connection.onRequest(name, answer);
			connection.listen();
		});
		await new Promise<void>((resolve) => server.listen(path, resolve));
		await writeAddress(folder, address);
	}

	afterEach(async () => {
		for (const socket of sockets.splice(0)) socket.destroy();
		await new Promise((resolve) => server.close(resolve));
		await rm(folder, { recursive: true, force: true });
	});

	const links = () =>
		debugLinks({
			client: 'test',
			directory: () => folder,
			program: { command: process.execPath, args: [], environment: {} },
			onError: (error) => {
				throw error;
			},
		});

	it('says that a host is too old to stop calls', async () => {
		await listen((address) => ({ 'host/attach': () => address }));
		const link = await links().attach(undefined);
		assert.ok(link);
		try {
			await assert.rejects(link.request('debug/attach', { client: 'test', sessions: null }), {
				name: 'ExpectedError',
				message: /older than this debugger/,
			});
		} finally {
			link.dispose();
		}
	});

	it('hears when the host has ended', async () => {
		await listen((address) => ({ 'host/attach': () => address }));
		const link = await links().attach(undefined);
		assert.ok(link);
		const closed = new Promise<void>((resolve) => link.onDidClose(resolve));
		for (const socket of sockets) socket.destroy();
		await closed;
		link.dispose();
	});
});
