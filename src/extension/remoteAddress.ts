// Where a remote session store is, and what a token may be sent to. A token is kept for an address, so the address has one form only.

export type RemoteAddress =
	/** Without a slash at its end. */
	| { readonly kind: 'address'; readonly address: string; readonly name: string }
	/** A sentence. */
	| { readonly kind: 'invalid'; readonly message: string };

/** Takes what somebody has typed. A token leaves this machine encrypted or not at all. */
export function remoteAddressOf(text: string): RemoteAddress {
	const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined;
	if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
		return invalid(`"${text.trim()}" is no address of a Worker: it begins with https://.`);
	}
	if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
		return invalid(
			'The address of a Worker has no name, password, query or fragment. The token is asked for apart.',
		);
	}
	if (url.protocol === 'http:' && !isThisMachine(url.hostname)) {
		return invalid(`A token is not sent to ${url.host} unencrypted: the address begins with https://.`);
	}
	return { kind: 'address', address: `${url.origin}${url.pathname.replace(/\/+$/u, '')}`, name: url.host };
}

/** What is wrong with a token, as a sentence. What is no text of a header is refused here: whoever sends it would quote it. */
export function problemOfToken(token: string): string | undefined {
	if (token === '') return 'There is no token yet.';
	return /^[\x20-\x7e]+$/u.test(token) ? undefined : 'A token consists of letters, digits and signs of ASCII.';
}

function isThisMachine(hostname: string): boolean {
	return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/u.test(hostname);
}

function invalid(message: string): RemoteAddress {
	return { kind: 'invalid', message };
}
