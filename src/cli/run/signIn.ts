/** How long a person waits for an agent that has such a server, at the most. */
const patienceMs = 3_000;

/**
 * Why a server is left to the agent, as far as it says so itself. One may let in only those who have signed in: the agent does that by
 * itself and keeps the key; the host has none. One that does not answer is no different for whoever asks, and may be such a one.
 */
export async function whyLeftToAgent(url: string): Promise<string | undefined> {
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
		const asksForSignIn = response.status === 401 || response.status === 403 || response.type === 'opaqueredirect';
		return asksForSignIn ? 'one has to sign in there' : undefined;
	} catch {
		return 'it does not answer';
	}
}
