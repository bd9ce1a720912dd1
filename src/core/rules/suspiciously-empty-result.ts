import { counted } from '../base/text.ts';
import { agentName } from '../conversation/index.ts';
import type { ScopeParameter } from '../scope/index.ts';
import { callersOf } from './callers.ts';
import { defineRule } from './rule.ts';
import type { Report } from './rule.ts';
import { fallsBack, isLaterPage, lastName, wordsOf } from '../scope/index.ts';
import { argumentsPlace, echoOf, isCompleted, meansEverything, missingScopes, scopedTools } from './scopedCalls.ts';
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
	readonly tool: ScopedTool;
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
			before: "{{agent}}'s call to {{tool}} without {{parameter}}{{fallback}} brought {{count}}{{times}}; the same query brought {{countBefore}} before.{{elsewhere}}",
			elsewhere:
				"{{agent}}'s call to {{tool}} without {{parameter}}{{fallback}} brought {{count}}{{times}}, while there was something with {{elsewhere}}.",
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
				const byValue = new Map<string, Finds['byValue']>();
				const changesOf = new Map<string, readonly ScopedCall[]>();
				for (const tool of tools) {
					const finds = new Map<ScopeParameter, Finds>();
					const found = new Map<string, { readonly report: Report; times: number }>();
					const unsure = new Set<string>();
					for (const scoped of tool.calls) {
						const { call } = scoped;
						const count = itemsOf(scoped);
						if (count === undefined || scoped.isPartial || scoped.leftOut.length === 0) continue;
						if (isPartOfAnswer(tool, scoped)) continue;
						for (const parameter of missingScopes(tool, scoped, callerOf(call))) {
							const key = `${call.agent.id} ${parameter.path} ${restOf(scoped)}`;
							const known = found.get(key);
							if (known !== undefined) {
								if (count === 0) known.times++;
								break;
							}
							let own = finds.get(parameter);
							if (own === undefined) {
								const name = `${tool.server} ${parameter.kind} ${lastName(parameter.path)}`;
								let all = byValue.get(name);
								if (all === undefined) {
									const server = tools.filter((other) => other.server === tool.server);
									byValue.set(name, (all = findsByValue(server, parameter)));
								}
								finds.set(parameter, (own = findsOf(tool, parameter, all)));
							}
							let changes = changesOf.get(tool.server);
							if (changes === undefined) {
								const server = tools.filter((other) => other.server === tool.server);
								changesOf.set(tool.server, (changes = changesIn(server)));
							}
							const [same, elsewhere] = evidenceFor(own, changes, scoped, parameter, count);
							if (same !== undefined || elsewhere.length > 0) {
								found.set(key, {
									report: reportOf(scoped, parameter, count, same, elsewhere),
									times: 1,
								});
								break;
							}
							const unsureKey = `${call.agent.id} ${parameter.path}`;
							if (count > 0 || !fallsBack(parameter) || unsure.has(unsureKey)) continue;
							unsure.add(unsureKey);
							context.inconclusive(
								argumentsPlace(call),
								`${agentName(call.agent)}'s call to ${call.name} brought nothing, and ${parameter.path} was left out. Nothing in sight tells whether there was something elsewhere.`,
							);
						}
					}
					for (const { report, times } of found.values()) {
						context.report({
							...report,
							data: { ...report.data, times: times === 1 ? '' : ` ${times} times` },
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

/** What a call asks for beside where it looks, as text to compare. */
function restOf({ filters }: ScopedCall): string {
	return filters.join('\n');
}

/** Calls that found something, each list in order of time. */
interface Finds {
	/** By the same tool without the parameter: by what was asked for. */
	readonly withoutScope: Map<string, Evidence[]>;
	/** By the same tool, by what was asked for and then by where it looked. */
	readonly byFilters: Map<string, Map<string, Evidence[]>>;
	/** By any tool of the server, by where it looked: what a call without filters would have found there too. */
	readonly byValue: Map<string, Evidence[]>;
}

/** @param byValue What any tool of the server found, by where it looked. */
function findsOf(tool: ScopedTool, parameter: ScopeParameter, byValue: Finds['byValue']): Finds {
	const finds: Finds = { withoutScope: new Map(), byFilters: new Map(), byValue };
	for (const scoped of tool.calls) {
		const evidence = evidenceOf(tool, scoped, parameter, parameter.path);
		if (evidence === undefined) continue;
		const rest = restOf(scoped);
		if (!scoped.given.has(parameter.path)) listIn(finds.withoutScope, rest).push(evidence);
		if (evidence.value === undefined) continue;
		let values = finds.byFilters.get(rest);
		if (values === undefined) finds.byFilters.set(rest, (values = new Map<string, Evidence[]>()));
		listIn(values, evidence.value).push(evidence);
	}
	return finds;
}

function findsByValue(server: readonly ScopedTool[], parameter: ScopeParameter): Finds['byValue'] {
	const byValue = new Map<string, Evidence[]>();
	for (const tool of server) {
		const named = pathNamed(tool, parameter);
		for (const scoped of tool.calls) {
			const evidence = evidenceOf(tool, scoped, parameter, named);
			if (evidence?.value !== undefined) listIn(byValue, evidence.value).push(evidence);
		}
	}
	for (const list of byValue.values()) list.sort((one, other) => timeOf(one.scoped) - timeOf(other.scoped));
	return byValue;
}

/** What a call has found, if anything. @param named What the tool calls the parameter. */
function evidenceOf(
	tool: ScopedTool,
	scoped: ScopedCall,
	parameter: ScopeParameter,
	named: string | undefined,
): Evidence | undefined {
	const count = itemsOf(scoped);
	if (count === undefined || count === 0 || scoped.isPartial) return undefined;
	const given = named === undefined ? undefined : scoped.given.get(named);
	return { scoped, tool, count, value: given ?? echoOf(scoped, parameter), isEcho: given === undefined };
}

/** Calls after which less may be there, in order of time. */
function changesIn(server: readonly ScopedTool[]): readonly ScopedCall[] {
	return server
		.filter(({ name }) => wordsOf(name).some((word) => lessening.test(word)))
		.flatMap(({ calls }) => calls.filter(isCompleted))
		.sort((one, other) => timeOf(one) - timeOf(other));
}

const lessening =
	/^(?:ack|acknowledge|archive|cancel|clean|clear|close|complete|delete|destroy|dismiss|done|drop|edit|empty|finish|mark|merge|modify|move|purge|remove|reset|resolve|set|snooze|transition|trash|truncate|uninstall|update|write)$/;

/** What was there for the one call may have been done, moved or removed before the other. */
function isChangedBetween(changes: readonly ScopedCall[], one: ScopedCall, other: ScopedCall): boolean {
	let low = 0;
	let high = changes.length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		const change = changes[middle];
		if (change !== undefined && timeOf(change) < timeOf(one)) low = middle + 1;
		else high = middle;
	}
	for (const change of changes.slice(low, low + mostSteps)) {
		if (timeOf(change) > timeOf(other)) return false;
		if (isBefore(one, change) && isBefore(change, other)) return true;
	}
	return false;
}

function listIn(lists: Map<string, Evidence[]>, key: string): Evidence[] {
	let list = lists.get(key);
	if (list === undefined) lists.set(key, (list = []));
	return list;
}

/** More places than that make a finding no surer. */
const mostPlaces = 50;

/** The last same query that brought more, and what calls that looked elsewhere have brought. */
function evidenceFor(
	{ withoutScope, byFilters, byValue }: Finds,
	changes: readonly ScopedCall[],
	scoped: ScopedCall,
	parameter: ScopeParameter,
	count: number,
): readonly [same: Evidence | undefined, elsewhere: readonly Evidence[]] {
	const { agent } = scoped.call;
	const rest = restOf(scoped);
	const echo = echoOf(scoped, parameter);
	const own = echo ?? (parameter.fallback?.source === 'caller' ? undefined : parameter.fallback?.value);
	const same = nearest(withoutScope.get(rest), scoped, (other) => {
		if (other.value !== undefined && other.value !== own) return false;
		// One and the same agent may have done what it had listed; that all of it is gone is worth a look.
		const isFew = other.scoped.call.agent === agent || count > 0;
		if (!isBefore(other.scoped, scoped) || isChangedBetween(changes, other.scoped, scoped)) return false;
		return !isFew || isFarFewer(count, other.count);
	});
	// Without filters it would have found whatever there was, had it looked there.
	const places =
		scoped.filters.length === 0 && count === 0 ? byValue : (byFilters.get(rest) ?? new Map<string, never>());
	const elsewhere: Evidence[] = [];
	for (const [value, list] of places) {
		if (value === own) continue;
		const evidence = nearest(
			list,
			scoped,
			(other) =>
				(count === 0 || isFarFewer(count, other.count)) &&
				(other.tool.name === scoped.call.name || other.scoped.call.agent !== agent) &&
				!isChangedBetween(changes, other.scoped, scoped),
		);
		if (evidence !== undefined) elsewhere.push(evidence);
		if (elsewhere.length === mostPlaces) break;
	}
	return [same, elsewhere];
}

/** Of calls in order of time the last one before this that is accepted, else the first one behind it; within the time in which they tell something. */
function nearest(
	list: readonly Evidence[] | undefined,
	scoped: ScopedCall,
	isAccepted: (evidence: Evidence) => boolean,
): Evidence | undefined {
	if (list === undefined) return undefined;
	const time = timeOf(scoped);
	let low = 0;
	let high = list.length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		const other = list[middle];
		if (other !== undefined && timeOf(other.scoped) <= time) low = middle + 1;
		else high = middle;
	}
	for (let index = low - 1; index >= Math.max(0, low - mostSteps); index--) {
		const other = list[index];
		if (other === undefined || timeOf(other.scoped) < time - before) break;
		if (isAccepted(other)) return other;
	}
	for (let index = low; index < Math.min(list.length, low + mostSteps); index++) {
		const other = list[index];
		if (other === undefined || timeOf(other.scoped) > time + after) break;
		if (isAccepted(other)) return other;
	}
	return undefined;
}

const mostSteps = 200;

function timeOf({ call }: ScopedCall): number {
	return call.startedAt ?? 0;
}

function isBefore({ call: one }: ScopedCall, { call: other }: ScopedCall): boolean {
	if (one.startedAt !== other.startedAt) return (one.startedAt ?? 0) < (other.startedAt ?? 0);
	const { source } = one.place;
	const { source: otherSource } = other.place;
	return (
		source.kind === 'transcript' &&
		otherSource.kind === 'transcript' &&
		source.path === otherSource.path &&
		source.line < otherSource.line
	);
}

function isFarFewer(count: number, many: number): boolean {
	return many >= fewer && count * fewer <= many;
}

/** The parameter of the same name of another tool of the server. */
function pathNamed({ parameters }: ScopedTool, { path, kind }: ScopeParameter): string | undefined {
	const name = lastName(path);
	return parameters.find((other) => other.kind === kind && lastName(other.path) === name)?.path;
}

function reportOf(
	{ call }: ScopedCall,
	parameter: ScopeParameter,
	count: number,
	same: Evidence | undefined,
	elsewhere: readonly Evidence[],
): Report {
	const byValue = new Map(elsewhere.map((evidence) => [evidence.value ?? '', evidence]));
	const best = [...byValue].filter(([value]) => !meansEverything(value));
	const listed = (best.length > 0 ? best : [...byValue]).map(
		([value, evidence]) => `${value} (${itemsText(evidence.count)})`,
	);
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
			fallback: parameter.fallback === undefined ? '' : ` (default: ${parameter.fallback.value})`,
			elsewhere:
				same === undefined
					? `${parameter.path} ${text}`
					: listed.length === 0
						? ''
						: ` There was something with ${parameter.path} ${text}.`,
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
