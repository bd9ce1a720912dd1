import { errnoOf } from '../errno.ts';

const attempts = 10;

/**
 * Does something to a file that somebody else may hold at this moment: a reader, whoever replaces it, a virus scanner. Windows then refuses, for a
 * moment only, where other systems never do; there the same codes say that it is not permitted, and a second attempt is of no use.
 */
export async function onceLetGo<T>(work: () => Promise<T>, platform: NodeJS.Platform = process.platform): Promise<T> {
	for (let attempt = 1; ; attempt++) {
		try {
			return await work();
		} catch (error) {
			if (platform !== 'win32' || attempt === attempts || !heldCodes.has(errnoOf(error))) throw error;
			await new Promise((resolve) => setTimeout(resolve, 10 * attempt));
		}
	}
}

const heldCodes: ReadonlySet<string | undefined> = new Set(['EPERM', 'EACCES', 'EBUSY']);
