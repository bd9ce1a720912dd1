import { join } from 'node:path';
import { ExpectedError } from '../../../core/base/errors.ts';
import { resolveServer } from '../../../core/host/config/resolveServer.ts';
import { readServerEntry } from '../../../core/host/config/serverEntry.ts';
import type { ServerDefinition } from '../../../core/host/serverDefinition.ts';
import { importFile, readImportRecord } from './config/importStore.ts';
import { entryFromPlain } from './config/importedEntry.ts';
import { resolveContext } from './serverConfigs.ts';
import type { ServerConfig, ServerConfigOptions, ServerConfigProblem } from './serverConfigs.ts';

/** Of a data directory: what `importedServers` reads. It changes with every import and restore. */
export function importedServersFile(dataDirectory: string): string {
	return join(dataDirectory, importFile);
}

/**
 * The servers that `crosstalk import` has routed through the host, by the names that `crosstalk connect` is given for them. A host puts
 * them under a source of their own at its start, and again whenever `importedServersFile` changes. Every `${…}` is resolved by the
 * rules of the client that the server came from, with the environment of the host. Problems have the same shape as those of
 * `readServerConfig`; a damaged file is one of them. Without an import there are no servers.
 */
export async function importedServers(
	dataDirectory: string,
	options: Pick<ServerConfigOptions, 'environment' | 'homeFolder'>,
): Promise<ServerConfig> {
	const read = await readImportRecord(dataDirectory).catch((error: unknown) => {
		if (error instanceof ExpectedError) return error;
		throw error;
	});
	// A host without these is better than none: it has others to serve.
	if (read instanceof ExpectedError)
		return { servers: [], isWhole: false, problems: [{ line: 1, message: read.message }] };
	const { record, text } = read;
	const servers: ServerDefinition[] = [];
	const problems: ServerConfigProblem[] = [];
	for (const [name, { dialect, folder, entry }] of Object.entries(record.imported)) {
		// Whether the client has it switched off is the client's business: it does not ask for it then.
		const server = readServerEntry(entryFromPlain(name, entry), dialect, () => undefined);
		const resolved = server && resolveServer(server, resolveContext(dialect, folder, options));
		if (resolved !== undefined && 'definition' in resolved) servers.push(resolved.definition);
		else
			problems.push({
				line: lineOf(text, name),
				message: `Server "${name}" is left out. ${resolved?.problems.join(' ') ?? 'There is no server in it.'}`,
			});
	}
	return { servers, isWhole: true, problems };
}

function lineOf(text: string, name: string): number {
	const lines = text.split('\n');
	return lines.findIndex((line) => line.startsWith(`\t\t${JSON.stringify(name)}: {`)) + 1 || 1;
}
