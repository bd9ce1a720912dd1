import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createCore } from '../../core/core.ts';
import { ExpectedError } from '../../core/base/errors.ts';
import { createLintResult, formatJson, formatText, printable } from '../../core/report/index.ts';
import type { LintResult } from '../../core/report/index.ts';
import { whyUnwritable } from '../../platform/node/errno.ts';
import { makeFolder } from '../../platform/node/host/makeFolder.ts';
import type { CommandIo } from '../io.ts';
import { hasColours } from '../io.ts';
import { runTasks } from '../runTasks.ts';
import { table } from '../table.ts';
import { findTargets } from '../targets.ts';
import { presets } from './presets.ts';
import type { PresetName } from './presetNames.ts';
import type { PresetRun } from './presets.ts';

/** So many results of each preset are kept. */
const kept = 5;

export interface PresetOptions {
	readonly name: PresetName;
	/** Absolute: the folder of all presets' results. */
	readonly out: string;
	readonly isJson: boolean;
}

/** Plays a preset, looks at what it has left as `lint` does, and says what was found. Gives 1: the bug was shown. */
export async function runPreset(io: CommandIo, { name, out, isJson }: PresetOptions): Promise<number> {
	const preset = presets[name];
	const own = join(out, name);
	const folder = join(own, new Date().toISOString().replaceAll(/[:.]/g, '-'));
	try {
		await makeFolder(folder, 0o777);
	} catch (error) {
		throw new ExpectedError(`The folder ${printable(folder)} cannot be made: ${whyUnwritable(error)}`, {
			cause: error,
		});
	}
	if (!isJson) io.stderr.write(`crosstalk: ${preset.description}\n`);
	const runs = await preset.run(io, folder).catch(async (error: unknown) => {
		// Stopped, or it could not run: what it has left is no session, and none makes room for it.
		await rm(folder, { recursive: true, force: true }).catch(() => undefined);
		throw error;
	});
	await removeOld(own);
	const linted = await Promise.all(runs.map(async (run) => lint(io, run.path)));
	const isFound = runs.some(
		(run, index) =>
			run.name === preset.foundIn &&
			linted[index]?.diagnostics.some(({ ruleId }) => preset.finds.includes(ruleId)) === true,
	);
	if (isJson) {
		const results = runs.map((run, index) => ({ ...run, diagnostics: linted[index]?.diagnostics ?? [] }));
		io.stdout.write(formatJson({ version: 1, preset: name, finds: preset.finds, isFound, runs: results }));
	} else io.stdout.write(textOf(io, runs, linted));
	if (!isFound)
		throw new ExpectedError(
			`The preset did not show its bug: ${preset.finds.join(' or ')} found nothing in ${printable(runs[0]?.path ?? folder)}.`,
		);
	return 1;
}

async function lint(io: CommandIo, path: string): Promise<LintResult> {
	const { targets, unread } = await findTargets(createCore(io.platform), io, [path], 'claude-code');
	const findings = await runTasks(
		io,
		targets.map(
			({ session, only }) => ({ kind: 'lint', session, only, assume: 'ended', rules: {}, scope: {} }) as const,
		),
	);
	return createLintResult(findings, unread, 0);
}

function textOf(io: CommandIo, runs: readonly PresetRun[], linted: readonly LintResult[]): string {
	const base = { folder: io.workingFolder, separator: io.platform.files.separator };
	const parts = linted.map((result) => formatText(result, { base, hasColours: hasColours(io) }));
	if (runs.length > 1) parts.push(comparison(runs, linted));
	parts.push(
		runs
			.map(({ name, path }) =>
				runs.length > 1
					? `The ${name} session is kept: ${printable(path)}\n`
					: `The session is kept: ${printable(path)}\n`,
			)
			.join(''),
	);
	return parts.join('\n');
}

/** The same script, run by run. */
function comparison(runs: readonly PresetRun[], linted: readonly LintResult[]): string {
	const row = (what: string, of: (run: PresetRun, index: number) => number | string) => [
		what,
		...runs.map((run, index) => String(of(run, index))),
	];
	const count = ({ calls }: PresetRun, isMeant: (call: PresetRun['calls'][number]) => boolean) =>
		calls.filter(isMeant).length;
	return table(
		['', ...runs.map(({ name }) => name.toUpperCase())],
		[
			row('agents', ({ calls }) => new Set(calls.map(({ agent }) => agent)).size),
			// Without those that start agents, which lint counts too: they never reach a server.
			row('calls to the server', ({ calls }) => calls.length),
			row('completed', (run) => count(run, ({ isError }) => !isError)),
			row('passed their limit', (run) => count(run, ({ isError, text }) => isError && text.includes('-32001'))),
			row('lost with the connection', (run) =>
				count(run, ({ isError, text }) => isError && text.includes('-31001')),
			),
			row('reconnects', ({ reconnects }) => reconnects),
			row('findings', (_, index) => linted[index]?.diagnostics.length ?? 0),
		],
	);
}

/** Names are times, so the last ones are the newest. */
async function removeOld(folder: string): Promise<void> {
	const names = (await readdir(folder)).filter((name) => /^\d{4}-\d\d-\d\dT[\d-]+Z$/.test(name)).sort();
	for (const name of names.slice(0, -kept))
		await rm(join(folder, name), { recursive: true, force: true }).catch(() => undefined); // somebody has it open; the next time
}
