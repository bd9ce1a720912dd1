// What options and configuration files call rules and how bad they are.

import { rules } from '../core/rules/index.ts';

export const severities = ['off', 'note', 'warning', 'error'] as const;
export const failOnWords = ['note', 'warning', 'error', 'never'] as const;

export function isRuleId(id: string): boolean {
	return rules.some((rule) => rule.id === id);
}
