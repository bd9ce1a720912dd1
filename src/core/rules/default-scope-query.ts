import { counted } from '../base/text.ts';
import { agentName } from '../conversation/index.ts';
import type { Agent } from '../conversation/index.ts';
import type { ScopeParameter } from '../scope/index.ts';
import { callersOf, isUnattended } from './callers.ts';
import type { Caller } from './callers.ts';
import { defineRule } from './rule.ts';
import type { Report } from './rule.ts';
import { fallsBack, lastName } from '../scope/index.ts';
import {
	argumentsPlace,
	echoOf,
	isCompleted,
	knownValues,
	meansEverything,
	missingScopes,
	scopedTools,
} from './scopedCalls.ts';
import type { ScopedCall, ScopedTool } from './scopedCalls.ts';

/** Related places of one finding. */
const mostRelated = 10;
/** Values of others that the message names. */
const mostValues = 5;

/** The calls of one agent to one tool that leave out the same scope, all by somebody who looks at the answer or all by nobody. */
interface Group {
	readonly agent: Agent;
	readonly parameter: ScopeParameter;
	readonly caller: Caller;
	readonly first: ScopedCall;
	readonly more: ScopedCall[];
	/** Further scopes that the first call leaves out. */
	readonly alsoLeftOut: readonly ScopeParameter[];
}

export default defineRule({
	id: 'default-scope-query',
	meta: {
		description:
			'A call says where its tool is to look, rather than taking a default that is only a part of what there is.',
		family: 'scope',
		severity: 'warning',
		messages: {
			schemaDefault:
				'{{agent}} called {{tool}} {{times}}without {{parameter}}, so it took the default of the schema, {{value}}.{{echo}}{{also}}{{others}}{{known}} {{caller}}',
			described:
				'{{agent}} called {{tool}} {{times}}without {{parameter}}, which by its description {{value}}: {{words}}{{echo}}{{also}}{{others}}{{known}} {{caller}}',
			callersOwn:
				"{{agent}} called {{tool}} {{times}}without {{parameter}}, so it took its caller's own{{value}}: {{words}}{{echo}}{{also}}{{others}}{{known}} {{caller}}",
			declared:
				'{{agent}} called {{tool}} {{times}}without {{parameter}}, a scope by the settings; nothing tells what is taken in its place.{{echo}}{{also}}{{others}}{{known}} {{caller}}',
			passed: '{{agent}} passed {{value}} here.',
			again: 'It is left out here too.',
		},
	},
	create(context) {
		return {
			conversation(conversation) {
				const callerOf = callersOf(conversation);
				const tools = scopedTools(conversation, context.scope);
				for (const tool of tools) {
					if (tool.parameters.length === 0 && !isContradicted(tool)) continue;
					const groups = new Map<string, Group>();
					for (const scoped of tool.calls) {
						const { call } = scoped;
						if (!isCompleted(scoped)) continue;
						const caller = callerOf(call);
						const missing = missingScopes(tool, scoped, caller);
						const [parameter, ...alsoLeftOut] =
							tool.unknown === undefined
								? missing.filter(fallsBack).sort(byWeight)
								: missing.filter(isPassedIn(tool));
						if (parameter === undefined || tookEverything(scoped, parameter)) continue;
						const key = `${call.agent.id} ${parameter.path} ${isUnattended(caller)} ${scoped.isPartial}`;
						const group = groups.get(key);
						if (group !== undefined) group.more.push(scoped);
						else
							groups.set(key, {
								agent: call.agent,
								parameter,
								caller,
								first: scoped,
								more: [],
								alsoLeftOut,
							});
					}
					if (tool.unknown !== undefined) {
						const [group] = groups.values();
						const first = group?.first ?? (isContradicted(tool) ? tool.calls.find(isCompleted) : undefined);
						if (first !== undefined) {
							const what =
								group === undefined
									? `Whether ${agentName(first.call.agent)}'s call to ${tool.name} has left out a scope cannot be told.`
									: `${agentName(first.call.agent)} called ${tool.name} without ${group.parameter.path}, which others passed; what it takes then is not known.`;
							context.inconclusive(argumentsPlace(first.call), `${what} ${tool.unknown}`);
						}
						continue;
					}
					for (const group of groups.values()) {
						const { first, parameter } = group;
						if (first.isPartial) {
							context.inconclusive(
								argumentsPlace(first.call),
								`Whether ${agentName(first.call.agent)} passed ${parameter.path} to ${first.call.name} cannot be told: its arguments are only known in part.`,
							);
						} else {
							const server = tools.filter((other) => other.server === tool.server);
							context.report(reportOf(tool, server, group));
						}
					}
				}
			},
		};
	},
});

/** The settings name scopes, and what the server says of the tool has no such parameters. */
function isContradicted({ unknown, settings }: ScopedTool): boolean {
	return unknown !== undefined && settings.parameters !== undefined && settings.parameters.length > 0;
}

function isPassedIn({ calls }: ScopedTool): (parameter: ScopeParameter) => boolean {
	return ({ path }) => calls.some(({ given }) => given.has(path));
}

const sourceWeight = { caller: 0, description: 1, schema: 2 } as const;

/** What misleads most comes first: the caller's own context rather than the default length of a time. */
function byWeight(one: ScopeParameter, other: ScopeParameter): number {
	const weight = ({ kind, fallback }: ScopeParameter) =>
		(kind === 'time' ? 10 : 0) + (fallback === undefined ? 0 : sourceWeight[fallback.source]);
	return weight(one) - weight(other);
}

/** Whoever has started the agent has chosen it, even where nobody looks now. */
function isWorkingDirectory({ kind, fallback }: ScopeParameter): boolean {
	return (
		kind === 'place' &&
		/\b(?:working dir(?:ectory)?|cwd|(?:project|workspace)(?:'s)? root)\b|^"?\.\/?"?$/i.test(fallback?.value ?? '')
	);
}

/** The answer itself says that nothing was left out of it. */
function tookEverything(scoped: ScopedCall, parameter: ScopeParameter): boolean {
	const echo = echoOf(scoped, parameter);
	return echo !== undefined && meansEverything(echo);
}

function listed(values: readonly string[]): string {
	const more = values.length - mostValues;
	return `${values.slice(0, mostValues).join(', ')}${more > 0 ? ` and ${counted(more, 'more value')}` : ''}`;
}

/** The fallback within the message of its kind. Words that are torn from their sentence say less than the sentence beside them. */
function valueText({ path, fallback }: ScopeParameter): string {
	if (fallback === undefined) return '';
	const { value } = fallback;
	const isTorn =
		/^(?:and|or|but|that|which|it|if|when|see|default)\b|…$/i.test(value) ||
		lastName(path).startsWith(lastName(value));
	switch (fallback.source) {
		case 'schema':
			return value;
		case 'description':
			return isTorn ? 'has a default' : `defaults to ${value}`;
		case 'caller':
			return isTorn ? '' : ` (${value})`;
	}
}

/** A sentence without its end, and without a bracket that was opened in the sentence before. */
function quoted(words: string): string {
	// Begun once for all dots in a row, since a schema may hold very many.
	const text = words.replace(/(?<![.\s])[.\s]+$/, '');
	return text.endsWith(')') && !text.includes('(') ? text.slice(0, -1) : text;
}

function reportOf(
	tool: ScopedTool,
	server: readonly ScopedTool[],
	{ agent, parameter, caller, first, more, alsoLeftOut }: Group,
): Report {
	const { path, fallback } = parameter;
	const passed = tool.calls.filter(({ given }) => given.has(path));
	// One place for each value and agent tells what the others do.
	const byValue = new Map(passed.map((scoped) => [`${scoped.call.agent.id} ${scoped.given.get(path)}`, scoped]));
	const values = [...new Set(passed.map(({ given }) => given.get(path) ?? ''))];
	const echo = echoOf(first, parameter);
	const known = values.some(meansEverything)
		? []
		: knownValues(server, parameter)
				.map(({ value }) => value)
				.filter((value) => !values.includes(value) && value !== echo && value !== fallback?.value);
	const others = [...byValue.values()].slice(0, more.length === 0 ? mostRelated : mostRelated / 2);
	return {
		at: argumentsPlace(first.call),
		messageId:
			fallback === undefined
				? 'declared'
				: ({ schema: 'schemaDefault', description: 'described', caller: 'callersOwn' } as const)[
						fallback.source
					],
		severity: isUnattended(caller) && !isWorkingDirectory(parameter) ? undefined : 'note',
		data: {
			agent: agentName(agent),
			tool: tool.name,
			parameter: path,
			times: more.length === 0 ? '' : `${more.length + 1} times `,
			value: valueText(parameter),
			words: fallback === undefined ? '' : `"${quoted(fallback.words)}".`,
			echo: echo === undefined ? '' : ` The answer says that it took ${echo}.`,
			also:
				alsoLeftOut.length === 0
					? ''
					: ` Left out as well: ${alsoLeftOut.map(({ path: other, fallback: its }) => (its === undefined ? other : `${other} (${its.value})`)).join(', ')}.`,
			others: values.length === 0 ? '' : ` Other calls in this session passed ${listed(values)}.`,
			known:
				known.length === 0
					? ''
					: ` There ${known.length === 1 ? 'is' : 'are'} also ${listed(known)}, which no call to it asked for.`,
			caller: caller.evidence,
		},
		toolCall: first.call,
		related: [
			...others.map(({ call, given }) => ({
				at: argumentsPlace(call),
				messageId: 'passed',
				data: { agent: agentName(call.agent), value: given.get(path) ?? '' },
			})),
			...more
				.slice(0, mostRelated - others.length)
				.map(({ call }) => ({ at: argumentsPlace(call), messageId: 'again' })),
		],
	};
}
