const encoder = new TextEncoder();

/** Takes the same time whatever the token of the request is. */
export async function isAuthorized(request: Request, token: string | undefined): Promise<boolean> {
	const given = /^Bearer (.+)$/u.exec(request.headers.get('authorization') ?? '')?.[1];
	// Hashed, both are of one length.
	const [hashOfGiven, hashOfToken] = await Promise.all([digestOf(given ?? ''), digestOf(token ?? '')]);
	const isSame = crypto.subtle.timingSafeEqual(hashOfGiven, hashOfToken);
	return isSame && given !== undefined && token !== undefined && token !== '';
}

async function digestOf(text: string): Promise<ArrayBuffer> {
	return crypto.subtle.digest('SHA-256', encoder.encode(text));
}
