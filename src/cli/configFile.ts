import { readFile } from 'node:fs/promises';
import { ExpectedError } from '../core/base/errors.ts';
import type { FailOn } from '../core/report/index.ts';
import { rules } from '../core/rules/index.ts';
import type { RuleSettings } from '../core/rules/linter.ts';
import { JsoncError, parseJsonc } from './jsonc.ts';
import type { JsoncMember, JsoncValue } from './jsonc.ts';

export interface LintConfig {
	readonly rules: RuleSettings;
	readonly failOn: FailOn | undefined;
}

export const severities = ['off', 'note', 'warning', 'error'] as const;
export const failOnWords = ['note', 'warning', 'error', 'never'] as const;

/** Reads a configuration file. Whatever is wrong with it is one sentence with file and line. @param name The path as the person gave it. */
export async function readConfig(path: string, name: string): Promise<LintConfig> {
	let text: string;
	try {
		text = await readFile(path, 'utf8');
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
	const wrong = (line: number, problem: string) => new ExpectedError(`${name}:${line}: ${problem}.`);
	let root: JsoncValue;
	try {
		root = parseJsonc(text);
	} catch (error) {
		if (!(error instanceof JsoncError)) throw error;
		throw wrong(error.line, `The configuration is not JSON: ${error.message}`);
	}
	if (root.kind !== 'object') throw wrong(root.line, 'The configuration must be an object');
	const settings: Record<string, (typeof severities)[number]> = {};
	let failOn: FailOn | undefined;
	for (const member of root.members) {
		switch (member.name) {
			case '$schema':
				break;
			case 'failOn':
				failOn = word(member, failOnWords);
				break;
			case 'rules':
				if (member.value.kind !== 'object')
					throw wrong(member.value.line, '"rules" must be an object of rule ids and severities');
				for (const rule of member.value.members) {
					if (!isRuleId(rule.name)) throw wrong(rule.line, `There is no rule "${rule.name}"`);
					settings[rule.name] = word(rule, severities);
				}
				break;
			default:
				throw wrong(member.line, `There is no setting "${member.name}"; there are "rules" and "failOn"`);
		}
	}
	return { rules: settings, failOn };

	function word<T extends string>({ name: key, value }: JsoncMember, words: readonly T[]): T {
		const found = value.kind === 'string' ? words.find((candidate) => candidate === value.text) : undefined;
		if (found === undefined)
			throw wrong(value.line, `"${key}" must be one of ${words.map((candidate) => `"${candidate}"`).join(', ')}`);
		return found;
	}
}

export function isRuleId(id: string): boolean {
	return rules.some((rule) => rule.id === id);
}
