// npm start [-- --server] [-- --port N]
// Builds the extension and opens VS Code with it on recorded sessions: the desktop's VS Code, else one in the browser.

import { createServer } from 'node:http';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { copyRecordedHome } from './agentHome.ts';
import { desktopExecutable, launchDesktop } from './desktopHost.ts';
import { root, runNode } from './process.ts';
import { startVscodeServer, workbenchAddress } from './serverHost.ts';
import { endingWithOneLine } from './toolCache.ts';
import type { OpenOptions } from './vscodeWindow.ts';

const { values: flags } = parseArgs({ options: { server: { type: 'boolean' }, port: { type: 'string' } } });

await endingWithOneLine(main);

async function main(): Promise<void> {
	const build = await runNode(['esbuild.js']);
	if (build.code !== 0) {
		console.log(build.output);
		process.exitCode = 1;
		return;
	}
	const stage = await mkdtemp(join(tmpdir(), 'crosstalk-start-'));
	const home = await copyRecordedHome(stage);
	const profile = join(stage, 'profile');
	// In the folder of installed extensions: a window in the browser takes only one that is in development.
	await cp(join(root, 'tools', 'openView'), join(profile, 'extensions', 'openView'), { recursive: true });
	const options: OpenOptions = {
		extension: root,
		folder: home.path,
		profile,
		settings: {},
		environment: home.environment,
	};
	const { promise: interrupted, resolve: interrupt } = Promise.withResolvers<void>();
	process.once('SIGINT', () => interrupt());
	process.once('SIGTERM', () => interrupt());
	try {
		const executable = flags.server ? undefined : await desktopExecutable();
		if (executable === undefined) await serve(options, interrupted);
		else await open(executable, options, interrupted);
	} finally {
		await rm(stage, { recursive: true, force: true, maxRetries: 5 });
	}
}

async function open(executable: string, options: OpenOptions, interrupted: Promise<void>): Promise<void> {
	const window = await launchDesktop(executable, options, ['--wait']);
	console.log(`Opened ${executable} on the recorded sessions. Close its window or press Ctrl-C to end.`);
	await Promise.race([window.ended, interrupted]);
	await window.close();
}

async function serve(options: OpenOptions, interrupted: Promise<void>): Promise<void> {
	const server = await startVscodeServer({ ...options, age: 'current', port: 0, isDriven: true });
	// The workbench's own address names the extension, the folder and more; this one can be typed.
	const redirect = createServer((_request, response) => {
		response.writeHead(302, { location: workbenchAddress(server.port, options) }).end();
	});
	await new Promise<void>((resolve, reject) => {
		redirect.once('error', reject);
		redirect.listen(Number(flags.port ?? 0), '127.0.0.1', resolve);
	});
	const address = redirect.address();
	if (address === null || typeof address === 'string') throw new Error('There is no port to listen on.');
	console.log('No desktop VS Code here, so VS Code runs in the browser. Open');
	console.log(`\n    http://127.0.0.1:${address.port}/\n`);
	console.log('and look at the Crosstalk view. Press Ctrl-C to end.');
	let isInterrupted = false;
	void interrupted.then(() => (isInterrupted = true));
	await Promise.race([server.ended, interrupted]);
	if (!isInterrupted) {
		console.log(`VS Code's server has ended by itself:\n${server.log()}`);
		process.exitCode = 1;
	}
	redirect.closeAllConnections();
	redirect.close();
	await server.close();
}
