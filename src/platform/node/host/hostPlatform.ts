import { randomBytes } from 'node:crypto';
import type { HostClock, HostRandom } from '../../../core/host/ports.ts';

export const nodeHostClock: HostClock = {
	now: () => Date.now(),
	elapsed: () => performance.now(),
	after(milliseconds, callback) {
		// A longer time would be over at once.
		const timer = setTimeout(callback, Math.min(milliseconds, 2 ** 31 - 1));
		return { dispose: () => clearTimeout(timer) };
	},
};

export const nodeHostRandom: HostRandom = {
	id: () => randomBytes(16).toString('hex'),
	fraction: () => Math.random(),
};
