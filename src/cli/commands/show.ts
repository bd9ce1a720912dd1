import { createCore } from '../../core/core.ts';
import { readConfig } from '../configFile.ts';
import { conversationJson } from '../conversationJson.ts';
import { conversationText } from '../conversationText.ts';
import { coverageJson, coverageText } from '../coverageText.ts';
import { dataDirectory } from '../dataOption.ts';
import { hasColours } from '../io.ts';
import type { Command } from '../io.ts';
import { namedSession, sayUnread } from '../namedSession.ts';
import { UsageError, absolutePath, assumeOption, formatOption, parseOptions } from '../usage.ts';

const help = `Usage: crosstalk show <path|session-id> [options]

Prints a conversation as a tree: agents, turns, calls with state and time, compactions. A session's
id may be cut short as long as it stays unique; it is looked for in every agent's home, and in what
the MCP host has recorded, which is shown with the transcript or, where there is none, by itself.

Options:
  --full          With the arguments and the results of calls
  --coverage      Instead: who looked where, by the scopes of the tools of MCP servers, and what
                  nobody looked at
  --config FILE   With --coverage: a configuration of lint, whose "scope" counts
  --json          For programs
  --data DIR      The data directory of the host (default: the user's)
  --as FORMAT     claude-code or codex: take the file for this without a look at it
  --assume HOW    auto, live, ended (default: auto): how to read a last call without a result
  --help          This text

Exit code: 0 done, 2 could not run.
`;

export const show: Command = {
	help,
	async run(args, io) {
		const { values, positionals } = parseOptions(args, {
			full: { type: 'boolean' },
			coverage: { type: 'boolean' },
			config: { type: 'string' },
			json: { type: 'boolean' },
			as: { type: 'string' },
			data: { type: 'string' },
			assume: { type: 'string' },
		});
		const [what, ...more] = positionals;
		if (what === undefined) throw new UsageError('A transcript or a session id is needed.');
		if (more.length > 0) throw new UsageError('Only one session can be shown at a time.');
		if (values.coverage === true && values.full === true)
			throw new UsageError('--coverage and --full contradict each other.');
		if (values.config !== undefined && values.coverage !== true)
			throw new UsageError('--config is for --coverage.');
		const config =
			values.config === undefined ? undefined : await readConfig(absolutePath(io, values.config), values.config);
		const assume = assumeOption(values.assume);
		const as = formatOption(values.as);
		const data = dataDirectory(io, values.data);
		const core = createCore(io.platform);
		const session = await namedSession(core, io, what, { as, data });
		const read = await core.readSession(session, { assume, rules: {}, withPreviews: true, signal: io.signal });
		sayUnread(io, read);
		if (values.coverage === true) {
			const scope = config?.scope ?? {};
			io.stdout.write(values.json === true ? coverageJson(read, scope) : coverageText(read, scope));
			return 0;
		}
		const options = { isFull: values.full === true, hasColours: hasColours(io) };
		const pieces =
			values.json === true
				? conversationJson(read, io.platform.files, options)
				: conversationText(read, io.platform.files, options);
		for await (const piece of pieces) {
			if (io.signal.aborted) break;
			io.stdout.write(piece);
		}
		return 0;
	},
};
