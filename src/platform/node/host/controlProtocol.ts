import { ResponseError } from 'vscode-jsonrpc/node';
import type { CONTROL_PROTOCOL } from '../../../core/host/control.ts';

/** The version that this build speaks. */
export const controlProtocol: typeof CONTROL_PROTOCOL = 1;

/** Marks an error whose message is a finished sentence for a person. Our own number: the ranges of JSON-RPC are negative. */
const expectedCode = 1;

export function expectedFailure(sentence: string): ResponseError {
	return new ResponseError(expectedCode, sentence);
}

export function isExpectedFailure(error: unknown): error is ResponseError {
	return error instanceof ResponseError && error.code === expectedCode;
}
