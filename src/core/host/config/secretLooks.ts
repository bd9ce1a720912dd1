// Secrets that a configuration holds outside of `env` and `headers`, as far as their looks tell them.

/** Of options, variables and parameters of addresses, whose values let somebody in. `sort-key`, `max-tokens` and `auth` (`oauth`) do not. */
const secretName =
	/(?:^(?:key|pat|pwd)|(?:api|access|secret|private)[-_]?key|token|secret|passw(?:or)?d|credentials?)$/i;
/** What providers have their keys begin with. */
const knownKey = /\b(?:sk-|ghp_|gho_|github_pat_|glpat-|xox[a-z]-|AKIA|eyJ)[\w.-]{8,}/g;
const secretHeader = /^\s*(?:[\w-]*(?:authorization|cookie|token|secret|password|key))\s*:\s*(\S.*)$/i;

/** What is secret in the arguments of a command. */
export function secretsInArguments(args: readonly string[]): readonly string[] {
	const secrets: string[] = [];
	let isSecretNext = false;
	for (const argument of args) {
		const [, dashes = '', name = '', value] = /^(-{0,2})([\w.-]+)(?:=([\s\S]+))?$/.exec(argument) ?? [];
		if (isSecretNext && dashes === '') secrets.push(argument);
		else if (value !== undefined && secretName.test(name)) secrets.push(value);
		isSecretNext = dashes !== '' && value === undefined && secretName.test(name);
		const [, header] = secretHeader.exec(argument) ?? [];
		if (header !== undefined) secrets.push(...secretsInHeader(header));
		secrets.push(...secretsInAddress(argument), ...(argument.match(knownKey) ?? []));
	}
	return secrets;
}

/** What is secret in the value of a header that is secret itself: `Bearer …` may be printed without its first word. */
export function secretsInHeader(value: string): readonly string[] {
	const [, credentials] = /^\s*[\w-]+\s+(\S.*)$/.exec(value) ?? [];
	return credentials === undefined ? [value] : [value, credentials];
}

/** What is secret in an address, or in a text that may be one. */
export function secretsInAddress(text: string): readonly string[] {
	const [, account] = /^[a-z][a-z\d+.-]*:\/\/([^/?#\s:]*:[^/?#\s]*)@/i.exec(text) ?? [];
	const secrets = account === undefined ? [] : [account, account.slice(account.indexOf(':') + 1)];
	const [, query = ''] = /^[a-z][a-z\d+.-]*:\/\/[^?#\s]*\?([^#\s]*)/i.exec(text) ?? [];
	for (const parameter of query.split('&')) {
		const [, name = '', value] = /^([^=]*)=([\s\S]{6,})$/.exec(parameter) ?? [];
		if (value !== undefined && secretName.test(name)) secrets.push(value, ...decodedForm(value));
	}
	return secrets;
}

/** A server may well say it as it was meant. */
function decodedForm(value: string): readonly string[] {
	try {
		return [decodeURIComponent(value)];
	} catch {
		// No encoding at all: there is no other form of it.
		return [];
	}
}
