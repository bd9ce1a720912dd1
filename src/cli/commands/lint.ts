import { writeFile } from 'node:fs/promises';
import { ExpectedError } from '../../core/base/errors.ts';
import { createCore } from '../../core/core.ts';
import {
	createLintResult,
	formatGithub,
	formatJson,
	formatJunit,
	formatSarif,
	formatText,
	isFailure,
	printable,
} from '../../core/report/index.ts';
import type { FailOn, LintResult } from '../../core/report/index.ts';
import type { RuleSettings } from '../../core/rules/linter.ts';
import type { ScopeSettings } from '../../core/scope/index.ts';
import type { Assume } from '../../core/core.ts';
import type { TranscriptFormatId } from '../../core/transcripts/transcriptFormat.ts';
import { whyUnwritable } from '../../platform/node/errno.ts';
import type { LintConfig } from '../configFile.ts';
import { hasColours } from '../io.ts';
import type { Command, CommandIo } from '../io.ts';
import { versionOf } from '../main.ts';
import { failOnWords, isRuleId, noRule, severities } from '../ruleWords.ts';
import { runTasks } from '../runTasks.ts';
import { currentProjectPaths, findTargets } from '../targets.ts';
import { UsageError, absolutePath, assumeOption, formatOption, namedPath, oneOf, parseOptions } from '../usage.ts';

const formats = ['text', 'json', 'sarif', 'junit', 'github'] as const;

const help = `Usage: crosstalk lint [path…] [options]

Reports what is wrong with transcripts. A path is a transcript or a folder that is searched for
transcripts; a Claude Code session brings its subagents. Without a path: the current project's
sessions of every agent found.

Options:
  --format FORMAT    ${formats.join(', ')} (default: text)
  --json             The same as --format json
  --output FILE      Write the report to a file
  --fail-on WHAT     ${failOnWords.join(', ')} (default: error): from where on the exit code is 1
  --rule ID=LEVEL    ${severities.join(', ')}; may be given several times
  --config FILE      JSON with comments: { "rules": { "<id>": "<level>" }, "failOn": "<what>",
                     "scope": { "<server>": { "<tool>": { … } } } }
  --as FORMAT        claude-code or codex: take files for this without a look at them
  --assume HOW       auto, live, ended (default: auto): how to read a last call without a result;
                     auto looks for a running process
  --watch            Go on, and report again with every change
  --help             This text

Exit code: 0 clean, 1 findings at or above --fail-on, 2 could not run, or found nothing
and could not read everything.
`;

export interface LintOptions {
	/** Absolute. */
	readonly paths: readonly string[];
	readonly as: TranscriptFormatId | undefined;
	readonly assume: Assume;
	readonly rules: RuleSettings;
	readonly scope: ScopeSettings;
	readonly failOn: FailOn;
	readonly format: (typeof formats)[number];
	/** Absolute. */
	readonly output: string | undefined;
}

export const lint: Command = {
	help,
	async run(args, io) {
		const { values, positionals } = parseOptions(args, {
			format: { type: 'string' },
			json: { type: 'boolean' },
			output: { type: 'string' },
			'fail-on': { type: 'string' },
			rule: { type: 'string', multiple: true },
			config: { type: 'string' },
			as: { type: 'string' },
			assume: { type: 'string' },
			watch: { type: 'boolean' },
		});
		const startedAt = io.platform.clock.now();
		const core = createCore(io.platform);
		const rules = (values.rule ?? []).map(ruleOption);
		const failOn = values['fail-on'] === undefined ? undefined : oneOf('--fail-on', values['fail-on'], failOnWords);
		const fromOptions = {
			as: formatOption(values.as),
			assume: assumeOption(values.assume),
			format:
				values.format === undefined
					? values.json === true
						? 'json'
						: 'text'
					: oneOf('--format', values.format, formats),
			output: values.output === undefined ? undefined : absolutePath(io, values.output),
		};
		if (values.json === true && fromOptions.format !== 'json')
			throw new UsageError(`--json and --format ${fromOptions.format} contradict each other.`);
		const config =
			values.config === undefined ? undefined : await configOf(absolutePath(io, values.config), values.config);
		const options: LintOptions = {
			...fromOptions,
			rules: { ...config?.rules, ...Object.fromEntries(rules) },
			scope: config?.scope ?? {},
			failOn: failOn ?? config?.failOn ?? 'error',
			paths:
				positionals.length > 0
					? positionals.map((path) => namedPath(io, path))
					: await currentProjectPaths(core, io),
		};
		if (options.paths.length === 0)
			throw new ExpectedError(
				`No agent has written a session in ${io.workingFolder}. Name a transcript or a folder.`,
			);
		if (values.watch === true) {
			const { watchLint } = await import('../watchLint.ts');
			return watchLint(core, io, options);
		}
		return lintOnce(core, io, options, startedAt);
	},
};

/** Who has none need not load what reads it. */
async function configOf(path: string, name: string): Promise<LintConfig> {
	const { readConfig } = await import('../configFile.ts');
	return readConfig(path, name);
}

async function lintOnce(
	core: ReturnType<typeof createCore>,
	io: CommandIo,
	options: LintOptions,
	startedAt: number,
): Promise<number> {
	const { assume, rules, scope } = options;
	const { targets, unread } = await findTargets(core, io, options.paths, options.as);
	if (targets.length === 0 && unread.length === 0) {
		throw new ExpectedError(
			`There is no transcript in ${options.paths.map((path) => printable(path)).join(', ')}.`,
		);
	}
	const findings = await runTasks(
		io,
		targets.map(({ session, only }) => ({ kind: 'lint', session, only, assume, rules, scope }) as const),
	);
	const result = createLintResult(findings, unread, Math.round(io.platform.clock.now() - startedAt));
	// Of what is read as text a verdict on nothing would mislead; a program gets the whole result in any case.
	if (!isUnread(result) || options.format !== 'text') await writeReport(result, io, options);
	tellProblems(result, io);
	return exitCode(result, options.failOn);
}

function ruleOption(value: string): readonly [id: string, severity: (typeof severities)[number]] {
	const [id = '', severity, ...rest] = value.split('=');
	if (severity === undefined || rest.length > 0)
		throw new UsageError(
			`--rule needs a rule's id and a level, as in orphaned-tool-use=warning; it cannot be "${value}".`,
		);
	if (!isRuleId(id)) throw new UsageError(noRule(id));
	return [id, oneOf(`--rule ${id}`, severity, severities)];
}

export function exitCode(result: LintResult, failOn: FailOn): number {
	if (isUnread(result)) return 2;
	if (result.diagnostics.some(({ severity }) => isFailure(severity, failOn))) return 1;
	// Whoever names three transcripts and misspells one must not be told that all is well.
	return result.files.some(isUnreadable) ? 2 : 0;
}

/** Whether nothing could be read at all. */
function isUnread({ files }: LintResult): boolean {
	return files.every((file) => file.lines === 0 && isUnreadable(file));
}

function isUnreadable({ problems }: LintResult['files'][number]): boolean {
	return problems.some(({ kind }) => kind === 'unreadable');
}

/** What could not be read is no finding on a transcript, so it is told beside the report. */
export function tellProblems({ files }: LintResult, io: CommandIo): void {
	for (const { path, problems } of files) {
		for (const { kind, message } of problems) {
			if (kind === 'unreadable') io.stderr.write(`crosstalk: ${printable(path)}: ${message}\n`);
		}
	}
}

export async function writeReport(result: LintResult, io: CommandIo, options: LintOptions): Promise<void> {
	const report = await formatReport(result, io, options);
	if (options.output === undefined) {
		io.stdout.write(report);
		return;
	}
	try {
		await writeFile(options.output, report);
	} catch (error) {
		const place = printable(options.output);
		throw new ExpectedError(`The report cannot be written to ${place}: ${whyUnwritable(error)}`, { cause: error });
	}
}

async function formatReport(
	result: LintResult,
	io: CommandIo,
	{ format, output, failOn }: LintOptions,
): Promise<string> {
	const base = { folder: io.workingFolder, separator: io.platform.files.separator };
	switch (format) {
		case 'text':
			return formatText(result, { base, hasColours: output === undefined && hasColours(io) });
		case 'json':
			return formatJson(result);
		case 'junit':
			return formatJunit(result, { base, failOn });
		case 'github':
			return formatGithub(result, base);
		case 'sarif':
			return formatSarif(result, {
				base,
				version: await versionOf(io),
				helpUriOf: (ruleId) => new URL(`docs/rules/${ruleId}.md`, io.installation).href,
			});
	}
}
