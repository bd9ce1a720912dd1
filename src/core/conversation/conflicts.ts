// Where those who have seen a call say different things of it. Nobody is wrong for that: somebody may have changed the call on its way.

import type { GivenArguments, GivenValue } from '../events/sessionEvent.ts';
import type { ToolCall } from './model.ts';

/** Who has seen a call, as a sentence. */
export function seenWords({ isSeenByHostAlone, hostCalls, hookCall }: ToolCall): string {
	const where = [
		...(isSeenByHostAlone ? [] : ['in the transcript']),
		...(hostCalls.length > 0 ? ['by the host'] : []),
		...(hookCall === undefined ? [] : ['by hooks']),
	];
	const last = where.pop() ?? 'nowhere';
	return `Seen ${where.length === 0 ? last : `${where.join(', ')} and ${last}`}.`;
}

/** What a call's sources say against each other, as sentences; most calls have none. */
export function conflictsOf(call: ToolCall): readonly string[] {
	if (call.hostCalls.length === 0 && call.hookCall === undefined) return [];
	return [...endConflicts(call), ...nameConflicts(call), ...agentConflicts(call), ...argumentConflicts(call)];
}

function endConflicts({ result, isSeenByHostAlone, hostCalls, hookCall }: ToolCall): readonly string[] {
	const said: { readonly who: string; readonly isGood: boolean; readonly how: string }[] = [];
	if (result !== undefined && !isSeenByHostAlone)
		said.push({ who: 'the transcript', isGood: !result.isError, how: result.isError ? 'failed' : 'completed' });
	const ending = hostCalls.at(-1)?.ended?.ending;
	if (ending !== undefined)
		said.push({ who: 'the host', isGood: ending === 'completed', how: ending.replace('-', ' ') });
	const how = hookCall?.ended?.how;
	if (how !== undefined && how !== 'over') said.push({ who: 'a hook', isGood: how === 'completed', how });
	if (said.every(({ isGood }) => isGood === said[0]?.isGood)) return [];
	return [`How it ended: ${said.map((one) => `${one.how}, says ${one.who}`).join('; ')}.`];
}

/**
 * Clients put `_` for what a tool may not be called by their provider, and one that has all servers at one address has each server's name in its
 * tools'. Built-in tools have other names in hooks than in transcripts with some agents, which says nothing of a call.
 */
function nameConflicts({ name, isSeenByHostAlone, hostCalls, hookCall }: ToolCall): readonly string[] {
	const said = [
		{ who: isSeenByHostAlone ? undefined : 'the transcript', tool: name },
		{ who: 'the host', tool: hostCalls.at(-1)?.tool },
		{ who: 'a hook', tool: hookCall?.server === undefined ? undefined : hookCall.tool },
	].filter(({ who, tool }) => who !== undefined && tool !== undefined);
	if (said.every(({ tool }) => isSameTool(tool ?? '', said[0]?.tool ?? ''))) return [];
	return [`Its tool: ${said.map(({ who, tool }) => `${tool}, says ${who}`).join('; ')}.`];
}

function isSameTool(one: string, other: string): boolean {
	const [first, second] = [one, other].map((text) => text.replaceAll(/[^\w-]/g, '_')) as [string, string]; // as many as before
	return first === second || first.endsWith(`__${second}`) || second.endsWith(`__${first}`);
}

function agentConflicts({ agent, isSeenByHostAlone, hostCalls, hookCall }: ToolCall): readonly string[] {
	const told = [
		...(isSeenByHostAlone ? [] : [{ who: 'the transcript', id: agent.id }]),
		{ who: 'the host', id: hostCalls.findLast(({ agentId }) => agentId !== undefined)?.agentId },
		{ who: 'a hook', id: hookCall?.agentId },
	].filter(({ id }) => id !== undefined);
	if (told.every(({ id }) => id === told[0]?.id)) return [];
	return [`Who made it: ${told.map(({ who, id }) => `${id}, says ${who}`).join('; ')}.`];
}

function argumentConflicts({ given, isSeenByHostAlone, hostCalls, hookCall }: ToolCall): readonly string[] {
	const asked = isSeenByHostAlone ? undefined : given;
	const before = hookCall?.began?.given;
	const made = hostCalls.at(-1)?.given ?? hookCall?.ended?.given;
	const who = hostCalls.at(-1)?.given === undefined ? 'a hook says after it' : 'the host was sent';
	const first = asked ?? before;
	const differences = first === undefined || made === undefined ? [] : differencesOf(first, made);
	if (differences.length > 0)
		return [
			`Its arguments are not those that ${asked === undefined ? 'a hook told before it' : 'the transcript has'}: ${who} ${listed(differences)}.`,
		];
	const told = asked === undefined || before === undefined ? [] : differencesOf(asked, before);
	return told.length === 0
		? []
		: [`Its arguments are not those that the transcript has: a hook told ${listed(told)}.`];
}

function listed(differences: readonly string[]): string {
	const shown = differences.slice(0, mostShown).join(', ');
	return differences.length > mostShown ? `${shown} and ${differences.length - mostShown} more` : shown;
}

const mostShown = 3;

/** What of the members is different in `made`: "page 2", "no limit". What one side does not tell whole is not compared. */
function differencesOf(first: GivenArguments, made: GivenArguments): readonly string[] {
	const [was, is] = [byPath(first), byPath(made)];
	const differences: string[] = [];
	for (const [path, values] of is) {
		const known = was.get(path);
		if (known === undefined ? !first.isPartial && !isInner(path, was) : !isSame(known, values))
			differences.push(`${path} ${values.join(', ')}`);
	}
	if (made.isPartial) return differences;
	for (const path of was.keys()) if (!is.has(path) && !isInner(path, is)) differences.push(`no ${path}`);
	return differences;
}

/** An object is compared by its members, and they are told by themselves. */
function byPath({ values }: GivenArguments): ReadonlyMap<string, readonly string[]> {
	const paths = new Map<string, string[]>();
	for (const { path, value } of values) {
		const known = paths.get(path);
		if (known === undefined) paths.set(path, [value]);
		else known.push(value);
	}
	return paths;
}

/** Whether it stands below something whose difference is told already. */
function isInner(path: string, paths: ReadonlyMap<string, unknown>): boolean {
	const end = Math.max(path.lastIndexOf('.'), path.lastIndexOf('[]'));
	return end > 0 && !paths.has(path.slice(0, end).replace(/\[\]$/, ''));
}

function isSame(one: readonly GivenValue['value'][], other: readonly GivenValue['value'][]): boolean {
	return one.length === other.length && one.every((value, index) => isSameValue(value, other[index] ?? ''));
}

function isSameValue(one: string, other: string): boolean {
	if (one === other) return true;
	// The members of objects, and of those in lists, stand for them.
	if (/^[{[]/.test(one) && /^[{[]/.test(other) && one.charAt(0) === other.charAt(0)) {
		const [first, second] = [jsonOf(one), jsonOf(other)];
		return first === undefined || second === undefined || isObjectLike(first) || first === second;
	}
	// What was kept out of the log is not known to be different, and what is cut off may be the same in other words.
	if (one.includes(redacted) || other.includes(redacted)) return true;
	const [first, second] = [jsonOf(one), jsonOf(other)];
	if (first === undefined && second === undefined) return one.includes('\\') || other.includes('\\');
	return first === second;
}

/** Values of other kinds: lists of plain values alone are compared as they are. */
function isObjectLike(json: string): boolean {
	return json.includes('{') || json.includes(redacted);
}

/** As it is written by everybody; `undefined`: it is cut off. */
function jsonOf(value: string): string | undefined {
	try {
		return JSON.stringify(JSON.parse(value));
	} catch {
		return undefined;
	}
}

/** What the host writes in the place of a secret. */
const redacted = '[redacted]';
