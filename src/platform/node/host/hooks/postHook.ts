import { request } from 'node:http';

export interface PostOptions {
	/** As the address says it: for how long the agent waits. */
	readonly holdSeconds: number | undefined;
	/** The run of an agent that it is of. */
	readonly source: string | undefined;
	readonly timeoutMs: number;
	readonly signal: AbortSignal;
}

/**
 * Brings a hook event to the host at this address.
 * @param host `http://127.0.0.1:<port>` and the token for it.
 * @returns The answer, JSON; `undefined`: there was none in time.
 */
export async function postHook(
	host: { readonly url: string; readonly token: string },
	format: string,
	body: Uint8Array,
	{ holdSeconds, source, timeoutMs, signal }: PostOptions,
): Promise<string | undefined> {
	const hold = holdSeconds === undefined ? '' : `?hold=${holdSeconds}`;
	return new Promise((resolve) => {
		const posting = request(
			`${host.url}/${host.token}/hooks/${format}${hold}`,
			{
				method: 'POST',
				headers: {
					'Content-Type': 'application/json',
					'Content-Length': body.length,
					...(source === undefined ? {} : { 'X-Crosstalk-Source': source }),
				},
				signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
			},
			(response) => {
				const chunks: Buffer[] = [];
				response.on('data', (chunk: Buffer) => chunks.push(chunk));
				response.on('error', () => resolve(undefined));
				response.on('end', () =>
					resolve(response.statusCode === 200 ? Buffer.concat(chunks).toString('utf8') : undefined),
				);
			},
		);
		// Nobody listens there, or nobody answers: the event is lost, and no more than that.
		posting.on('error', () => resolve(undefined));
		posting.end(body);
	});
}
