/**
 * How well an address fits a template (RFC 6570): how many of its characters the template says itself; `undefined`: it does not fit.
 * What the variables may hold is left to the server: some take slashes where the standard has none.
 */
export function fitOf(template: string, uri: string): number | undefined {
	const [first = '', ...others] = template.split(/\{[^{}]*\}/);
	const last = others.pop();
	if (last === undefined) return uri === first ? uri.length : undefined;
	if (!uri.startsWith(first)) return undefined;
	let at = first.length;
	for (const literal of others) {
		const found = uri.indexOf(literal, at);
		if (found === -1) return undefined;
		at = found + literal.length;
	}
	if (at + last.length > uri.length || !uri.endsWith(last)) return undefined;
	return [first, ...others, last].reduce((sum, { length }) => sum + length, 0);
}
