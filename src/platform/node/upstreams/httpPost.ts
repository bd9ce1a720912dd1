import type { RequestFailure } from '../../../core/host/ports.ts';
import { contentType, readBody } from './httpEndpoint.ts';
import type { HeaderList, HttpCall, HttpEndpoint } from './httpEndpoint.ts';
import { REFUSAL_LIMIT, refused } from './httpFailure.ts';

export interface PostedMessage {
	readonly endpoint: HttpEndpoint;
	readonly headers: HeaderList;
	readonly message: Uint8Array;
	/** It was made in an MCP session. */
	readonly hadSession: boolean;
	/** Where the server has said that messages go, if not to the address of the endpoint. */
	readonly url?: URL;
}

/** Sends a message whose HTTP response has nothing to say but that the message has arrived. */
export function post(
	{ endpoint, headers, message, hadSession, url }: PostedMessage,
	onSettled: (failure: RequestFailure | undefined) => void,
): HttpCall {
	const listener: Parameters<HttpEndpoint['call']>[3] = {
		onResponse(response) {
			const status = response.statusCode ?? 0;
			if (status < 300) {
				// Some servers of the older transport keep the response open; the head alone says that the message was taken.
				response.resume();
				onSettled(undefined);
				return;
			}
			const settle = (body: Buffer): void =>
				onSettled(refused({ status, contentType: contentType(response), body, hadSession, endpoint }));
			readBody(response, REFUSAL_LIMIT, settle, () => settle(Buffer.alloc(0)));
		},
		onFailed: (reason, mayHaveArrived) => onSettled({ reason, mayHaveRun: mayHaveArrived, isSessionLost: false }),
	};
	return endpoint.call('POST', headers, message, listener, url);
}
