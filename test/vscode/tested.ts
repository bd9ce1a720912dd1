// The extension as the suites see it.

import { commands, extensions } from 'vscode';
import type { TreeItem } from 'vscode';
import type { AgentsNode } from '../../src/extension/agentsTree.ts';
import type { TestApi } from '../../src/extension/extension.ts';

type Started<T> = { readonly [Name in keyof T]-?: NonNullable<T[Name]> };

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

export async function showAgents(): Promise<void> {
	await commands.executeCommand('crosstalk.agents.focus');
}

export async function childrenOf(node?: AgentsNode): Promise<readonly AgentsNode[]> {
	const { agents } = await api();
	return agents.tree.getChildren(node);
}

/** The tree as text: a row a line, indented by its depth. */
export async function outline(node?: AgentsNode, depth = 0): Promise<string> {
	const { agents } = await api();
	const lines: string[] = [];
	for (const child of await childrenOf(node)) {
		lines.push(`${'  '.repeat(depth)}${rowText(agents.tree.getTreeItem(child))}`);
		const below = await outline(child, depth + 1);
		if (below !== '') lines.push(below);
	}
	return lines.join('\n');
}

export function rowText(item: TreeItem): string {
	const label = typeof item.label === 'string' ? item.label : (item.label?.label ?? '');
	return typeof item.description === 'string' && item.description !== '' ? `${label} — ${item.description}` : label;
}
