// For the suites in the extension host: what only the process outside of VS Code can do.

import type { RunnerAnswers, RunnerRequests, Target } from './protocol.ts';
import { runnerAddressVariable } from './protocol.ts';

/** Saves a picture of the workbench as out/screenshots/<name>.png. */
export async function screenshot(name: string): Promise<string> {
	return (await ask('screenshot', { name })).path;
}

export async function press(keys: string): Promise<void> {
	await ask('press', { keys });
}

export async function type(text: string): Promise<void> {
	await ask('type', { text });
}

export async function click(
	selector: string,
	options: Omit<RunnerRequests['click'], keyof Target> = {},
): Promise<void> {
	await ask('click', { selector, ...options });
}

export async function hover(selector: string): Promise<void> {
	await ask('hover', { selector });
}

/** Takes hold of the right edge of the first element that matches, and pulls it so many pixels. */
export async function pull(selector: string, byX: number): Promise<void> {
	await ask('pull', { selector, byX });
}

/** What a screen reader would say of every element that matches: its label or, failing that, its text. */
export async function labels(selector: string): Promise<readonly string[]> {
	return ask('labels', { selector });
}

/** When the page next changes and an element that matches has this in its label, milliseconds since 1970. */
export async function appears(selector: string, text: string): Promise<number> {
	return ask('appears', { selector, text });
}

/** Waits until a quick pick offers this and takes keys. What is pressed earlier goes to whatever had the focus before. */
export async function offered(text: string): Promise<void> {
	await eventually(
		`${text} is offered`,
		() => isOffered(text),
		(is) => is,
	);
	await eventually(
		`The list with ${text} takes keys`,
		() => labels('.quick-input-widget :focus'),
		(focused) => focused.length > 0,
	);
}

/** Takes what a quick pick that offers this has chosen. A busy window may let the key fall, so it is pressed until the list is gone. */
export async function accept(text: string): Promise<void> {
	await offered(text);
	// What was typed just now may not have narrowed the list down yet.
	await eventually(
		`${text} is chosen`,
		() => isChosen(text),
		(is) => is,
	);
	await actUntil(
		`The list with ${text} is gone`,
		() => press('Enter'),
		async () => !(await isOffered(text)),
	);
}

/** Acts in the window, and again when nothing has come of it for a while: a busy window lets keys fall, and rows move while they are clicked. */
export async function actUntil(
	what: string,
	act: () => PromiseLike<unknown>,
	isDone: () => boolean | Promise<boolean>,
): Promise<void> {
	let actedAt = -Infinity;
	await eventually(
		what,
		async () => {
			if (await isDone()) return true;
			if (performance.now() - actedAt > 5000) {
				await act();
				actedAt = performance.now();
			}
			return false;
		},
		(is) => is,
		{ timeoutMs: 120_000 },
	);
}

/** Whether Enter takes it. In a list of which several can be taken no row is chosen before the others. */
async function isChosen(text: string): Promise<boolean> {
	const [many, chosen] = await Promise.all([
		labels('.quick-input-widget.show-checkboxes'),
		labels('.quick-input-widget .monaco-list-row.focused'),
	]);
	return many.length > 0 || chosen.some((row) => row.includes(text));
}

async function isOffered(text: string): Promise<boolean> {
	// A list that is gone is hidden, with its rows.
	return (await labels('.quick-input-widget:not([style*="display: none"]) .monaco-list-row')).some((row) =>
		row.includes(text),
	);
}

/** Asks again until it holds; the last answer is part of the failure. A slow machine has its time: only what never comes is to fail. */
export async function eventually<T>(
	what: string,
	read: () => T | PromiseLike<T>,
	holds: (value: T) => boolean,
	{ timeoutMs = 60_000, everyMs = 50 } = {},
): Promise<T> {
	const deadline = Date.now() + timeoutMs;
	for (;;) {
		const value = await read();
		if (holds(value)) return value;
		if (Date.now() > deadline) {
			throw new Error(`${what}: not within ${timeoutMs} ms. Last seen: ${JSON.stringify(value)}`);
		}
		await new Promise((resolve) => setTimeout(resolve, everyMs));
	}
}

export async function ask<Name extends keyof RunnerRequests>(
	name: Name,
	request: RunnerRequests[Name],
): Promise<RunnerAnswers[Name]> {
	const address = process.env[runnerAddressVariable];
	if (address === undefined) {
		throw new Error(`${runnerAddressVariable} is not set: these tests are run by "npm run test:vscode"`);
	}
	const response = await fetch(`${address}/${name}`, { method: 'POST', body: JSON.stringify(request) });
	const text = await response.text();
	if (!response.ok) throw new Error(text);
	return JSON.parse(text) as RunnerAnswers[Name]; // the runner's own answer, typed by the same contract
}
