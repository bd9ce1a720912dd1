import { commands } from 'vscode';
import type { Disposable } from 'vscode';
import type { Log } from './log.ts';

/** A command whose failure is one sentence on the screen. @param failure What could not be done, without a full stop. */
export function registerCommand(
	log: Log,
	id: string,
	failure: string,
	run: (...values: unknown[]) => unknown,
): Disposable {
	return commands.registerCommand(id, async (...values: unknown[]) => {
		try {
			await run(...values);
		} catch (error) {
			void log.tell(failure, error); // it ends when the person has looked at it
		}
	});
}
