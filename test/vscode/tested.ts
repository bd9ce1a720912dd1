// The extension as the suites see it.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Range, Uri, commands, extensions, languages, workspace } from 'vscode';
import type { Diagnostic, TextDocument, TreeItem } from 'vscode';
import type { AgentsNode } from '../../src/extension/agentsTree.ts';
import type { ConversationNode } from '../../src/extension/conversationTree.ts';
import type { TestApi } from '../../src/extension/extension.ts';
import { eventually } from './runner.ts';

type Started<T> = { readonly [Name in keyof T]-?: NonNullable<T[Name]> };

/** The session of examples/recorded that was killed in mid-call, and the one that ended well. */
export const killedId = '4286b68e-7bda-44a4-87ea-3c0f563e00a3';
export const endedId = '26f2dd86-5462-4f7a-aac2-ce9ac421faeb';

export function home(): string {
	const path = process.env.CROSSTALK_TEST_HOME;
	if (path === undefined) throw new Error('The runner has named no home.');
	return path;
}

export function claudePath(sessionId: string): string {
	return join(home(), '.claude', 'projects', '-home-dev-analytics', `${sessionId}.jsonl`);
}

export function subagentPaths(sessionId: string): readonly string[] {
	const folder = join(claudePath(sessionId).replace(/\.jsonl$/, ''), 'subagents');
	return readdirSync(folder)
		.filter((name) => name.endsWith('.jsonl'))
		.sort()
		.map((name) => join(folder, name));
}

/** Every feature is there: one that could not be started fails all suites. */
export async function api(): Promise<Started<TestApi>> {
	const extension = extensions.getExtension<TestApi>('crosstalk.crosstalk');
	if (extension === undefined) throw new Error('The extension is not there.');
	const exports = await extension.activate();
	for (const [name, feature] of Object.entries(exports)) {
		if (feature === undefined) throw new Error(`${name} was not started.`);
	}
	return exports as Started<TestApi>; // just looked at
}

/** Ends the host that this window has found, if one runs. */
export async function endHost(): Promise<void> {
	const { connection } = await (await api()).host.load();
	await connection.look();
	if (connection.state === 'running') await connection.stop(true);
	await eventually(
		'The host has ended',
		() => connection.state,
		(state) => state === 'none',
	);
}

/** Shows the view and waits until every session has been read. */
export async function showAgents(): Promise<Started<TestApi>> {
	const found = await api();
	await commands.executeCommand('crosstalk.agents.focus');
	await eventually(
		'Every session was read',
		() => found.sessions.list.map(({ details }) => details !== undefined),
		(read) => read.length >= 3 && read.every(Boolean),
	);
	return found;
}

export async function rowOfSession(sessionId: string): Promise<AgentsNode> {
	const { agents, sessions } = await showAgents();
	const rows = await agents.tree.getChildren();
	const row = rows.find((node) => node.kind === 'session' && sessions.entry(node.key)?.files.nativeId === sessionId);
	if (row === undefined) throw new Error(`${sessionId} has no row.`);
	return row;
}

/** The tree below a row as text: a row a line, indented by its depth. */
export async function agentsOutline(node?: AgentsNode, depth = 0): Promise<readonly string[]> {
	const { tree } = (await api()).agents;
	const lines: string[] = [];
	for (const child of await tree.getChildren(node)) {
		lines.push(
			`${'  '.repeat(depth)}${rowText(tree.getTreeItem(child))}`,
			...(await agentsOutline(child, depth + 1)),
		);
	}
	return lines;
}

export async function conversationOutline(
	depth: number,
	node?: ConversationNode,
	indent = 0,
): Promise<readonly string[]> {
	const { tree } = (await api()).conversation;
	const lines: string[] = [];
	for (const child of await tree.getChildren(node)) {
		lines.push(`${'  '.repeat(indent)}${rowText(tree.getTreeItem(child))}`);
		if (indent + 1 < depth) lines.push(...(await conversationOutline(depth, child, indent + 1)));
	}
	return lines;
}

export function rowText(item: TreeItem): string {
	const label = typeof item.label === 'string' ? item.label : (item.label?.label ?? '');
	const icon =
		item.iconPath !== undefined && typeof item.iconPath === 'object' && 'id' in item.iconPath
			? `${item.iconPath.id} `
			: '';
	return typeof item.description === 'string' && item.description !== ''
		? `${icon}${label} — ${item.description}`
		: `${icon}${label}`;
}

/** Opens a transcript in an editor and waits until it is recognised. */
export async function openTranscript(path: string): Promise<TextDocument> {
	// As a person opens it: a document that an extension opens stays for minutes after its editor was closed.
	await commands.executeCommand('vscode.open', Uri.file(path), { preview: false });
	const open = await eventually(
		'The transcript is recognised',
		() =>
			workspace.textDocuments.find(
				({ uri, languageId }) => uri.fsPath === path && languageId === 'agent-transcript',
			),
		(document) => document !== undefined,
	);
	if (open === undefined) throw new Error(`${path} is not open.`);
	return open;
}

/** Of ours alone, in the file. */
export function problemsOf(path: string): readonly Diagnostic[] {
	return languages.getDiagnostics(Uri.file(path)).filter(({ source }) => source === 'Crosstalk');
}

/** Where a text stands for the n-th time. */
export function rangeOf(document: TextDocument, text: string, count = 1): Range {
	let at = -1;
	for (let found = 0; found < count; found++) {
		at = document.getText().indexOf(text, at + 1);
		if (at === -1) throw new Error(`${document.uri.path} does not contain ${text}.`);
	}
	return new Range(document.positionAt(at), document.positionAt(at + text.length));
}
