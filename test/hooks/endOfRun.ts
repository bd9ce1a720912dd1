// A run whose tests leave something open would never end: it is said what that is, and the run has failed.

const graceMs = 60_000;

export const mochaHooks = {
	afterAll(): void {
		// It does not keep the process itself.
		setTimeout(() => {
			const open = process.getActiveResourcesInfo().filter((name) => name !== 'TTYWrap' && name !== 'PipeWrap');
			console.error(`The tests are done, but something they left open keeps the process: ${open.join(', ')}.`);
			// Mocha sets the code too while the process ends; the last to do so is right.
			process.once('exit', () => (process.exitCode = 1));
			process.exit();
		}, graceMs).unref();
	},
};
