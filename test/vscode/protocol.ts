// What the tests in the extension host and the runner outside of VS Code say to each other, over a local HTTP endpoint.

/** The environment variable that tells the extension host where the runner listens. */
export const runnerAddressVariable = 'CROSSTALK_TEST_RUNNER';

export interface RunnerRequests {
	/** A line of the report, to be printed. */
	report: { readonly line: string };
	/** The counts, when all has run. */
	finish: { readonly passed: number; readonly failed: number };
	/** A picture of the workbench: out/screenshots/<name>.png. */
	screenshot: { readonly name: string };
	/** Keys as Playwright writes them: "Control+Shift+P". */
	press: { readonly keys: string };
	type: { readonly text: string };
	/** Fails when nothing there has become visible by then; absent: a minute. */
	click: Target & {
		readonly button?: 'left' | 'right';
		readonly count?: number;
		readonly withinMs?: number;
	};
	hover: Target;
	/** Takes hold of the right edge of the first element that matches, and pulls it so many pixels. */
	pull: Target & { readonly byX: number };
	/** Of every element that matches, what a screen reader would say or, failing that, its text. */
	labels: { readonly selector: string };
	/** When the page next changes and an element that matches has this in its label, milliseconds since 1970. Fails after three minutes. */
	appears: Target & { readonly text: string };
}

/** The first visible element that matches, in the workbench or in one of its frames. */
export interface Target {
	readonly selector: string;
}

export interface RunnerAnswers {
	report: null;
	finish: null;
	screenshot: { readonly path: string };
	press: null;
	type: null;
	click: null;
	hover: null;
	pull: null;
	labels: readonly string[];
	appears: number;
}
