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

/** When the workbench first shows an element that matches and has this in its label, milliseconds since 1970. */
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
	for (let attempt = 0; attempt < 5; attempt++) {
		await press('Enter');
		const deadline = Date.now() + 3000;
		while (Date.now() < deadline) {
			if (!(await isOffered(text))) return;
		}
	}
	throw new Error(`The list with ${text} does not go.`);
}

async function isOffered(text: string): Promise<boolean> {
	// A list that is gone is hidden, with its rows.
	return (await labels('.quick-input-widget:not([style*="display: none"]) .monaco-list-row')).some((row) =>
		row.includes(text),
	);
}

/** Asks again until it holds; the last answer is part of the failure. */
export async function eventually<T>(
	what: string,
	read: () => T | PromiseLike<T>,
	holds: (value: T) => boolean,
	{ timeoutMs = 10_000, everyMs = 50 } = {},
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
