import { window } from 'vscode';
import type { Disposable, LogOutputChannel } from 'vscode';
import { ExpectedError } from '../core/base/errors.ts';

/** What went wrong, for people: a sentence on the screen, the rest in the output channel. */
export class Log implements Disposable {
	readonly channel: LogOutputChannel;

	constructor() {
		this.channel = window.createOutputChannel('Crosstalk', { log: true });
	}

	info(message: string): void {
		this.channel.info(message);
	}

	/** Shown only to who sets the level of the channel so. */
	debug(message: string): void {
		this.channel.debug(message);
	}

	/** A failure that nobody has to act on at once. */
	failure(what: string, error: unknown): void {
		if (error instanceof ExpectedError) this.channel.warn(`${what}: ${error.message}`);
		else this.channel.error(`${what}:`, error instanceof Error ? error : String(error));
	}

	/** A failure of what a person has just asked for. */
	async tell(what: string, error: unknown): Promise<void> {
		this.failure(what, error);
		const showLog = 'Show Log';
		const message =
			error instanceof ExpectedError ? error.message : 'This is a mistake in Crosstalk; the log has the details.';
		if ((await window.showErrorMessage(`${what}: ${message}`, showLog)) === showLog) this.channel.show(true);
	}

	dispose(): void {
		this.channel.dispose();
	}
}
