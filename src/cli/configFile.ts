import { findNodeAtLocation, getNodeValue, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { Node, ParseError } from 'jsonc-parser';
import { ExpectedError } from '../core/base/errors.ts';
import type { FailOn } from '../core/report/index.ts';
import type { RuleSettings } from '../core/rules/linter.ts';
import { checkScopeSettings } from '../core/scope/index.ts';
import type { ScopeSettings } from '../core/scope/index.ts';
import { whyUnreadable } from '../platform/node/errno.ts';
import { readRegularText } from '../platform/node/regularFile.ts';
import { failOnWords, isRuleId, noRule, severities } from './ruleWords.ts';

export interface LintConfig {
	readonly rules: RuleSettings;
	readonly failOn: FailOn | undefined;
	readonly scope: ScopeSettings;
}

/** Reads a configuration file. Each thing that is wrong with it is one sentence with file and line. @param name The path as the person gave it. */
export async function readConfig(path: string, name: string): Promise<LintConfig> {
	let text: string;
	try {
		// A byte order mark is no part of the text.
		text = (await readRegularText(path)).replace(/^\uFEFF/, '');
	} catch (error) {
		throw new ExpectedError(`The configuration ${name} cannot be read: ${whyUnreadable(error)}`, { cause: error });
	}
	return parseConfig(text, name);
}

function parseConfig(text: string, name: string): LintConfig {
	const problems: { readonly line: number; readonly message: string }[] = [];
	const wrong = (offset: number, message: string) =>
		void problems.push({ line: text.slice(0, offset).split('\n').length, message });
	const refuseWrong = () => {
		if (problems.length === 0) return;
		problems.sort((one, other) => one.line - other.line);
		throw new ExpectedError(problems.map(({ line, message }) => `${name}:${line}: ${message}`).join('\n'));
	};
	const errors: ParseError[] = [];
	const root = parseTree(text, errors, { allowTrailingComma: true });
	const [error] = errors;
	if (error !== undefined) wrong(error.offset, `The configuration is not JSON: ${parseErrorWords(error)}.`);
	else if (root?.type !== 'object') wrong(root?.offset ?? 0, 'The configuration must be an object.');
	// What it says cannot be told.
	refuseWrong();
	const settings: Record<string, (typeof severities)[number]> = {};
	let failOn: FailOn | undefined;
	let scope: ScopeSettings = {};
	for (const member of root === undefined ? [] : membersOf(root)) {
		switch (member.name) {
			case '$schema':
				break;
			case 'failOn':
				failOn = word(member, failOnWords);
				break;
			case 'rules':
				if (member.value.type !== 'object')
					wrong(member.value.offset, '"rules" must be an object of rule ids and severities.');
				for (const rule of member.value.type === 'object' ? membersOf(member.value) : []) {
					if (!isRuleId(rule.name)) wrong(rule.offset, noRule(rule.name));
					else settings[rule.name] = word(rule, severities) ?? 'off';
				}
				break;
			case 'scope':
				scope = scopeIn(member.value);
				break;
			default:
				wrong(member.offset, `There is no setting "${member.name}"; there are "rules", "failOn" and "scope".`);
		}
	}
	refuseWrong();
	return { rules: settings, failOn, scope };

	function scopeIn(value: Node): ScopeSettings {
		const { settings: checked, problems: found } = checkScopeSettings(getNodeValue(value));
		for (const { path, message } of found) wrong(nodeAt(value, path).offset, message);
		return checked;
	}

	function word<T extends string>({ name: key, value }: Member, words: readonly T[]): T | undefined {
		const found = words.find((candidate) => candidate === value.value);
		if (found === undefined)
			wrong(value.offset, `"${key}" must be one of ${words.map((candidate) => `"${candidate}"`).join(', ')}.`);
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
