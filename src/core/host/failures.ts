import { ExpectedError } from '../base/errors.ts';
import type { JsonObject } from './rpc.ts';

/**
 * How a call fails in the host itself. Each has a JSON-RPC code outside of what JSON-RPC and MCP reserve, but for the time-out, which
 * has the number that the MCP SDKs use for it, and for an answer that is none, which is an internal error as its client sees it.
 */
const codes = {
	'outcome-unknown': -31_001,
	'timed-out': -32_001,
	'queue-full': -31_002,
	'server-unavailable': -31_003,
	cancelled: -31_004,
	refused: -31_005,
	'malformed-answer': -32_603,
} as const;

export type FailureType = keyof typeof codes;

/** A failed call, told to its agent as a JSON-RPC error whose `data` says the same for programs. */
export class CallFailure extends ExpectedError {
	readonly type: FailureType;
	readonly data: JsonObject;

	/** @param message A finished sentence. */
	constructor(type: FailureType, message: string, data: JsonObject) {
		super(message);
		this.type = type;
		this.data = { type, ...data, reason: message };
	}

	get code(): number {
		return codes[this.type];
	}
}
