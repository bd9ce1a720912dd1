import { findNodeAtLocation, getNodeValue, parseTree } from 'jsonc-parser';
import type { ParseError } from 'jsonc-parser';
import { ExpectedError } from '../../core/base/errors.ts';
import { checkFaults, readFault } from '../../core/host/faults/index.ts';
import type { FaultDefinition } from '../../core/host/faults/index.ts';
import { whyUnreadable } from '../../platform/node/errno.ts';
import { readRegularText } from '../../platform/node/regularFile.ts';
import { parseErrorWords } from '../configFile.ts';
import { UsageError } from '../usage.ts';

/** Faults in the words of a command line. */
export function faultsOf(words: readonly string[], option: string): readonly FaultDefinition[] {
	return words.map((word) => {
		const read = readFault(word);
		if ('problem' in read) throw new UsageError(`${option}${word}: ${read.problem}`);
		return read.fault;
	});
}

/**
 * Faults in a file: a list, or an object whose member "faults" is one, as in a launch configuration; with comments. Whatever is wrong is one
 * sentence with file and line.
 * @param name The path as the person gave it.
 */
export async function readFaultFile(path: string, name: string): Promise<readonly FaultDefinition[]> {
	let text: string;
	try {
		text = (await readRegularText(path)).replace(/^\uFEFF/, '');
	} catch (error) {
		throw new ExpectedError(`The faults in ${name} cannot be read: ${whyUnreadable(error)}`, { cause: error });
	}
	const wrong = (offset: number, sentence: string) =>
		new ExpectedError(`${name}:${text.slice(0, offset).split('\n').length}: ${sentence}`);
	const errors: ParseError[] = [];
	const root = parseTree(text, errors, { allowTrailingComma: true });
	const [error] = errors;
	if (error !== undefined) throw wrong(error.offset, `The file is not JSON: ${parseErrorWords(error)}.`);
	const list = root?.type === 'object' ? findNodeAtLocation(root, ['faults']) : root;
	if (list === undefined)
		throw wrong(0, 'There are no faults in this file: it needs a list, or an object with "faults".');
	const { faults, problems } = checkFaults(getNodeValue(list));
	const [problem] = problems;
	if (problem === undefined) return faults;
	const [, index, member] = /^faults\[(\d+)\](?:\.(.+))?$/.exec(problem.path) ?? [];
	const segments = index === undefined ? [] : [Number(index), ...(member === undefined ? [] : [member])];
	throw wrong((findNodeAtLocation(list, segments) ?? list).offset, problem.message);
}
