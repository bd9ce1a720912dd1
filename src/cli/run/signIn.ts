/** How long a person waits for an agent that has such a server, at the most. */
const patienceMs = 3_000;

/**
 * Whether a server lets in only those who have signed in. The agent does that by itself and keeps the key; the host has none.
 * One that does not answer is no different for whoever asks, so it is left to the agent as well.
 */
export async function asksForSignIn(url: string): Promise<boolean> {
	const signal = AbortSignal.timeout(patienceMs);
	try {
		const response = await fetch(url, {
			method: 'POST',
			redirect: 'manual',
			signal,
			headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
			// A question that opens no session.
			body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
		});
		await response.body?.cancel();
		return response.status === 401 || response.status === 403 || response.type === 'opaqueredirect';
	} catch {
		return true;
	}
}
