import type { LintResult } from './lintResult.ts';

export function formatJson(result: LintResult): string {
	return `${JSON.stringify(result, undefined, 2)}\n`;
}
