import { counted } from '../../core/base/text.ts';
import { createCore } from '../../core/core.ts';
import { ExpectedError } from '../../core/base/errors.ts';
import { formatJson, printable } from '../../core/report/index.ts';
import { savedSessionSuffix } from '../../core/transcripts/savedSessionName.ts';
import { pathsOf } from '../../core/transcripts/sessionFiles.ts';
import { secretDigest } from '../../platform/node/packed/secretDigest.ts';
import { dataDirectory } from '../dataOption.ts';
import type { Command } from '../io.ts';
import { versionOf } from '../main.ts';
import { namedSession } from '../namedSession.ts';
import { ProgressBar } from '../progressBar.ts';
import { createSessionFile, sessionFileOption } from '../sessionFileOption.ts';
import { UsageError, absolutePath, formatOption, parseOptions } from '../usage.ts';

const help = `Usage: crosstalk save <path|session-id> --out FILE${savedSessionSuffix} [options]

Saves a session as one file that can be carried to another machine: transcripts byte for byte, those
of its subagents, what the MCP host has recorded of it, and what its servers say of their tools. The
other commands, and the extension, take such a file for the session. It is a zip archive.
A session that still runs is saved as it is by now.

Options:
  --out FILE         Where to; its name ends in ${savedSessionSuffix}
  --without-bodies   Replace texts, arguments and results by letters of the same length: structure, ids,
                     times and findings stay, and nobody can read what was said
  --force            Replace a file that is there already
  --json             What was saved, for programs
  --data DIR         The data directory of the host (default: the user's)
  --as FORMAT        claude-code or codex: take the file for this without a look at it
  --help             This text

Exit code: 0 done, 2 could not run, or not everything could be read: what could is saved.
`;

export const save: Command = {
	help,
	async run(args, io) {
		const { values, positionals } = parseOptions(args, {
			out: { type: 'string' },
			'without-bodies': { type: 'boolean' },
			force: { type: 'boolean' },
			json: { type: 'boolean' },
			data: { type: 'string' },
			as: { type: 'string' },
		});
		const [what, ...more] = positionals;
		if (what === undefined) throw new UsageError('A transcript or a session id is needed.');
		if (more.length > 0) throw new UsageError('Only one session can be saved at a time.');
		if (values.out === undefined) throw new UsageError('--out is needed: the file to save the session as.');
		const name = sessionFileOption(values.out);
		const core = createCore(io.platform);
		const isReplacing = values['without-bodies'] === true;
		const out = absolutePath(io, name);
		const as = formatOption(values.as);
		const session = await namedSession(core, io, what, { as, data: dataDirectory(io, values.data) });
		const writer = await createSessionFile(io, name, values.force === true);
		const progress = new ProgressBar(io, await sizeOf(pathsOf(session)));
		try {
			const saved = await core.saveSession(session, writer, {
				writtenBy: `crosstalk ${await versionOf(io)}`,
				savedAt: io.platform.clock.now(),
				replacing: isReplacing ? secretDigest() : undefined,
				onProgress: (bytes) => progress.add(bytes),
				signal: io.signal,
			});
			const missing = saved.problems.length;
			// What could still be read of a damaged file one day would be gone.
			if (missing > 0 && session.saved?.path === out)
				throw new ExpectedError(
					`${printable(saved.problems[0]?.path ?? out)}: ${saved.problems[0]?.message ?? ''} ${printable(name)} is left as it is; save it under another name.`,
				);
			await writer.finish();
			progress.end();
			for (const { path, message } of saved.problems)
				io.stderr.write(`crosstalk: ${printable(path)}: ${message} It is not in the session file.\n`);
			if (values.json === true) {
				const { files, bytes, isUnfinished } = saved;
				const bodies = isReplacing ? 'replaced' : 'whole';
				io.stdout.write(
					formatJson({ version: 1, path: out, files, bytes, isUnfinished, bodies, missing: saved.problems }),
				);
				return missing > 0 ? 2 : 0;
			}
			const parts = [
				`${printable(name)}: session ${printable(session.nativeId)}, ${counted(saved.files, 'file')}${missing > 0 ? `; ${counted(missing, 'file')} could not be read` : ''}.`,
				...(saved.isUnfinished ? ['The session still runs: this is what there is of it by now.'] : []),
				isReplacing
					? 'Texts, arguments and results are replaced; names of tools and servers, ids and times are not.'
					: 'What was said in it is in the file as it was: texts, arguments and results. Give it to nobody who must not read them (see --without-bodies).',
			];
			io.stdout.write(`${parts.join('\n')}\n`);
			return missing > 0 ? 2 : 0;
		} catch (error) {
			await writer.discard();
			throw error;
		} finally {
			progress.end();
		}

		async function sizeOf(paths: readonly string[]): Promise<number> {
			const stats = await Promise.all(
				paths.map(async (path) => io.platform.files.stat(path).catch(() => undefined)),
			);
			return stats.reduce((sum, stat) => sum + (stat?.size ?? 0), 0);
		}
	},
};
