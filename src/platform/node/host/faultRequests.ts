import { ErrorCodes, ResponseError } from 'vscode-jsonrpc/node';
import { ExpectedError } from '../../../core/base/errors.ts';
import type { ControlRequests } from '../../../core/host/control.ts';

type FaultRequest = Extract<keyof ControlRequests, `faults/${string}`>;

/** Of a client what is needed here. */
interface Requesting {
	request<Name extends keyof ControlRequests>(
		name: Name,
		params: ControlRequests[Name]['params'],
	): Promise<ControlRequests[Name]['result']>;
}

/** Asks a host that may be older than faults are. Rejects with an `ExpectedError` when it is, or refuses. */
export async function requestFaults<Name extends FaultRequest>(
	client: Requesting,
	name: Name,
	params: ControlRequests[Name]['params'],
): Promise<ControlRequests[Name]['result']> {
	try {
		return await client.request(name, params);
	} catch (error) {
		if (error instanceof ResponseError && error.code === ErrorCodes.MethodNotFound)
			throw new ExpectedError(
				'The host that runs is older than this program and knows nothing of faults. Stop it; the next one to need it starts a new one.',
				{ cause: error },
			);
		throw error;
	}
}
