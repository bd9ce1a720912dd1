import { ParseError, parseTOML } from 'toml-eslint-parser';
import type { AST } from 'toml-eslint-parser';
import type { ConfigMember, ConfigValue } from '../../../../core/host/config/configValue.ts';
import type { ParsedConfig } from './clientConfig.ts';

/** Reads TOML. A file with one error in it is none, as it is for Codex. */
export function parseTomlConfig(text: string): ParsedConfig {
	try {
		const program = parseToml(text);
		const [top] = program.body;
		return {
			root: rootOf(top, text.length),
			problems: [],
			comments: () => program.comments.map(({ range: [offset, end] }) => ({ offset, end })),
		};
	} catch (error) {
		if (error instanceof ParseError)
			return {
				root: undefined,
				problems: [{ offset: error.index, message: `It is not TOML: ${error.message.replace(/\.$/, '')}.` }],
				comments: () => [],
			};
		if (!(error instanceof RangeError)) throw error;
		return { root: undefined, problems: [{ offset: 0, message: 'It is nested too deep.' }], comments: () => [] };
	}
}

export function parseToml(text: string): AST.TOMLProgram {
	return parseTOML(text, { tomlVersion: '1.1' });
}

/** The names that a key is made of. */
export function namesOf(key: AST.TOMLKey): readonly string[] {
	return key.keys.map((part) => (part.type === 'TOMLBare' ? part.name : part.value));
}

/** An object while its members are still gathered: TOML spreads them over the file. */
interface Growing {
	kind: 'object';
	offset: number;
	end: number;
	members: (Omit<ConfigMember, 'value'> & { value: ConfigValue | Growing | GrowingArray })[];
}

interface GrowingArray {
	kind: 'array';
	offset: number;
	end: number;
	items: (ConfigValue | Growing)[];
}

function rootOf(top: AST.TOMLTopLevelTable, end: number): ConfigValue {
	const root: Growing = { kind: 'object', offset: 0, end, members: [] };
	for (const node of top.body) {
		if (node.type === 'TOMLKeyValue') add(root, node);
		else {
			const table = tableOf(root, node);
			for (const member of node.body) add(table, member);
		}
	}
	return root;
}

function tableOf(root: Growing, node: AST.TOMLTable): Growing {
	const [offset, end] = node.range;
	let table = root;
	const names = namesOf(node.key);
	for (const [index, name] of names.entries()) {
		const isLast = index === names.length - 1;
		if (node.kind === 'array' && isLast) {
			const element: Growing = { kind: 'object', offset, end, members: [] };
			const found = table.members.find((member) => member.name === name)?.value;
			if (found?.kind === 'array') (found.items as Growing[]).push(element); // nobody has seen it yet
			else table.members.push({ name, offset, value: { kind: 'array', offset, end, items: [element] } });
			return element;
		}
		table = childOf(table, name, offset, end);
	}
	return table;
}

function childOf(table: Growing, name: string, offset: number, end: number): Growing {
	const found = table.members.find((member) => member.name === name)?.value;
	// The parser has made sure that nothing else can stand there.
	if (found?.kind === 'object') return found as Growing;
	if (found?.kind === 'array') {
		const last = found.items.at(-1);
		if (last?.kind === 'object') return last as Growing;
	}
	const child: Growing = { kind: 'object', offset, end, members: [] };
	table.members.push({ name, offset, value: child });
	return child;
}

function add(table: Growing, node: AST.TOMLKeyValue): void {
	const names = namesOf(node.key);
	let target = table;
	for (const name of names.slice(0, -1)) target = childOf(target, name, node.range[0], node.range[1]);
	target.members.push({ name: names.at(-1) ?? '', offset: node.range[0], value: valueOf(node.value) });
}

function valueOf(node: AST.TOMLContentNode): ConfigValue {
	const [offset, end] = node.range;
	switch (node.type) {
		case 'TOMLArray':
			return { kind: 'array', offset, end, items: node.elements.map(valueOf) };
		case 'TOMLInlineTable': {
			const table: Growing = { kind: 'object', offset, end, members: [] };
			for (const member of node.body) add(table, member);
			return table;
		}
		case 'TOMLValue':
			return {
				kind: 'scalar',
				offset,
				end,
				value: node.value instanceof Date ? undefined : node.value,
			};
	}
}
