import { sep } from 'node:path';

/**
 * The names that a project's folder may have in `~/.claude.json`. On Windows Claude Code writes slashes there, earlier versions wrote backslashes, and
 * the drive's letter is as it was where it was started.
 */
export function claudeProjectKeys(folder: string, separator: string = sep): readonly string[] {
	if (separator !== '\\') return [folder];
	const forms = [folder.replaceAll('\\', '/'), folder].flatMap((path) => [
		path,
		path.replace(/^[a-z]:/, (drive) => drive.toUpperCase()),
		path.replace(/^[A-Z]:/, (drive) => drive.toLowerCase()),
	]);
	return [...new Set(forms)];
}
