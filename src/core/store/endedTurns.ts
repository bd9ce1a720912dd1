import { StoreError } from './storeError.ts';

/** Of so many a caller that comes too late is told why. */
const remembered = 1000;

/** Turns that ended without their callers' doing. */
export class EndedTurns {
	private readonly failures = new Map<string, StoreError>();

	add(turnId: string, failure: StoreError): void {
		this.failures.set(turnId, failure);
		if (this.failures.size <= remembered) return;
		const [oldest] = this.failures.keys();
		if (oldest !== undefined) this.failures.delete(oldest);
	}

	/** Why a call has no turn any more. */
	failureOf(turnId: string): StoreError {
		const failure = this.failures.get(turnId);
		if (failure !== undefined) return failure;
		return new StoreError(
			'owner-lost',
			'The store knows no such call: it has ended, or began with another owner.',
			undefined,
		);
	}
}
