import { homedir, userInfo } from 'node:os';
import { isAbsolute } from 'node:path';
import { ExpectedError } from '../../core/base/errors.ts';

/**
 * The folder of the user whose sessions are looked at. A `HOME` that is empty says as little as none, and a relative one would mean another
 * folder wherever a program is started: then it is what the system says of the user.
 */
export function userHome(): string {
	for (const ask of [homedir, () => userInfo().homedir]) {
		try {
			const folder = ask();
			if (isAbsolute(folder)) return folder;
		} catch {
			// The system does not know this user, as in a container that was given a number.
		}
	}
	throw new ExpectedError(
		'There is no home folder: HOME names none, and the system knows none of this user. Set HOME.',
	);
}
