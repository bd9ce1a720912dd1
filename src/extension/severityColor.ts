import { ThemeColor } from 'vscode';
import type { Severity } from '../core/rules/rule.ts';

/** What a row is coloured in for the worst that was found at it; a note and nothing at all leave it as it is. */
export function severityColor(worst: Severity | undefined): ThemeColor | undefined {
	if (worst === 'error') return new ThemeColor('list.errorForeground');
	if (worst === 'warning') return new ThemeColor('list.warningForeground');
	return undefined;
}
