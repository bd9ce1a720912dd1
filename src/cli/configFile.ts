import { readFile } from 'node:fs/promises';
import { findNodeAtLocation, getNodeValue, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { Node, ParseError } from 'jsonc-parser';
import { ExpectedError } from '../core/base/errors.ts';
import type { FailOn } from '../core/report/index.ts';
import type { RuleSettings } from '../core/rules/linter.ts';
import { checkScopeSettings } from '../core/scope/index.ts';
import type { ScopeSettings } from '../core/scope/index.ts';
import { failOnWords, isRuleId, severities } from './ruleWords.ts';

export interface LintConfig {
	readonly rules: RuleSettings;
	readonly failOn: FailOn | undefined;
	readonly scope: ScopeSettings;
}

/** Reads a configuration file. Whatever is wrong with it is one sentence with file and line. @param name The path as the person gave it. */
export async function readConfig(path: string, name: string): Promise<LintConfig> {
	let text: string;
	try {
		// A byte order mark is no part of the text.
		text = (await readFile(path, 'utf8')).replace(/^\uFEFF/, '');
	} catch (error) {
		const code = error instanceof Error && 'code' in error ? String(error.code) : '';
		const reason =
			code === 'ENOENT'
				? 'there is no such file'
				: code === 'EACCES'
					? 'there is no permission to read it'
					: code === 'EISDIR'
						? 'it is a folder'
						: code;
		throw new ExpectedError(`The configuration ${name} cannot be read: ${reason}.`, { cause: error });
	}
	return parseConfig(text, name);
}

function parseConfig(text: string, name: string): LintConfig {
	const wrong = (offset: number, problem: string) => {
		const line = text.slice(0, offset).split('\n').length;
		return new ExpectedError(`${name}:${line}: ${problem}.`);
	};
	const errors: ParseError[] = [];
	const root = parseTree(text, errors, { allowTrailingComma: true });
	const [error] = errors;
	if (error !== undefined) throw wrong(error.offset, `The configuration is not JSON: ${parseErrorWords(error)}`);
	if (root?.type !== 'object') throw wrong(root?.offset ?? 0, 'The configuration must be an object');
	const settings: Record<string, (typeof severities)[number]> = {};
	let failOn: FailOn | undefined;
	let scope: ScopeSettings = {};
	for (const member of membersOf(root)) {
		switch (member.name) {
			case '$schema':
				break;
			case 'failOn':
				failOn = word(member, failOnWords);
				break;
			case 'rules':
				if (member.value.type !== 'object')
					throw wrong(member.value.offset, '"rules" must be an object of rule ids and severities');
				for (const rule of membersOf(member.value)) {
					if (!isRuleId(rule.name)) throw wrong(rule.offset, `There is no rule "${rule.name}"`);
					settings[rule.name] = word(rule, severities);
				}
				break;
			case 'scope':
				scope = scopeIn(member.value);
				break;
			default:
				throw wrong(
					member.offset,
					`There is no setting "${member.name}"; there are "rules", "failOn" and "scope"`,
				);
		}
	}
	return { rules: settings, failOn, scope };

	function scopeIn(value: Node): ScopeSettings {
		const { settings: checked, problems } = checkScopeSettings(getNodeValue(value));
		const [problem] = problems;
		if (problem === undefined) return checked;
		const place = nodeAt(value, problem.path);
		throw wrong(place.offset, problem.message.replace(/\.$/, ''));
	}

	function word<T extends string>({ name: key, value }: Member, words: readonly T[]): T {
		const found = words.find((candidate) => candidate === value.value);
		if (found === undefined)
			throw wrong(
				value.offset,
				`"${key}" must be one of ${words.map((candidate) => `"${candidate}"`).join(', ')}`,
			);
		return found;
	}
}

/** What a path leads to, or as far of it as there is; of a member the beginning of its name. */
function nodeAt(root: Node, path: readonly string[]): Node {
	for (let length = path.length; length > 0; length--) {
		const found =
			findNodeAtLocation(root, path.slice(0, length)) ??
			findNodeAtLocation(root, [...path.slice(0, length - 1), Number(path[length - 1])]);
		if (found !== undefined) return found.parent?.type === 'property' ? found.parent : found;
	}
	return root;
}

interface Member {
	readonly name: string;
	readonly offset: number;
	readonly value: Node;
}

function* membersOf(object: Node): Generator<Member> {
	for (const property of object.children ?? []) {
		const [key, value] = property.children ?? [];
		// The library's values are `any`; a key is a string.
		if (key !== undefined && value !== undefined) yield { name: String(key.value), offset: key.offset, value };
	}
}

/** `PropertyNameExpected` → "property name expected". */
export function parseErrorWords(error: ParseError): string {
	return printParseErrorCode(error.error)
		.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ')
		.toLowerCase();
}
