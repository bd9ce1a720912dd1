import { parseTree, printParseErrorCode, visit } from 'jsonc-parser';
import type { Node, ParseError } from 'jsonc-parser';
import type { ConfigValue } from '../../../../core/host/config/configValue.ts';
import type { ParsedConfig } from './clientConfig.ts';

/** Reads JSON with comments and trailing commas; goes on behind what is wrong with it. */
export function parseJsonConfig(text: string): ParsedConfig {
	const errors: ParseError[] = [];
	let root: Node | undefined;
	try {
		root = parseTree(text, errors, { allowTrailingComma: true });
	} catch (error) {
		// Nested too deep for any client.
		if (!(error instanceof RangeError)) throw error;
		return { root: undefined, problems: [{ offset: 0, message: 'It is nested too deep.' }], comments: () => [] };
	}
	return {
		root: root === undefined ? undefined : valueOf(root),
		problems: errors
			// A file that breaks off lacks all its braces in one place, which is told once.
			.filter(({ offset }, index) => errors.findIndex((other) => other.offset === offset) === index)
			.map(({ error, offset }) => ({ offset, message: `It is not JSON: ${words(error)}.` })),
		comments: () => commentsOf(text),
	};
}

function valueOf(node: Node): ConfigValue {
	const position = { offset: node.offset, end: node.offset + node.length };
	switch (node.type) {
		case 'object':
			return {
				kind: 'object',
				...position,
				members: (node.children ?? []).flatMap(({ children: [key, value] = [] }) =>
					key === undefined || value === undefined
						? []
						: [{ name: String(key.value), offset: key.offset, value: valueOf(value) }],
				),
			};
		case 'array':
			return { kind: 'array', ...position, items: (node.children ?? []).map(valueOf) };
		default: {
			// The library's values are `any`; of a scalar it is one of these.
			const value = node.value as string | number | boolean | null;
			return { kind: 'scalar', ...position, value };
		}
	}
}

function commentsOf(text: string): readonly { offset: number; end: number }[] {
	const comments: { offset: number; end: number }[] = [];
	visit(text, { onComment: (offset, length) => comments.push({ offset, end: offset + length }) });
	return comments;
}

/** `PropertyNameExpected` → "property name expected". */
function words(error: ParseError['error']): string {
	return printParseErrorCode(error)
		.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ')
		.toLowerCase();
}
