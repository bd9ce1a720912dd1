import { durationText } from '../base/duration.ts';
import { counted, singleLine, truncated } from '../base/text.ts';
import type { Place } from '../conversation/index.ts';
import { wordRules } from './compareRuns.ts';
import type { AgentComparison, CallChange, Comparison, RunFacts } from './compareRuns.ts';
import type { JsonDifference } from './jsonDifference.ts';

/** A line of the text, and the place that its last words name. */
export interface ComparisonLine {
	readonly text: string;
	readonly place?: Place | undefined;
}

export interface ComparisonTextOptions {
	/** What the two sides are called. */
	readonly names: readonly [one: string, other: string];
	/** A place as a person finds it. */
	readonly placeText: (place: Place) => string;
}

/** Longer lists are cut off with a number. */
const mostChanges = 200;

/** A comparison for people, line by line. */
export function comparisonLines(comparison: Comparison, options: ComparisonTextOptions): readonly ComparisonLine[] {
	const { one, other, agents, tools, findings, withoutBodies, isSame } = comparison;
	const hasBodies = withoutBodies.length === 0;
	const { placeText } = options;
	const lines: ComparisonLine[] = [
		{ text: `A  ${options.names[0]}: ${runText(one)}` },
		{ text: `B  ${options.names[1]}: ${runText(other)}` },
		{ text: '' },
	];
	const at = (place: Place): ComparisonLine['place'] => place;
	const placed = (text: string, place: Place) =>
		lines.push({ text: `${text}  ${placeText(place)}`, place: at(place) });
	if (!hasBodies) lines.push({ text: withoutBodiesText(withoutBodies) }, { text: '' });
	if (isSame)
		lines.push({
			text: `The same calls in the same order, with the same ${hasBodies ? 'results' : 'endings'} and findings.`,
		});
	for (const agent of agents) {
		if (isQuiet(agent)) continue;
		lines.push({ text: `${agent.name}: ${agentText(agent)}` });
		if (agent.firstInOrder !== undefined) {
			const { position, one: before, other: after } = agent.firstInOrder;
			lines.push({
				text: `  the order of its calls differs from call ${position} of A on: A calls ${before.tool}, B calls ${after.tool}`,
			});
		}
		for (const change of agent.changes.slice(0, mostChanges)) addChange(change);
		if (agent.changes.length > mostChanges)
			lines.push({ text: `  and ${counted(agent.changes.length - mostChanges, 'further change')}` });
	}
	if (findings.length > 0) {
		heading('Findings');
		for (const { kind, diagnostic } of findings) {
			const { severity, message, ruleId, place } = diagnostic;
			placed(`  ${kind === 'gone' ? '-' : '+'} ${severity}: ${shortened(message)} [${ruleId}]`, place);
		}
	}
	const slow = tools.filter((tool) => tool.one.p50Ms !== undefined || tool.other.p50Ms !== undefined);
	if (slow.length > 0) {
		heading('Time of a call, the median');
		const width = Math.max(...slow.map(({ tool }) => tool.length));
		for (const { tool, one: before, other: after } of slow) {
			const words = `${timeText(before.p50Ms)} → ${timeText(after.p50Ms)}${changeText(before.p50Ms, after.p50Ms)}`;
			const calls =
				before.calls === after.calls
					? counted(before.calls, 'call')
					: `${before.calls} → ${counted(after.calls, 'call')}`;
			lines.push({ text: `  ${tool.padEnd(width)}  ${words}  (${calls})` });
		}
	}
	return lines;

	function heading(text: string): void {
		if (lines.at(-1)?.text !== '') lines.push({ text: '' });
		lines.push({ text });
	}

	function addChange(change: CallChange): void {
		switch (change.kind) {
			case 'gone':
				placed(`  - ${change.one.tool} ${change.one.state}`, change.one.place);
				return;
			case 'added':
				placed(`  + ${change.other.tool} ${change.other.state}`, change.other.place);
				return;
			case 'changed': {
				const { one: before, other: after, hasOtherState } = change;
				const state = hasOtherState ? ` ${before.state} → ${after.state}` : '';
				placed(`  ~ ${before.tool}${state}`, after.place);
				if (change.arguments !== undefined)
					lines.push({ text: `      arguments ${differenceText(change.arguments)}` });
				if (change.result !== undefined) lines.push({ text: `      result ${differenceText(change.result)}` });
			}
		}
	}
}

function withoutBodiesText(sides: Comparison['withoutBodies']): string {
	const [side] = sides;
	const who = sides.length > 1 ? 'A and B were' : `${side === 'one' ? 'A' : 'B'} was`;
	return `${who} saved without bodies: texts, arguments and results were not compared, nor what the rules find that rest on them (${wordRules.join(', ')}).`;
}

/** An agent that does the same on both sides needs no line. */
function isQuiet({ one, other, changes }: AgentComparison): boolean {
	return one !== undefined && other !== undefined && changes.length === 0;
}

function agentText({ one, other, sameCalls, changes }: AgentComparison): string {
	if (other === undefined) return `only in A, ${counted(changes.length, 'call')}`;
	if (one === undefined) return `only in B, ${counted(changes.length, 'call')}`;
	const count = (kind: CallChange['kind']) => changes.filter((change) => change.kind === kind).length;
	return [
		`${counted(sameCalls, 'call')} the same`,
		...(count('changed') > 0 ? [`${count('changed')} changed`] : []),
		...(count('added') > 0 ? [`${count('added')} added`] : []),
		...(count('gone') > 0 ? [`${count('gone')} gone`] : []),
	].join(', ');
}

function runText({ id, agents, calls, findings, durationMs }: RunFacts): string {
	const parts = [counted(agents, 'agent'), counted(calls, 'call'), counted(findings, 'finding')];
	if (durationMs !== undefined) parts.push(durationText(durationMs));
	// A recording without a transcript has no id of its agent's own.
	return `${id === '' ? '' : `session ${id}, `}${parts.join(', ')}`;
}

/** `content[0].text.rows: 3 → 5` */
export function differenceText({ path, one, other }: JsonDifference): string {
	const place = path === '' ? '' : `${path}: `;
	if (typeof one === 'string' && typeof other === 'string') {
		const from = firstDifference(one, other);
		// Of long texts that begin alike the beginning says nothing.
		if (from > longStart) return `${place}${tailText(one, from)} → ${tailText(other, from)}`;
	}
	return `${place}${valueText(one)} → ${valueText(other)}`;
}

const longStart = 60;

function firstDifference(one: string, other: string): number {
	let index = 0;
	while (index < one.length && one[index] === other[index]) index++;
	return index;
}

function tailText(text: string, from: number): string {
	return `…${valueText(text.slice(from - 20))}`;
}

function valueText(value: unknown): string {
	return value === undefined ? '(nothing)' : shortened(JSON.stringify(value));
}

function shortened(text: string): string {
	return truncated(singleLine(text), 160);
}

function timeText(milliseconds: number | undefined): string {
	return milliseconds === undefined ? '–' : durationText(milliseconds);
}

function changeText(before: number | undefined, after: number | undefined): string {
	if (before === undefined || after === undefined || before === after || before === 0) return '';
	const share = Math.round((after / before - 1) * 100);
	return share === 0 ? '' : ` (${share > 0 ? '+' : '−'}${Math.abs(share)} %)`;
}
