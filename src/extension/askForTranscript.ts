import { window } from 'vscode';

/** @returns `undefined`: the person has left it. */
export async function askForTranscript(): Promise<string | undefined> {
	const [uri] =
		(await window.showOpenDialog({
			title: 'Open a Transcript',
			openLabel: 'Open',
			filters: { 'Transcripts and Session Files': ['jsonl', 'crosstalk'] },
		})) ?? [];
	return uri?.fsPath;
}
