// The MCP project's own conformance suite, once directly and once through the host: what a server or a client can do must not be less for it.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { commandOf, root } from '../../tools/process.ts';
import { builtCommandLine } from '../e2e/crosstalk.ts';
import { output, scratch, startHost, startHttpServer } from './gateways.ts';

const revisions = ['2025-11-25', '2026-07-28'] as const;
type Revision = (typeof revisions)[number];

interface Outcome {
	/** Scenarios without a failed check. */
	readonly passed: readonly string[];
	readonly failed: readonly string[];
	/** Of each check of each scenario, how often it was passed. */
	readonly checks: Readonly<Record<string, number>>;
	/** What to look at when something has failed. */
	readonly report: string;
}

const suite = commandOf('@modelcontextprotocol/conformance', 'conformance');
const server = join(root, 'test', 'mcp', 'servers', 'conformanceServer.ts');
const client = join(root, 'test', 'mcp', 'conformanceClient.ts');

/**
 * How a server's streams are to be taken up again, where it answers with streams. The host answers a call with one JSON object, unless
 * something comes before the answer, and a stream that its agent closes ends the call: the suite says that these do not apply.
 */
const ofStreamsThatAreTakenUpAgain = new Set([
	'server-sse-streams-functional',
	'server-sse-priming-event',
	'server-sse-retry-field',
	'server-sse-disconnect-resume',
]);

/** Extensions that neither our server nor the suite's own implements; the suite does not score them either. */
const isOfAnExtension = (scenario: string): boolean => scenario.startsWith('tasks-');

describe('the conformance suite', function () {
	this.timeout(600_000);
	let folder: Awaited<ReturnType<typeof scratch>>;

	before(async () => {
		folder = await scratch();
		await builtCommandLine();
	});

	after(() => folder.remove());

	describe('finds as much in a server behind the host as in the server itself', () => {
		const direct = new Map<Revision, Outcome>();

		before(async () => {
			const running = await startHttpServer(server, '--http');
			try {
				for (const revision of revisions) direct.set(revision, await judge(running.url, revision));
			} finally {
				await running.stop();
			}
		});

		for (const revision of revisions) {
			it(`the server itself passes all of ${revision}`, () => {
				const { passed, failed, report } = direct.get(revision)!;
				assert.deepEqual(failed, [], report);
				// Otherwise nothing has been judged.
				assert.ok(passed.length > 30, `${passed.length} scenarios`);
			});

			it(`on one shared stdio process (${revision})`, async () => {
				const host = await startHost({
					conformance: { command: process.execPath, args: [server], sharing: 'shared' },
				});
				try {
					const through = await judge(host.addressOf('conformance'), revision);
					const { connections } = await host.server('conformance');
					compare(through, direct.get(revision)!);
					assert.equal(connections.length, 1, 'it was shared');
				} finally {
					await host.stop();
				}
			});

			it(`over HTTP (${revision})`, async () => {
				const running = await startHttpServer(server, '--http');
				const host = await startHost({ conformance: { type: 'http', url: running.url } });
				try {
					compare(await judge(host.addressOf('conformance'), revision), direct.get(revision)!);
				} finally {
					await host.stop();
					await running.stop();
				}
			});
		}
	});

	describe('finds as much in a client behind the host as in the client itself', () => {
		for (const revision of revisions) {
			it(`of ${revision}`, async () => {
				const scenarios = await clientScenarios(revision);
				assert.ok(scenarios.length >= 4, scenarios.join());
				const direct = await judgeClient(scenarios, revision, []);
				assert.deepEqual(direct.failed, [], direct.report);
				compare(await judgeClient(scenarios, revision, ['--host']), direct);
			});
		}
	});

	function compare(through: Outcome, direct: Outcome): void {
		assert.deepEqual(
			direct.passed.filter((scenario) => !through.passed.includes(scenario)),
			[],
			through.report,
		);
		assert.deepEqual(through.checks, direct.checks);
	}

	async function judge(url: string, revision: Revision): Promise<Outcome> {
		const results = join(folder.path, `server-${Math.random().toString(36).slice(2)}`);
		const { stdout, stderr } = await output(process.execPath, [
			...[suite, 'server', '--url', url, '--requirements', revision, '--timeout', '10000', '-o', results],
		]);
		return outcomeIn(results, stdout + stderr);
	}

	async function judgeClient(scenarios: readonly string[], revision: Revision, flags: string[]): Promise<Outcome> {
		const results = join(folder.path, `client-${Math.random().toString(36).slice(2)}`);
		let said = '';
		const waiting = [...scenarios];
		// Two at a time: each has a server, a host and a client of its own.
		await Promise.all(
			[1, 2].map(async () => {
				for (let scenario = waiting.shift(); scenario !== undefined; scenario = waiting.shift()) {
					const command = [process.execPath, client, ...flags].join(' ');
					const { stdout, stderr } = await output(process.execPath, [
						...[suite, 'client', '--command', command, '--scenario', scenario],
						...['--spec-version', revision, '--timeout', '30000', '-o', join(results, scenario)],
					]);
					said += stdout + stderr;
				}
			}),
		);
		return outcomeIn(results, said);
	}
});

async function clientScenarios(revision: Revision): Promise<readonly string[]> {
	const { stdout } = await output(process.execPath, [suite, 'list', '--requirements', revision]);
	const clients = stdout.slice(stdout.indexOf('Client scenarios'));
	const scored = [...clients.matchAll(/^ {2}- (\S+)$/gm)].map(([, name]) => name!);
	const others = [...clients.matchAll(/^ {4}- (\S+) \[client\]$/gm)].map(([, name]) => name!);
	// To log in at a server is between the agent and the server: their scenarios bind the token to the server's own address, as they have to.
	return [...scored, ...others].filter((name) => !name.startsWith('auth/'));
}

async function outcomeIn(results: string, said: string): Promise<Outcome> {
	const passed: string[] = [];
	const failed: string[] = [];
	const checks: Record<string, number> = {};
	let report = '';
	for (const path of (await readdir(results, { recursive: true })).filter((file) => file.endsWith('checks.json'))) {
		const scenario = /(?:^|[/\\])(?:server-)?([^/\\]+)-\d{4}-\d\d-\d\dT[^/\\]+[/\\]checks\.json$/.exec(path)?.[1];
		if (scenario === undefined) throw new Error(`Of which scenario is ${path}?`);
		if (isOfAnExtension(scenario)) continue;
		// Written by the suite.
		const all = JSON.parse(await readFile(join(results, path), 'utf8')) as readonly {
			readonly id: string;
			readonly status: string;
			readonly errorMessage?: string;
		}[];
		const wrong = all.filter(({ status }) => status === 'FAILURE' || status === 'WARNING');
		for (const { id, status, errorMessage } of wrong) report += `${scenario}: ${id}: ${status} ${errorMessage}\n`;
		(wrong.some(({ status }) => status === 'FAILURE') ? failed : passed).push(scenario);
		for (const { id, status } of all) {
			if (status !== 'SUCCESS' || ofStreamsThatAreTakenUpAgain.has(id)) continue;
			const name = `${scenario}: ${id}`;
			checks[name] = (checks[name] ?? 0) + 1;
		}
	}
	return { passed: passed.sort(), failed: failed.sort(), checks, report: report === '' ? said : report };
}
