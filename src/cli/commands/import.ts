import { counted } from '../../core/base/text.ts';
import { formatJson, printable, printableLines } from '../../core/report/index.ts';
import { clientNames, clients } from '../../platform/node/host/config/clientFiles.ts';
import { planImport, writeImport } from '../../platform/node/host/config/importing.ts';
import type {
	ImportOptions,
	ImportPlan,
	ImportProblem,
	PlannedServer,
} from '../../platform/node/host/config/importing.ts';
import { dataDirectory } from '../dataOption.ts';
import type { Command } from '../io.ts';
import { launcherOf } from '../launcher.ts';
import { tellProblem } from '../tellProblem.ts';
import { UsageError, oneOf, parseOptions } from '../usage.ts';

const help = `Usage: crosstalk import [options]

Routes the MCP servers of your agents through the host: their configuration files, of this project
and of yours, then start "crosstalk connect <server>" in place of the server. Without --write it
prints what it would change and changes nothing. "crosstalk restore" takes it back.

Options:
  --from CLIENT   claude, vscode, cursor, codex (default: all); may be given several times
  --write         Do it; the files are kept as they were, byte for byte
  --data DIR      The data directory of the host (default: the user's)
  --json          The plan for programs
  --help          This text

Exit code: 0 done, 2 could not run, or a file could not be read or written.
`;

export const importServers: Command = {
	help,
	async run(args, io) {
		const { values, positionals } = parseOptions(args, {
			from: { type: 'string', multiple: true },
			write: { type: 'boolean' },
			data: { type: 'string' },
			json: { type: 'boolean' },
		});
		const [extra] = positionals;
		if (extra !== undefined) throw new UsageError(`"${extra}" is one argument too many.`);
		const chosen = (values.from ?? []).map((client) => oneOf('--from', client, clients));
		const options: ImportOptions = {
			platform: process.platform,
			environment: io.environment,
			homeFolder: io.homeFolder,
			workingFolder: io.workingFolder,
			clients: chosen.length === 0 ? clients : clients.filter((client) => chosen.includes(client)),
			dataDirectory: dataDirectory(io, values.data),
			defaultDataDirectory: dataDirectory(io, undefined),
			launcher: launcherOf(io),
		};
		const plan = await planImport(options);
		const failures = values.write === true ? await writeImport(plan, options) : [];
		const problems = [...plan.problems, ...failures];
		const isWritten = values.write === true;
		io.stdout.write(values.json === true ? json(plan, problems, isWritten) : text(plan, failures, isWritten));
		for (const problem of problems) tellProblem(io, problem);
		return problems.length > 0 ? 2 : 0;
	},
};

function text(plan: ImportPlan, failures: readonly ImportProblem[], isWritten: boolean): string {
	const lines: string[] = [];
	for (const { client, path, servers, diff } of plan.files) {
		lines.push(`${clientNames[client]}: ${printable(path)}`);
		const width = Math.max(...servers.map(({ name }) => printable(name).length));
		for (const server of servers)
			lines.push(`  ${printable(server.name).padEnd(width)}  ${printable(wordsOf(server))}`);
		if (diff !== '') lines.push('', printableLines(diff.trimEnd()));
		lines.push('');
	}
	const changed = plan.files.filter(
		({ path, diff }) => diff !== '' && failures.every((failure) => failure.path !== path),
	);
	const count = changed.flatMap(({ servers }) => servers.filter(({ action }) => action === 'route')).length;
	const what = `${counted(count, 'server')} in ${counted(changed.length, 'file')}`;
	if (count === 0)
		lines.push(
			plan.files.length === 0
				? 'No configuration of MCP servers was found.'
				: isWritten && failures.length > 0
					? 'Nothing was changed.'
					: 'Nothing is to be changed.',
		);
	else if (isWritten)
		lines.push(
			`${what} ${count === 1 ? 'goes' : 'go'} through the host now. Start the agents anew; "crosstalk restore" takes it back.`,
		);
	else lines.push(`${what} would go through the host. Nothing was changed; --write does it.`);
	return `${lines.join('\n')}\n`;
}

function wordsOf({ name, action, server, remark }: PlannedServer): string {
	switch (action) {
		case 'routed':
			return 'goes through the host already';
		case 'leave':
			return `is left as it is. ${remark ?? ''}`;
		case 'route': {
			const as = server === name ? '' : ` as ${server ?? ''}`;
			return `through the host${as}${remark === undefined ? '' : `. ${remark}`}`;
		}
	}
}

function json(plan: ImportPlan, problems: readonly ImportProblem[], isWritten: boolean): string {
	const files = plan.files.map(({ client, path, servers, diff }) => ({
		client,
		path,
		isWritten: isWritten && diff !== '' && problems.every((problem) => problem.path !== path),
		servers,
		diff,
	}));
	return formatJson({ version: 1, files, problems });
}
