import assert from 'node:assert/strict';
import { extensions, version, workspace } from 'vscode';
import { screenshot } from '../runner.ts';

describe('the extension', () => {
	it('is found by its id and activates', async () => {
		const extension = extensions.getExtension('crosstalk.crosstalk');
		assert.ok(extension, `not among the extensions of VS Code ${version}`);
		await extension.activate();
		assert.equal(extension.isActive, true);
	});

	it('runs in a workspace of its own, with the settings of the run', async () => {
		assert.equal(workspace.workspaceFolders?.[0]?.name, 'workspace');
		assert.equal(workspace.getConfiguration('editor').get('minimap.enabled'), false);
		await screenshot('workbench');
	});
});
