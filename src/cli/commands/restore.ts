import { formatJson, printable, printableLines } from '../../core/report/index.ts';
import { clientNames } from '../../platform/node/host/config/clientFiles.ts';
import { restoreImports } from '../../platform/node/host/config/restoring.ts';
import type { RestoredFile } from '../../platform/node/host/config/restoring.ts';
import { dataDirectory } from '../dataOption.ts';
import type { Command } from '../io.ts';
import { UsageError, parseOptions } from '../usage.ts';

const help = `Usage: crosstalk restore [options]

Takes back what "crosstalk import --write" has done: every configuration file is again as it was,
byte for byte. In a file that was changed since only the servers are put back, and what was done
is shown.

Options:
  --data DIR      The data directory of the host (default: the user's)
  --json          What was done, for programs
  --help          This text

Exit code: 0 done, 2 could not run, or something could not be put back.
`;

export const restore: Command = {
	help,
	async run(args, io) {
		const { values, positionals } = parseOptions(args, { data: { type: 'string' }, json: { type: 'boolean' } });
		const [extra] = positionals;
		if (extra !== undefined) throw new UsageError(`"${extra}" is one argument too many.`);
		const files = await restoreImports(dataDirectory(io, values.data));
		if (values.json === true) io.stdout.write(formatJson({ version: 1, files }));
		else if (files.length === 0) io.stdout.write('There is nothing to restore.\n');
		else for (const file of files) io.stdout.write(text(file));
		return files.some(({ result }) => result === 'failed') ? 2 : 0;
	},
};

function text({ client, path, result, diff, remarks, backup }: RestoredFile): string {
	const lines = [`${clientNames[client]}: ${printable(path)}`, `  ${words[result]}`];
	for (const remark of remarks) lines.push(`  ${printable(remark)}`);
	if (backup !== undefined) lines.push(`  As it was before the import: ${printable(backup)}`);
	if (diff !== '') lines.push('', printableLines(diff.trimEnd()), '');
	return `${lines.join('\n')}\n`;
}

const words: Readonly<Record<RestoredFile['result'], string>> = {
	restored: 'Restored, byte for byte.',
	unchanged: 'Nothing had to be put back.',
	merged: 'Restored.',
	gone: 'Forgotten.',
	failed: 'Not restored.',
};
