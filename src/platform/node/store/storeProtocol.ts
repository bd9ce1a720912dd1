import type { HostAddress } from '../../../core/host/control.ts';

/** The version that this build speaks. */
export const storeProtocol = 1;

/** First. */
export const attachRequest = 'store/attach';

/** A host wants to own this directory: what runs ends, and whoever has the store open becomes its client. */
export const yieldRequest = 'store/yield';

/** The owner leaves the directory to a host, which clients are to wait for. */
export const yieldedNotice = 'store/yielded';

export interface Attached {
	readonly address: HostAddress;
	/** Of the owner's claim. */
	readonly generation: number;
}
