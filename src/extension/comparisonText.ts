import { Uri, window } from 'vscode';
import type { QuickPickItem } from 'vscode';
import { ExpectedError } from '../core/base/errors.ts';
import { compareRuns } from '../core/runs/compareRuns.ts';
import { comparisonLines } from '../core/runs/comparisonText.ts';
import type { ComparisonLine } from '../core/runs/comparisonText.ts';
import { agentOf } from './agentsView.ts';
import type { ComparisonOptions } from './comparisonView.ts';
import { filePlace } from './convert.ts';
import { agentInEditor } from './conversationView.ts';
import { comparisonScheme } from './ids.ts';
import { folderOf } from './paths.ts';
import type { SessionKey } from './sessionInView.ts';
import type { SessionHold, Sessions } from './sessions.ts';
import { ago, formatNames, shortened, titleOf } from './words.ts';

/**
 * The address of a document that compares two sessions; `undefined`: nobody has chosen two.
 * @param values Their rows; what is missing is asked for.
 */
export async function askWhatToCompare(
	{ agents, transcripts, sessions }: ComparisonOptions,
	[value, other]: readonly unknown[],
): Promise<Uri | undefined> {
	const first =
		agentOf(agents.isNode(value) ? value : undefined) ??
		(await agentInEditor(transcripts)) ??
		agentOf(agents.nodeOf(undefined));
	if (first === undefined) {
		void window.showInformationMessage(
			'Select a session in the Crosstalk view, or open a transcript, to compare it with another.',
		);
		return undefined;
	}
	const second = agentOf(agents.isNode(other) ? other : undefined)?.key ?? (await askForOther(sessions, first.key));
	if (second === undefined) return undefined;
	const names = [first.key, second].map((key) => shortened(titleOf(sessions.entry(key)), 30));
	return Uri.from({
		scheme: comparisonScheme,
		// The path is what the tab says; the query tells what it is.
		path: `/${names
			.join(' ↔ ')
			.replaceAll(/[/\\?#:*"<>|]/g, '_')
			.replace(/\.+$/, '')}.txt`,
		query: JSON.stringify([first.key, second]),
	});
}

/** What differs between the two sessions that a document's address names, with the places in it. */
export async function comparisonText(sessions: Sessions, uri: Uri): Promise<readonly ComparisonLine[]> {
	const [one, other] = keysIn(uri);
	const holds: SessionHold[] = [];
	try {
		for (const key of [one, other]) {
			// A window that is opened again shows its editors before anybody has looked for sessions.
			const hold = sessions.hold(await sessions.keyFor(key));
			if (hold === undefined) return [{ text: `The session is no longer there: ${key}` }];
			holds.push(hold);
			await hold.session.whenRead;
		}
		const [first, second] = holds.map(({ session }) => session);
		if (first === undefined || second === undefined) return [];
		const comparison = await compareRuns(sessions.platform.files, first, second);
		return comparisonLines(comparison, {
			names: [titleOf(sessions.entry(one)), titleOf(sessions.entry(other))],
			placeText: (place) => {
				const at = filePlace(place);
				return at === undefined
					? ''
					: `${at.path.slice(folderOf(at.path).length + 1)}:${at.range.start.line + 1}`;
			},
		});
	} catch (error) {
		if (!(error instanceof ExpectedError)) throw error;
		return [{ text: error.message }];
	} finally {
		for (const hold of holds) hold.dispose();
	}
}

async function askForOther(sessions: Sessions, first: SessionKey): Promise<SessionKey | undefined> {
	interface Choice extends QuickPickItem {
		/** `undefined`: a file that is still to be chosen. */
		readonly key: SessionKey | undefined;
	}
	await sessions.search();
	const now = Date.now();
	const choices: Choice[] = [
		{ label: '$(folder-opened) A Transcript or Session File…', alwaysShow: true, key: undefined },
		...sessions.list
			.filter(({ key }) => key !== first)
			.map((entry) => ({
				label: titleOf(entry),
				description: `${formatNames[entry.files.format] ?? entry.files.format} · ${ago(entry.details?.lastEventAt ?? entry.modifiedAt, now)}`,
				detail: entry.files.nativeId,
				key: entry.key,
			})),
	];
	const chosen = await window.showQuickPick(choices, {
		title: `Compare “${titleOf(sessions.entry(first))}” with…`,
		matchOnDescription: true,
		matchOnDetail: true,
	});
	if (chosen === undefined || chosen.key !== undefined) return chosen?.key;
	const [uri] =
		(await window.showOpenDialog({
			title: 'Compare with',
			filters: { 'Transcripts and Session Files': ['jsonl', 'crosstalk'] },
		})) ?? [];
	return uri === undefined ? undefined : sessions.open(uri.fsPath);
}

function keysIn(uri: Uri): readonly [SessionKey, SessionKey] {
	try {
		const [one, other] = JSON.parse(uri.query) as unknown[]; // anybody can make such an address
		return [String(one), String(other)];
	} catch {
		// No address of ours.
		return ['', ''];
	}
}
