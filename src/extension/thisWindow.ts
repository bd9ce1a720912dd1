// What the agents of this window are one session by, where they do not name their conversation.

import type { Disposable } from '../core/base/lifecycle.ts';

/** One for each start of the extension: VS Code's own id is not everywhere another for each window. */
export const windowSession = `vscode:window-${globalThis.crypto.randomUUID()}`;

/** Of `crosstalk connect`, which VS Code starts as a server of its own where a project's configuration says so. */
const variable = 'CROSSTALK_SESSION';

/** VS Code connects anew whenever it comes to it, and knows a server from here and from the project's files: all that the window does is one session. */
export function nameThisWindow(): Disposable {
	// What the window starts as a server has the environment of this process.
	process.env[variable] = windowSession;
	return {
		dispose() {
			if (process.env[variable] === windowSession) delete process.env[variable];
		},
	};
}
