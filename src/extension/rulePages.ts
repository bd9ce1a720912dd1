import { Uri } from 'vscode';

/** The page of a rule, as it comes with the extension: it tells of this very version and needs no network. */
export function rulePage(extension: Uri, ruleId: string): Uri {
	return Uri.joinPath(extension, 'docs', 'rules', `${ruleId}.md`);
}
