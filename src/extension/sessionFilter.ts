import type { SessionEntry } from './sessions.ts';
import { formatNames, projectOf, titleOf } from './words.ts';

/** What the list of sessions is narrowed down to. */
export interface SessionFilter {
	readonly text: string | undefined;
	readonly format: string | undefined;
	readonly project: string | undefined;
	readonly isWithFindings: boolean;
}

export const noFilter: SessionFilter = {
	text: undefined,
	format: undefined,
	project: undefined,
	isWithFindings: false,
};

export function isShown(entry: SessionEntry, filter: SessionFilter): boolean {
	if (filter.format !== undefined && entry.files.format !== filter.format) return false;
	if (filter.project !== undefined && projectOf(entry) !== filter.project) return false;
	if (filter.isWithFindings && (entry.details?.diagnostics.length ?? 0) === 0) return false;
	if (filter.text === undefined) return true;
	const wanted = filter.text.toLowerCase();
	return [titleOf(entry), entry.files.nativeId, projectOf(entry)].some((text) => text.toLowerCase().includes(wanted));
}

/** "Codex · with findings" */
export function filterWords(filter: SessionFilter): string | undefined {
	const words: string[] = [];
	if (filter.text !== undefined) words.push(`“${filter.text}”`);
	if (filter.format !== undefined) words.push(formatNames[filter.format] ?? filter.format);
	if (filter.project !== undefined) words.push(filter.project);
	if (filter.isWithFindings) words.push('with findings');
	return words.length === 0 ? undefined : words.join(' · ');
}
