import { counted } from '../base/text.ts';
import { agentName } from '../conversation/index.ts';
import type { ScopeParameter } from '../scope/index.ts';
import { callersOf } from './callers.ts';
import { defineRule } from './rule.ts';
import type { Report } from './rule.ts';
import {
	argumentsPlace,
	echoOf,
	fallsBack,
	isCompleted,
	isLaterPage,
	lastName,
	meansEverything,
	missingScopes,
	scopedTools,
} from './scopedCalls.ts';
import type { ScopedCall, ScopedTool } from './scopedCalls.ts';

/** A tenth, of no fewer than ten, is far fewer. */
const fewer = 10;
/** What others found within this time before a call was there to be found, unless somebody took it away. */
const before = 24 * 60 * 60 * 1000;
/** What they found later than this after it may be new. */
const after = 5 * 60 * 1000;
const mostRelated = 10;

/** A call that found something where another one did not look. */
interface Evidence {
	readonly scoped: ScopedCall;
	readonly count: number;
	/** Where it looked, as JSON; `undefined`: it left that out as well. */
	readonly value: string | undefined;
	/** Only its answer says so. */
	readonly isEcho: boolean;
}

export default defineRule({
	id: 'suspiciously-empty-result',
	meta: {
		description:
			'An answer that is empty is so because there is nothing, and not because it was looked for in the wrong place.',
		family: 'scope',
		severity: 'note',
		messages: {
			before: "{{agent}}'s call to {{tool}} brought {{count}} {{times}}without {{parameter}}{{fallback}}; the same query brought {{countBefore}} before.{{elsewhere}}",
			elsewhere:
				"{{agent}}'s call to {{tool}} brought {{count}} {{times}}without {{parameter}}{{fallback}}, while there was something in {{elsewhere}}.",
			sameQuery: 'The same query of {{agent}} brought {{count}}.',
			otherScope: '{{agent}} got {{count}} here, with {{parameter}} {{value}}.',
			echoedScope: '{{agent}} got {{count}} here, and the answer says {{parameter}} {{value}}.',
		},
	},
	create(context) {
		return {
			conversation(conversation) {
				const callerOf = callersOf(conversation);
				const tools = scopedTools(conversation, context.scope);
				for (const tool of tools) {
					const server = tools.filter((other) => other.server === tool.server);
					const found = new Map<string, { readonly report: Report; times: number }>();
					const unsure = new Set<string>();
					for (const scoped of tool.calls) {
						const { call } = scoped;
						const count = itemsOf(scoped);
						if (count === undefined || scoped.isPartial || isPartOfAnswer(tool, scoped)) continue;
						for (const parameter of missingScopes(tool, scoped, callerOf(call))) {
							const key = `${call.agent.id} ${parameter.path} ${restOf(tool, scoped)}`;
							const known = found.get(key);
							const [same, elsewhere] = evidenceFor(server, tool, scoped, parameter, count);
							if (same === undefined && elsewhere.length === 0) {
								if (count > 0 || known !== undefined || !fallsBack(parameter)) continue;
								const unsureKey = `${call.agent.id} ${parameter.path}`;
								if (unsure.has(unsureKey)) continue;
								unsure.add(unsureKey);
								context.inconclusive(
									argumentsPlace(call),
									`${agentName(call.agent)}'s call to ${call.name} brought nothing, and ${parameter.path} was left out. Nothing in sight tells whether there was something elsewhere.`,
								);
								continue;
							}
							if (known !== undefined) known.times++;
							else
								found.set(key, {
									report: reportOf(scoped, parameter, count, same, elsewhere),
									times: 1,
								});
							break;
						}
					}
					for (const { report, times } of found.values()) {
						context.report({
							...report,
							data: { ...report.data, times: times === 1 ? '' : `${times} times ` },
						});
					}
				}
			},
		};
	},
});

/** How many entries an answer has that can be trusted to be a whole one. */
function itemsOf(scoped: ScopedCall): number | undefined {
	return isCompleted(scoped) ? scoped.call.result?.content?.items : undefined;
}

/** It was asked for no entries, or for those behind the last one. */
function isPartOfAnswer(tool: ScopedTool, scoped: ScopedCall): boolean {
	return (
		isLaterPage(tool, scoped) ||
		tool.parameters.some(({ path, kind }) => kind === 'page' && scoped.given.get(path) === '0')
	);
}

/** What a call asks for beside where it looks: its filters, as text to compare. */
function restOf(tool: ScopedTool, scoped: ScopedCall): string {
	return JSON.stringify(filtersOf(tool, scoped));
}

function filtersOf(tool: ScopedTool, { given }: ScopedCall): readonly (readonly [string, string])[] {
	// When something happened is not where: a call that looks at another time asks for something else.
	const scopes = new Set(tool.parameters.filter(({ kind }) => kind !== 'time').map(({ path }) => path));
	return [...given].filter(([path]) => !scopes.has(path)).sort(([one], [other]) => (one < other ? -1 : 1));
}

/** The last same query that brought more, and what calls that looked elsewhere have brought. */
function evidenceFor(
	server: readonly ScopedTool[],
	tool: ScopedTool,
	scoped: ScopedCall,
	parameter: ScopeParameter,
	count: number,
): readonly [same: Evidence | undefined, elsewhere: readonly Evidence[]] {
	const rest = restOf(tool, scoped);
	const own =
		echoOf(scoped, parameter) ?? (parameter.fallback?.source === 'caller' ? undefined : parameter.fallback?.value);
	let same: Evidence | undefined;
	const elsewhere: Evidence[] = [];
	let isEarlier = true;
	for (const other of server) {
		const isSameTool = other === tool;
		const named = isSameTool ? parameter.path : pathNamed(other, parameter);
		for (const candidate of other.calls) {
			if (candidate === scoped) {
				isEarlier = false;
				continue;
			}
			const many = itemsOf(candidate);
			if (many === undefined || many === 0 || candidate.isPartial) continue;
			const isSameQuery = isSameTool && restOf(other, candidate) === rest;
			// What another tool lists is no measure for what a filter lets through.
			if (isSameTool ? count > 0 && !isFarFewer(count, many) : count > 0 || filtersOf(tool, scoped).length > 0)
				continue;
			const given = named === undefined ? undefined : candidate.given.get(named);
			const echo = echoOf(candidate, parameter);
			const value = given ?? echo;
			if (isSameQuery && given === undefined && (echo === undefined || echo === own)) {
				const isByOther = candidate.call.agent !== scoped.call.agent;
				// One and the same agent may have done what it had listed; that all of it is gone is worth a look.
				if (isEarlier && isWithin(candidate, scoped) && (isByOther || isFarFewer(count, many)))
					same = { scoped: candidate, count: many, value: undefined, isEcho: false };
				continue;
			}
			if (value === undefined || value === own || !isWithin(candidate, scoped)) continue;
			if (isSameTool ? !isAsNarrow(tool, scoped, candidate) : candidate.call.agent === scoped.call.agent)
				continue;
			elsewhere.push({ scoped: candidate, count: many, value, isEcho: given === undefined });
		}
	}
	return [same, elsewhere];
}

function isFarFewer(count: number, many: number): boolean {
	return many >= fewer && count * fewer <= many;
}

/** The parameter of the same name of another tool of the server. */
function pathNamed({ parameters }: ScopedTool, { path, kind }: ScopeParameter): string | undefined {
	const name = lastName(path);
	return parameters.find((other) => other.kind === kind && lastName(other.path) === name)?.path;
}

/** Whether what it found would have been found by the other call, had that looked there: it asked for no more than that. */
function isAsNarrow(tool: ScopedTool, scoped: ScopedCall, candidate: ScopedCall): boolean {
	const filters = new Map(filtersOf(tool, candidate));
	return filtersOf(tool, scoped).every(([path, value]) => filters.get(path) === value);
}

function isWithin({ call: { startedAt: other } }: ScopedCall, { call: { startedAt } }: ScopedCall): boolean {
	if (startedAt === undefined || other === undefined) return true;
	return other >= startedAt - before && other <= startedAt + after;
}

function reportOf(
	{ call }: ScopedCall,
	parameter: ScopeParameter,
	count: number,
	same: Evidence | undefined,
	elsewhere: readonly Evidence[],
): Report {
	// Of each place that was looked in the call that found most.
	const byValue = new Map<string, Evidence>();
	for (const evidence of elsewhere) {
		const known = byValue.get(evidence.value ?? '');
		if (known === undefined || known.count < evidence.count) byValue.set(evidence.value ?? '', evidence);
	}
	const best = [...byValue].filter(([value]) => !meansEverything(value));
	const listed = (best.length > 0 ? best : [...byValue]).map(([value, evidence]) => `${value} (${evidence.count})`);
	const text = `${listed.slice(0, 5).join(', ')}${listed.length > 5 ? ` and ${counted(listed.length - 5, 'more')}` : ''}`;
	return {
		at: argumentsPlace(call),
		messageId: same === undefined ? 'elsewhere' : 'before',
		data: {
			agent: agentName(call.agent),
			tool: call.name,
			count: itemsText(count),
			countBefore: itemsText(same?.count ?? 0),
			parameter: parameter.path,
			fallback: parameter.fallback === undefined ? '' : ` (then ${parameter.fallback.value})`,
			elsewhere:
				same === undefined
					? `${parameter.path} ${text}`
					: listed.length === 0
						? ''
						: ` There was something in ${parameter.path} ${text}.`,
		},
		toolCall: call,
		related: [...(same === undefined ? [] : [same]), ...byValue.values()].slice(0, mostRelated).map((evidence) => ({
			at: argumentsPlace(evidence.scoped.call),
			messageId: evidence.value === undefined ? 'sameQuery' : evidence.isEcho ? 'echoedScope' : 'otherScope',
			data: {
				agent: agentName(evidence.scoped.call.agent),
				count: itemsText(evidence.count),
				parameter: parameter.path,
				value: evidence.value ?? '',
			},
		})),
	};
}

function itemsText(count: number): string {
	return count === 0 ? 'nothing' : counted(count, 'entry', 'entries');
}
