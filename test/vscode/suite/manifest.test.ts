// The manifest says what the code does, and the code has what the manifest says.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commands, extensions } from 'vscode';
import { rules } from '../../../src/core/rules/index.ts';
import { commandIds, languageId, taskType, viewIds } from '../../../src/extension/ids.ts';
import { api } from '../tested.ts';

interface Manifest {
	readonly contributes: {
		readonly commands: readonly { readonly command: string; readonly title: string; readonly category: string }[];
		readonly views: Readonly<Record<string, readonly { readonly id: string }[]>>;
		readonly configuration: {
			readonly properties: Readonly<
				Record<string, { readonly scope: string; readonly properties?: Readonly<Record<string, unknown>> }>
			>;
		};
		readonly languages: readonly { readonly id: string }[];
		readonly taskDefinitions: readonly { readonly type: string }[];
		readonly problemPatterns: readonly { readonly regexp: string }[];
		readonly menus: Readonly<Record<string, readonly { readonly command: string }[]>>;
	};
	readonly capabilities: {
		readonly untrustedWorkspaces: { readonly supported: unknown; readonly restrictedConfigurations: unknown };
	};
}

describe('the manifest', () => {
	let manifest: Manifest;
	let folder: string;

	before(async () => {
		await api();
		const extension = extensions.getExtension('crosstalk.crosstalk');
		assert.ok(extension);
		folder = extension.extensionPath;
		manifest = extension.packageJSON as Manifest; // the file that is looked at here
	});

	it('contributes commands that exist, all with the category', async () => {
		const known = new Set(await commands.getCommands(true));
		const ids: readonly string[] = Object.values(commandIds);
		assert.deepEqual(
			ids.filter((id) => !known.has(id)),
			[],
		);
		for (const { command, category, title } of manifest.contributes.commands) {
			assert.ok(ids.includes(command), command);
			assert.equal(category, 'Crosstalk');
			assert.ok(!title.startsWith('%') && !title.endsWith('.'), title);
		}
		const offered = new Set(manifest.contributes.commands.map(({ command }) => command));
		for (const entries of Object.values(manifest.contributes.menus)) {
			for (const { command } of entries) assert.ok(offered.has(command), command);
		}
	});

	it('contributes the views, the language and the task type of the code, and no view without contents', () => {
		assert.deepEqual(
			Object.values(manifest.contributes.views).flatMap((views) => views.map(({ id }) => id)),
			Object.values(viewIds),
		);
		assert.deepEqual(
			manifest.contributes.languages.map(({ id }) => id),
			[languageId],
		);
		assert.deepEqual(
			manifest.contributes.taskDefinitions.map(({ type }) => type),
			[taskType],
		);
	});

	it('has a setting for every rule', () => {
		const settings = manifest.contributes.configuration.properties['crosstalk.rules']?.properties ?? {};
		assert.deepEqual(Object.keys(settings).sort(), rules.map(({ id }) => id).sort());
	});

	it('has a text for every name, and no name for nothing', () => {
		const used = new Set(
			[...readFileSync(join(folder, 'package.json'), 'utf8').matchAll(/"%([\w.-]+)%"/g)].map(
				(match) => match[1] ?? '',
			),
		);
		const texts = JSON.parse(readFileSync(join(folder, 'package.nls.json'), 'utf8')) as Readonly<
			Record<string, string>
		>; // ours
		assert.deepEqual(Object.keys(texts).sort(), [...used].sort());
	});

	it('reads findings of the command line, but not the places that belong to them', () => {
		const pattern = new RegExp(manifest.contributes.problemPatterns[0]?.regexp ?? '');
		const finding =
			"/a b/c:d.jsonl:14:210: error: main's call to x: y has no result [not a rule]. [orphaned-tool-use]";
		assert.deepEqual(pattern.exec(finding)?.slice(1), [
			'/a b/c:d.jsonl',
			'14',
			'210',
			'error',
			"main's call to x: y has no result [not a rule].",
			'orphaned-tool-use',
		]);
		assert.equal(pattern.exec('/a/b.jsonl:3:1: note: The conversation goes on here.'), null);
		assert.deepEqual(pattern.exec('C:\\a\\b.jsonl:3:1: warning: Damaged. [damaged-line]')?.slice(1, 4), [
			'C:\\a\\b.jsonl',
			'3',
			'1',
		]);
	});

	it('works in workspaces that are not trusted, and lets none of them say what is to be searched', () => {
		const { supported, restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;
		// VS Code looks at the list only where the support is limited.
		assert.equal(supported, 'limited');
		const ofWorkspaces = Object.entries(manifest.contributes.configuration.properties)
			.filter(([, { scope }]) => scope === 'machine-overridable')
			.map(([name]) => name);
		assert.deepEqual(restrictedConfigurations, ofWorkspaces);
	});
});
