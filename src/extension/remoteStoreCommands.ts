import { ProgressLocation, commands, window } from 'vscode';
import type { HostParts } from './hostParts.ts';
import { viewIds } from './ids.ts';
import { problemOfToken, remoteAddressOf } from './remoteAddress.ts';

const title = 'Connect to Remote Session Store';

export async function connectRemoteStore({ remote }: HostParts): Promise<void> {
	const address = await window.showInputBox({
		title,
		prompt: 'Address of the Worker that the session store was deployed as',
		placeHolder: 'https://crosstalk-sessions.example.workers.dev',
		value: remote.view?.address ?? '',
		ignoreFocusOut: true,
		validateInput: (text) => {
			const found = remoteAddressOf(text);
			return text === '' || found.kind === 'address' ? undefined : found.message;
		},
	});
	if (address === undefined || address.trim() === '') return;
	const found = remoteAddressOf(address);
	const name = found.kind === 'address' ? found.name : address;
	const token = await window.showInputBox({
		title,
		prompt: `Token of ${name}. It is kept in the secret storage of VS Code and sent to this address only`,
		password: true,
		ignoreFocusOut: true,
		validateInput: (text) => (text === '' ? undefined : problemOfToken(text.trim())),
	});
	if (token === undefined || token.trim() === '') return;
	await window.withProgress({ location: ProgressLocation.Notification, title: `Connecting to ${name}` }, () =>
		remote.connect(address, token.trim()),
	);
	await commands.executeCommand(`${viewIds.servers}.focus`);
	void window.showInformationMessage(
		`Connected to ${name}. Open "Remote session store" below the MCP servers to read its sessions.`,
	);
}

export async function disconnectRemoteStore({ remote }: HostParts): Promise<void> {
	const name = remote.view?.name;
	await remote.disconnect();
	void window.showInformationMessage(`The address and the token of ${name} are forgotten.`);
}
