// npm run test:vscode [-- --grep PATTERN] [--server | --old]
// Builds the extension and its suites, runs them inside a real VS Code and prints what they report.

import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Frame, Locator, Page } from 'playwright-core';
import { copyRecordedHome } from '../../tools/agentHome.ts';
import { root, runNode } from '../../tools/process.ts';
import { endingWithOneLine } from '../../tools/toolCache.ts';
import { findVscodeHost } from '../../tools/vscodeHost.ts';
import type { VscodeWindow } from '../../tools/vscodeWindow.ts';
import type { RunnerAnswers, RunnerRequests, Target } from './protocol.ts';
import { runnerAddressVariable } from './protocol.ts';

const { values: flags } = parseArgs({
	options: { grep: { type: 'string' }, server: { type: 'boolean' }, old: { type: 'boolean' } },
});

const timeoutMs = 25 * 60_000;
/** How long something may take to appear and to stand still. */
const patienceMs = 60_000;
const outputDirectory = join(root, 'out', 'screenshots');

/** Of the window under test, beside those that keep it quiet. */
const settings = { 'workbench.colorTheme': 'Default Dark Modern', 'editor.minimap.enabled': false };

await endingWithOneLine(async () => {
	process.exitCode = (await main()) ? 0 : 1;
});

async function main(): Promise<boolean> {
	const build = await runNode(['esbuild.js', '--tests']);
	if (build.code !== 0) {
		console.log(build.output);
		return false;
	}
	const host = await findVscodeHost({ kind: flags.old ? 'oldServer' : flags.server ? 'server' : 'any' });
	console.log(`Running in ${host.description}`);

	// Everything that the run reads or writes is a copy, made new for every run.
	const stage = await mkdtemp(join(tmpdir(), 'crosstalk-vscode-'));
	const { promise: opened, resolve: open } = Promise.withResolvers<VscodeWindow>();
	const runner = await startRunner(opened);
	try {
		const home = await copyRecordedHome(stage);
		const folder = join(stage, 'workspace');
		await cp(join(root, 'test', 'vscode', 'workspace'), folder, { recursive: true });
		const window = await host.open({
			extension: root,
			tests: join(root, 'out', 'vscode', 'index.cjs'),
			folder,
			profile: join(stage, 'profile'),
			settings,
			environment: {
				...home.environment,
				CROSSTALK_TEST_HOME: home.path,
				[runnerAddressVariable]: runner.address,
				...(flags.grep === undefined ? {} : { CROSSTALK_TEST_GREP: flags.grep }),
			},
		});
		// Pictures, too, take their time on a slow machine.
		window.page.setDefaultTimeout(2 * patienceMs);
		open(window);
		try {
			await Promise.race([window.ended, runner.finished, delay(timeoutMs, undefined, { ref: false })]);
			const counts = runner.counts();
			if (counts === undefined) {
				await window.page.screenshot({ path: join(outputDirectory, 'no-counts.png') }).catch(() => undefined);
				console.log(`The suites in VS Code did not finish. What VS Code wrote last:\n${window.log()}`);
				return false;
			}
			console.log(`${counts.passed} passed, ${counts.failed} failed`);
			return counts.failed === 0 && counts.passed > 0;
		} finally {
			await window.close();
		}
	} finally {
		runner.close();
		await rm(stage, { recursive: true, force: true, maxRetries: 5 });
	}
}

interface Runner {
	readonly address: string;
	readonly finished: Promise<void>;
	counts(): RunnerRequests['finish'] | undefined;
	close(): void;
}

type Handlers = {
	readonly [Name in keyof RunnerRequests]: (request: RunnerRequests[Name]) => Promise<RunnerAnswers[Name]>;
};

async function startRunner(opened: Promise<VscodeWindow>): Promise<Runner> {
	let counts: RunnerRequests['finish'] | undefined;
	const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
	const page = async (): Promise<Page> => (await opened).page;
	const handlers: Handlers = {
		async report({ line }) {
			console.log(line);
			return null;
		},
		async finish(result) {
			counts = result;
			finish();
			return null;
		},
		async screenshot({ name }) {
			const path = join(outputDirectory, `${name}.png`);
			await mkdir(dirname(path), { recursive: true });
			await (await page()).screenshot({ path });
			return { path };
		},
		async press({ keys }) {
			await (await page()).keyboard.press(keys);
			return null;
		},
		async type({ text }) {
			await (await page()).keyboard.type(text);
			return null;
		},
		async click({ selector, button = 'left', count = 1, withinMs }) {
			await (
				await visible(await page(), { selector }, withinMs)
			).click({ button, clickCount: count, timeout: patienceMs });
			return null;
		},
		async hover({ selector }) {
			await (await visible(await page(), { selector })).hover({ timeout: patienceMs });
			return null;
		},
		async pull({ selector, byX }) {
			const box = await (await visible(await page(), { selector })).boundingBox();
			if (box === null) throw new Error(`${selector} has no edge.`);
			const { mouse } = await page();
			const [x, y] = [box.x + box.width, box.y + box.height / 2];
			await mouse.move(x, y);
			await mouse.down();
			await mouse.move(x + byX, y, { steps: 4 });
			await mouse.up();
			// An edge lights up under the pointer.
			await mouse.move(box.x + 5, 5);
			return null;
		},
		async labels({ selector }) {
			const found: string[] = [];
			for (const frame of (await page()).frames()) found.push(...(await labelsIn(frame, selector)));
			return found;
		},
		async appears(target) {
			return (await page()).evaluate(firstSeen, target);
		},
	};
	const server = createServer((request, response) => {
		void answer(request, handlers).then(
			(result) => response.end(JSON.stringify(result)),
			(error: unknown) => {
				response.statusCode = 500;
				response.end(error instanceof Error ? error.message : String(error));
			},
		);
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const address = server.address();
	if (address === null || typeof address === 'string') throw new Error('The runner has no port.');
	return {
		address: `http://127.0.0.1:${address.port}`,
		finished,
		counts: () => counts,
		close() {
			server.closeAllConnections();
			server.close();
		},
	};
}

async function answer(request: IncomingMessage, handlers: Handlers): Promise<unknown> {
	const name = (request.url ?? '').slice(1);
	if (!(name in handlers)) throw new Error(`The runner knows nothing of "${name}".`);
	let text = '';
	for await (const chunk of request.setEncoding('utf8')) text += String(chunk);
	// The name was looked up just now, and both sides are compiled against the same contract.
	const handler = handlers[name as keyof RunnerRequests] as (request: unknown) => Promise<unknown>;
	return handler(JSON.parse(text));
}

async function visible(page: Page, { selector }: Target, withinMs = patienceMs): Promise<Locator> {
	for (const deadline = Date.now() + withinMs; Date.now() < deadline; await delay(100)) {
		for (const frame of page.frames()) {
			const locator = frame.locator(selector).filter({ visible: true }).first();
			// A frame that goes away while it is looked at has nothing to click.
			if ((await locator.count().catch(() => 0)) > 0) return locator;
		}
	}
	throw new Error(`Nothing visible matches ${selector}.`);
}

/** Runs in the page: a poll from outside would be slower than what it waits for. */
function firstSeen({ selector, text }: RunnerRequests['appears']): Promise<RunnerAnswers['appears']> {
	const { document, MutationObserver } = globalThis as unknown as BrowserGlobals; // a page's, which our types do not know
	return new Promise((resolve, reject) => {
		const observer = new MutationObserver(() => {
			for (const element of document.querySelectorAll(selector)) {
				if (!(element.getAttribute('aria-label') ?? element.textContent ?? '').includes(text)) continue;
				end();
				resolve(Date.now());
				return;
			}
		});
		const end = () => {
			observer.disconnect();
			clearTimeout(timer);
		};
		const timer = setTimeout(() => {
			end();
			reject(new Error(`Nothing with "${text}" among ${selector}.`));
		}, 180_000);
		observer.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
	});
}

interface BrowserGlobals {
	readonly document: { readonly body: unknown; querySelectorAll(selector: string): Iterable<Labelled> };
	readonly MutationObserver: new (listener: () => void) => {
		observe(target: unknown, options: Readonly<Record<string, boolean>>): void;
		disconnect(): void;
	};
}

/** As much of the page's own Element as we look at. */
interface Labelled {
	readonly textContent: string | null;
	getAttribute(name: string): string | null;
}

async function labelsIn(frame: Frame, selector: string): Promise<readonly string[]> {
	try {
		return await frame
			.locator(selector)
			.evaluateAll((elements: readonly Labelled[]) =>
				elements.map((element) => element.getAttribute('aria-label') ?? element.textContent ?? ''),
			);
	} catch (error) {
		if (frame.isDetached()) return [];
		throw error;
	}
}
