import type { ConfigMember, ConfigValue } from './configValue.ts';

/** A part of a text that is shown as something else. */
export interface Mask {
	readonly offset: number;
	readonly end: number;
	readonly text: string;
}

/** What may be shown of the configuration of a server; everything else in the file is nobody's business. */
export function masksOf(
	text: string,
	root: ConfigValue,
	containers: readonly (readonly string[])[],
	comments: readonly { readonly offset: number; readonly end: number }[],
): readonly Mask[] {
	const masks: Mask[] = [];
	outside(root, containers);
	// Entries and their secrets are often kept in comments, too.
	for (const { offset, end } of comments) {
		const comment = text.slice(offset, end);
		if (/["'=:]/.test(comment))
			mask(offset, end, comment.startsWith('/*') ? '/* … */' : `${comment.startsWith('#') ? '#' : '//'} …`);
	}
	return masks.sort((one, other) => one.offset - other.offset);

	function outside(value: ConfigValue, below: readonly (readonly string[])[]): void {
		if (below.some((path) => path.length === 0)) return container(value);
		switch (value.kind) {
			case 'scalar':
				return hide(value);
			case 'array':
				for (const item of value.items) outside(item, []);
				return;
			case 'object':
				for (const member of value.members) {
					outside(
						member.value,
						below.filter((path) => path[0] === member.name).map((path) => path.slice(1)),
					);
				}
		}
	}

	function container(value: ConfigValue): void {
		if (value.kind !== 'object') return outside(value, []);
		for (const { value: entry } of value.members) {
			if (entry.kind !== 'object') outside(entry, []);
			else for (const member of entry.members) inEntry(member);
		}
	}

	function inEntry({ name, value }: ConfigMember): void {
		if (
			/^(?:type|command|cwd|envFile|timeout|disabled|enabled|env_vars|env_http_headers|bearer_token_env_var|crosstalk)$/.test(
				name,
			)
		)
			return;
		if (/^(?:args|url|serverUrl)$/.test(name)) return partly(value);
		if (/_(?:sec|ms)$|tools|approve|alwaysLoad|required/i.test(name)) return;
		outside(value, []);
	}

	function partly(value: ConfigValue): void {
		if (value.kind !== 'array') {
			if (value.kind === 'scalar' && typeof value.value === 'string') shown(value, value.value);
			return;
		}
		let isSecretNext = false;
		for (const item of value.items) {
			if (item.kind !== 'scalar' || typeof item.value !== 'string') continue;
			if (isSecretNext && !item.value.startsWith('-')) hide(item);
			else shown(item, item.value);
			isSecretNext = isSecretFlag(item.value);
		}
	}

	function shown(value: ConfigValue, plain: string): void {
		const masked = maskedArgument(plain);
		if (masked !== plain) mask(value.offset, value.end, JSON.stringify(masked));
	}

	function hide(value: ConfigValue): void {
		if (value.kind === 'scalar' && typeof value.value === 'boolean') return;
		mask(value.offset, value.end, '"…"');
	}

	function mask(offset: number, end: number, replacement: string): void {
		// As many lines as before, so that line numbers stay true.
		masks.push({ offset, end, text: replacement + '\n'.repeat(text.slice(offset, end).split('\n').length - 1) });
	}
}

export function masked(text: string, masks: readonly Mask[]): string {
	let result = '';
	let at = 0;
	for (const { offset, end, text: replacement } of masks) {
		if (offset < at) continue;
		result += text.slice(at, offset) + replacement;
		at = end;
	}
	return result + text.slice(at);
}

const secretName = /key|token|secret|passw|pwd|auth|credential|bearer|header|cookie|pat\b/i;

function isSecretFlag(text: string): boolean {
	return /^--?[\w-]+$/.test(text) && secretName.test(text);
}

/** An argument or URL, its secrets replaced as far as they can be told by their looks. */
function maskedArgument(text: string): string {
	if (/^\s*(?:authorization|cookie|x-[\w-]*(?:key|token))\s*:/i.test(text)) return text.replace(/:[\s\S]*/, ': …');
	if (/\bbearer\s+\S/i.test(text)) return text.replace(/\b(bearer)\s+[\s\S]*/i, '$1 …');
	return (
		text
			.replace(/^(--?[\w-]+=)[\s\S]+/, (whole, flag: string) => (secretName.test(flag) ? `${flag}…` : whole))
			// As in `docker run -e NAME=value`.
			.replace(/^((?:--?e(?:nv)?=)?[A-Za-z_]\w*=)[\s\S]+/, '$1…')
			.replaceAll(/(:\/\/)[^/?#\s]*@/g, '$1…@')
			.replaceAll(/([?&][^=?&#\s]*=)[^&#\s]+/g, '$1…')
			.replaceAll(/\b(sk-|ghp_|gho_|github_pat_|glpat-|xox[a-z]-|AKIA|eyJ)[\w.-]{8,}/g, '$1…')
	);
}
