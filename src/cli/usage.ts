import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { ParseArgsConfig } from 'node:util';
import { ExpectedError } from '../core/base/errors.ts';
import { didYouMean } from '../core/base/nearest.ts';
import type { Assume } from '../core/core.ts';
import type { TranscriptFormatId } from '../core/transcripts/transcriptFormat.ts';
import type { CommandIo } from './io.ts';

/** The command line itself is wrong. */
export class UsageError extends ExpectedError {
	override readonly name = 'UsageError';
}

type Options = NonNullable<ParseArgsConfig['options']>;

/** `parseArgs` with one sentence for a person where it fails. */
export function parseOptions<const T extends Options>(args: readonly string[], options: T) {
	try {
		return parseArgs({
			args: [...args],
			options: { ...options, help: { type: 'boolean', short: 'h' } },
			allowPositionals: true,
			strict: true,
		});
	} catch (error) {
		const code = error instanceof TypeError && 'code' in error ? error.code : undefined;
		if (!(error instanceof TypeError) || typeof code !== 'string' || !code.startsWith('ERR_PARSE_ARGS'))
			throw error;
		const option = /'(-[^' =]*)/.exec(error.message)?.[1] ?? '';
		if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
			const known = [...Object.keys(options), 'help'].map((name) => `--${name}`);
			throw new UsageError(`There is no option ${option}.${didYouMean(option, known)}`);
		}
		const name = /--[\w-]+/.exec(error.message)?.[0] ?? option;
		if (/does not take/.test(error.message)) throw new UsageError(`The option ${name} takes no value.`);
		const next = args[args.indexOf(name) + 1];
		const dashed = next !== undefined && /^-\d/.test(next) ? ` If "${next}" is meant, write ${name}=${next}.` : '';
		throw new UsageError(`The option ${name} needs a value.${dashed}`);
	}
}

/** One of the words that an option knows. */
export function oneOf<const T extends string>(option: string, value: string, words: readonly T[]): T {
	const found = words.find((word) => word === value);
	if (found === undefined)
		throw new UsageError(
			`${option} is one of ${words.join(', ')}; it cannot be "${value}".${didYouMean(value, words)}`,
		);
	return found;
}

export function assumeOption(value: string | undefined): Assume {
	return value === undefined ? 'auto' : oneOf('--assume', value, ['auto', 'live', 'ended']);
}

export function formatOption(value: string | undefined): TranscriptFormatId | undefined {
	return value === undefined ? undefined : oneOf('--as', value, ['claude-code', 'codex']);
}

export function absolutePath(io: CommandIo, path: string): string {
	return resolve(io.workingFolder, path);
}

/** Of a path that stands for itself on the command line. An empty one is most often a variable that is not set, and not the working folder. */
export function namedPath(io: CommandIo, path: string): string {
	if (path === '') throw new UsageError('A path is empty; the working folder is ".".');
	return absolutePath(io, path);
}
