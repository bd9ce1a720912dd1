// Runs in the extension host, where VS Code calls `run`: makes one call of one tool with VS Code's own MCP client, as its agents do.

import { ConfigurationTarget, LanguageModelTextPart, commands, lm, workspace } from 'vscode';

import type { VscodeCall } from './vscodeClient.ts';

export async function run(): Promise<void> {
	try {
		await tell('answer', await makeCall());
	} catch (error) {
		await tell('failure', error instanceof Error ? (error.stack ?? error.message) : String(error));
	}
}

async function makeCall(): Promise<string> {
	// Written by startVscodeClient.
	const { server, tool, input, dataDirectory } = JSON.parse(process.env['CROSSTALK_E2E_CALL'] ?? '') as VscodeCall;
	// These are settings of the machine: in a window of a remote one, the files of the user do not count.
	const settings = workspace.getConfiguration('crosstalk');
	await settings.update('host.dataDirectory', dataDirectory, ConfigurationTarget.Global);
	await settings.update('mcp.provideServers', true, ConfigurationTarget.Global);
	const deadline = Date.now() + 180_000;
	for (;;) {
		await commands.executeCommand('workbench.mcp.startServer', '*', { waitForLiveTools: true });
		const found = lm.tools.find(({ name }) => name.startsWith(`mcp_${server}_`) && name.endsWith(tool));
		if (found !== undefined) {
			const { content } = await lm.invokeTool(found.name, { input, toolInvocationToken: undefined });
			return content.map((part) => (part instanceof LanguageModelTextPart ? part.value : '')).join('');
		}
		if (Date.now() > deadline)
			throw new Error(`There is no such tool, only ${lm.tools.map(({ name }) => name).join(', ')}.`);
		await new Promise((resolve) => setTimeout(resolve, 200));
	}
}

async function tell(what: 'answer' | 'failure', text: string): Promise<void> {
	await fetch(`${process.env['CROSSTALK_E2E_ADDRESS']}/${what}`, { method: 'POST', body: text });
}
