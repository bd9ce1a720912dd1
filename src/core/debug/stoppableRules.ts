/** Rules whose finding is known before a call is made, or before its agent sees what came of it. */
export const stoppableRules = ['compaction-mid-call', 'default-scope-query', 'duplicate-execution'] as const;

export function isStoppableRule(ruleId: string): boolean {
	return stoppableRules.some((known) => known === ruleId);
}
