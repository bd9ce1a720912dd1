// What options and configuration files call rules and how bad they are.

import { didYouMean } from '../core/base/nearest.ts';
import { rules } from '../core/rules/index.ts';

export const severities = ['off', 'note', 'warning', 'error'] as const;
export const failOnWords = ['note', 'warning', 'error', 'never'] as const;

export function isRuleId(id: string): boolean {
	return rules.some((rule) => rule.id === id);
}

/** That there is no such rule, and which one may be meant. */
export function noRule(id: string): string {
	const ids = rules.map((rule) => rule.id);
	return `There is no rule "${id}".${didYouMean(id, ids)}`;
}
