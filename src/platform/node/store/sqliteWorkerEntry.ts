/** A file to start the thread with, or the program itself. */
export interface WorkerEntry {
	readonly source: URL | string;
	readonly isProgram: boolean;
}

// This is for the sources as they are. The build puts a module in its place that holds the worker, bundled, as text: then it needs not be found,
// wherever the bundle ends up and whoever bundles it once more.
export const sqliteWorkerEntry: WorkerEntry = {
	source: new URL('./sqliteWorker.ts', import.meta.url),
	isProgram: false,
};
