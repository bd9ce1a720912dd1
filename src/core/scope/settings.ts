// What people say of tools' scopes.

import { isPossiblePath, schemaMembers } from './schema.ts';
import type { SchemaMember } from './schema.ts';
import type {
	DescribedTool,
	ScopePolicies,
	ScopePolicy,
	ScopeSettings,
	ScopeSettingsProblem,
	ToolScopeSettings,
} from './scopeParameter.ts';

/**
 * What the settings say of one tool: every entry whose names match, the most exact first. Each member comes from the most exact entry that
 * has it, and so does each path of `intended` and `values`, and the policy for each caller.
 */
export function settingsFor(settings: ScopeSettings, server: string, tool: string): ToolScopeSettings {
	const entries: { readonly server: string; readonly tool: string; readonly own: ToolScopeSettings }[] = [];
	for (const [serverPattern, tools] of Object.entries(settings)) {
		if (!matches(serverPattern, server)) continue;
		for (const [toolPattern, own] of Object.entries(tools)) {
			if (matches(toolPattern, tool)) entries.push({ server: serverPattern, tool: toolPattern, own });
		}
	}
	entries.sort(
		(one, other) => exactness(one.server) - exactness(other.server) || exactness(one.tool) - exactness(other.tool),
	);
	let parameters: readonly string[] | undefined;
	let intended: Record<string, string> | undefined;
	let values: Record<string, unknown> | undefined;
	let policy: ScopePolicies | undefined;
	for (const { own } of entries) {
		parameters = own.parameters ?? parameters;
		if (own.intended !== undefined) intended = { ...intended, ...own.intended };
		if (own.values !== undefined) values = { ...values, ...own.values };
		if (own.policy !== undefined) policy = { ...policy, ...policiesOf(own.policy) };
	}
	return { parameters, intended, policy, values };
}

/** Whether a name is meant by a pattern: `*` stands for any characters, everything else for itself. */
export function matches(pattern: string, name: string): boolean {
	let at = 0;
	let star = -1;
	let mark = 0;
	let index = 0;
	while (index < name.length) {
		if (pattern.charAt(at) === '*') {
			star = at++;
			mark = index;
		} else if (pattern.charAt(at) === name.charAt(index)) {
			at++;
			index++;
		} else if (star >= 0) {
			at = star + 1;
			index = ++mark;
		} else {
			return false;
		}
	}
	while (pattern.charAt(at) === '*') at++;
	return at === pattern.length;
}

function exactness(pattern: string): number {
	if (!pattern.includes('*')) return Number.MAX_SAFE_INTEGER;
	return pattern.replaceAll('*', '').length;
}

function policiesOf(policy: ScopePolicy | ScopePolicies): ScopePolicies {
	if (typeof policy === 'string') return { interactive: policy, headless: policy };
	const policies: { interactive?: ScopePolicy; headless?: ScopePolicy } = {};
	if (policy.interactive !== undefined) policies.interactive = policy.interactive;
	if (policy.headless !== undefined) policies.headless = policy.headless;
	return policies;
}

const policyNames = ['off', 'report', 'require', 'fill'] as const;
const policyWords = 'one of off, report, require and fill';
/** Of the wrong things that are told of. */
const mostProblems = 100;

/** What is right of the settings, and one sentence for each thing that is wrong or contradicts another. Never throws. */
export function checkScopeSettings(value: unknown): {
	readonly settings: ScopeSettings;
	readonly problems: readonly ScopeSettingsProblem[];
} {
	const problems: ScopeSettingsProblem[] = [];
	if (value === undefined || value === null) return { settings: {}, problems };
	if (!isObject(value)) {
		problems.push({ path: [], message: 'Scopes are told by server and then by tool: an object is needed here.' });
		return { settings: {}, problems };
	}
	// Made of entries: a member may be called `__proto__`.
	const servers: [string, Readonly<Record<string, ToolScopeSettings>>][] = [];
	for (const [server, tools] of Object.entries(value)) {
		if (!isObject(tools)) {
			problems.push({ path: [server], message: `The tools of \`${server}\` must be an object, by their names.` });
			continue;
		}
		const own: [string, ToolScopeSettings][] = [];
		for (const [tool, entry] of Object.entries(tools)) {
			if (isObject(entry)) own.push([tool, checkedEntry(entry, [server, tool], problems)]);
			else problems.push({ path: [server, tool], message: `What is said of \`${tool}\` must be an object.` });
		}
		servers.push([server, Object.fromEntries(own)]);
	}
	const settings: ScopeSettings = Object.fromEntries(servers);
	for (const [server, tools] of servers) {
		for (const [tool, own] of Object.entries(tools))
			problems.push(...contradictionsIn(settings, server, tool, own));
	}
	return { settings, problems: problems.slice(0, mostProblems) };
}

function checkedEntry(
	entry: Readonly<Record<string, unknown>>,
	path: readonly string[],
	problems: ScopeSettingsProblem[],
): ToolScopeSettings {
	const checked: { -readonly [Member in keyof ToolScopeSettings]: ToolScopeSettings[Member] } = {};
	const wrong = (keys: readonly string[], message: string) => problems.push({ path: [...path, ...keys], message });
	for (const [key, value] of Object.entries(entry)) {
		// `undefined` can be written by nobody, and says nothing.
		if (value === undefined) continue;
		switch (key) {
			case 'parameters': {
				if (!Array.isArray(value)) {
					wrong([key], '`parameters` must be a list of paths of parameters, such as ["context_id"].');
					break;
				}
				const paths = new Set<string>();
				for (const [index, parameter] of value.entries()) {
					if (typeof parameter !== 'string' || parameter === '') {
						wrong([key, String(index)], 'The path of a parameter is a text, such as "filter.project".');
					} else if (paths.has(parameter)) {
						wrong([key, String(index)], `\`${parameter}\` is named twice.`);
					} else {
						paths.add(parameter);
					}
				}
				// A list of which nothing is right must not come to mean that there is no scope.
				if (paths.size > 0 || value.length === 0) checked.parameters = [...paths];
				break;
			}
			case 'intended': {
				if (!isObject(value)) {
					wrong([key], '`intended` must be an object: a reason for each path of a parameter.');
					break;
				}
				const reasons: [string, string][] = [];
				for (const [parameter, reason] of Object.entries(value)) {
					if (typeof reason === 'string' && reason.trim() !== '') reasons.push([parameter, reason]);
					else wrong([key, parameter], `Say in words why the default of \`${parameter}\` is meant.`);
				}
				checked.intended = Object.fromEntries(reasons);
				break;
			}
			case 'values':
				if (isObject(value)) checked.values = value;
				else wrong([key], '`values` must be an object: a value for each path of a parameter.');
				break;
			case 'policy': {
				const policy = checkedPolicy(value, (keys, message) => wrong([key, ...keys], message));
				if (policy !== undefined) checked.policy = policy;
				break;
			}
			default:
				wrong([key], `\`${key}\` is not known here: parameters, intended, policy and values are.`);
		}
	}
	return checked;
}

function checkedPolicy(
	value: unknown,
	wrong: (keys: readonly string[], message: string) => void,
): ScopePolicy | ScopePolicies | undefined {
	if (isPolicy(value)) return value;
	if (!isObject(value)) {
		wrong([], `A policy is ${policyWords}, or an object with such a one for interactive and for headless callers.`);
		return undefined;
	}
	const policies: { interactive?: ScopePolicy; headless?: ScopePolicy } = {};
	for (const [caller, policy] of Object.entries(value)) {
		if (caller !== 'interactive' && caller !== 'headless') {
			wrong([caller], `\`${caller}\` is no kind of caller: interactive and headless are.`);
		} else if (isPolicy(policy)) {
			policies[caller] = policy;
		} else {
			wrong([caller], `A policy is ${policyWords}.`);
		}
	}
	return Object.keys(policies).length === 0 ? undefined : policies;
}

/** What an entry says that cannot all be meant. */
function* contradictionsIn(
	settings: ScopeSettings,
	server: string,
	tool: string,
	own: ToolScopeSettings,
): Generator<ScopeSettingsProblem> {
	const { parameters, intended = {}, values = {} } = own;
	const at = (...keys: readonly string[]) => [server, tool, ...keys];
	for (const [caller, policy] of policyPlaces(own.policy)) {
		const place = caller === undefined ? at('policy') : at('policy', caller);
		if (policy === 'fill' && !hasValues(settings, server, tool)) {
			yield { path: place, message: 'The policy is `fill`, and no value is given that could be put in.' };
		}
		if ((policy === 'require' || policy === 'fill') && parameters?.length === 0) {
			yield { path: place, message: `The tool is said to have no scope, and its policy is \`${policy}\`.` };
		}
	}
	const policies = policyPlaces(own.policy).map(([, policy]) => policy);
	// Where another scope is named, it is that one which is required.
	const isRequired =
		policies.includes('require') && parameters?.some((path) => !Object.hasOwn(intended, path)) !== true;
	for (const path of Object.keys(intended)) {
		if (parameters !== undefined && !parameters.includes(path)) {
			yield {
				path: at('intended', path),
				message: `The default of \`${path}\` is meant, and \`parameters\` does not name it as a scope.`,
			};
		} else if (Object.hasOwn(values, path) && policies.includes('fill')) {
			yield {
				path: at('intended', path),
				message: `The default of \`${path}\` is meant, and \`fill\` puts another value in its place.`,
			};
		} else if (isRequired) {
			yield {
				path: at('intended', path),
				message: `The default of \`${path}\` is meant, and the policy \`require\` refuses calls that take it; if another scope is required, name it in \`parameters\`.`,
			};
		}
	}
	for (const path of Object.keys(values)) {
		if (parameters !== undefined && !parameters.includes(path)) {
			yield {
				path: at('values', path),
				message: `There is a value for \`${path}\`, and \`parameters\` does not name it as a scope.`,
			};
		}
	}
}

function policyPlaces(
	policy: ScopePolicy | ScopePolicies | undefined,
): (readonly [caller: 'interactive' | 'headless' | undefined, policy: ScopePolicy])[] {
	if (policy === undefined) return [];
	if (typeof policy === 'string') return [[undefined, policy]];
	return (['interactive', 'headless'] as const).flatMap((caller) => {
		const own = policy[caller];
		return own === undefined ? [] : [[caller, own] as const];
	});
}

/** For the tools of an entry, or some of them, there is a value somewhere. */
function hasValues(settings: ScopeSettings, server: string, tool: string): boolean {
	return Object.entries(settings).some(
		([otherServer, tools]) =>
			(matches(otherServer, server) || matches(server, otherServer)) &&
			Object.entries(tools).some(
				([otherTool, { values }]) =>
					(matches(otherTool, tool) || matches(tool, otherTool)) &&
					values !== undefined &&
					Object.keys(values).length > 0,
			),
	);
}

/**
 * What the settings say of a server's tools that its tools contradict: tools and parameters that it does not have, values that a schema does
 * not allow. Entries for several servers or tools (`*`) are taken as meant for those that have what they name.
 * @param tools All tools of the server, as it lists them now.
 */
export function checkSettingsAgainst(
	settings: ScopeSettings,
	server: string,
	tools: readonly DescribedTool[],
): readonly ScopeSettingsProblem[] {
	const problems: ScopeSettingsProblem[] = [];
	const entries = Object.hasOwn(settings, server) ? (settings[server] ?? {}) : {};
	for (const [name, own] of Object.entries(entries)) {
		if (name.includes('*')) {
			if (!tools.some((tool) => matches(name, tool.name))) {
				problems.push({
					path: [server, name],
					message: `\`${server}\` has no tool whose name is like \`${name}\`.`,
				});
			}
			continue;
		}
		const tool = tools.find((candidate) => candidate.name === name);
		if (tool === undefined) {
			problems.push({ path: [server, name], message: `\`${server}\` has no tool \`${name}\`.` });
			continue;
		}
		const schema = schemaMembers(tool.inputSchema);
		// Of a schema that cannot be read nothing is contradicted.
		if (typeof schema === 'string') continue;
		const unknown = (keys: readonly string[], path: string) => {
			if (!isPossiblePath(schema, path)) {
				problems.push({ path: [server, name, ...keys], message: `\`${name}\` has no parameter \`${path}\`.` });
			}
		};
		for (const [index, path] of (own.parameters ?? []).entries()) unknown(['parameters', String(index)], path);
		for (const path of Object.keys(own.intended ?? {})) unknown(['intended', path], path);
		for (const [path, value] of Object.entries(own.values ?? {})) {
			const place = ['values', path];
			unknown(place, path);
			const member = schema.members.find((candidate) => candidate.path === path);
			const message = member === undefined ? undefined : valueProblem(member, value);
			if (message !== undefined) problems.push({ path: [server, name, ...place], message });
		}
	}
	return problems.slice(0, mostProblems);
}

function valueProblem({ path, types, allowed }: SchemaMember, value: unknown): string | undefined {
	if (types.size > 0 && !typesOfValue(value).some((type) => types.has(type))) {
		return `The value for \`${path}\` must be of type ${[...types].join(' or ')}.`;
	}
	const values: readonly unknown[] = Array.isArray(value) ? value : [value];
	if (allowed.length === 0 || allowed.length === 50 || values.every((one) => allowed.includes(JSON.stringify(one))))
		return undefined;
	return `The schema allows other values for \`${path}\`: ${allowed.slice(0, 10).join(', ')}.`;
}

function typesOfValue(value: unknown): readonly string[] {
	if (value === null) return ['null'];
	if (Array.isArray(value)) return ['array'];
	if (typeof value === 'number') return Number.isInteger(value) ? ['integer', 'number'] : ['number'];
	return [typeof value];
}

function isPolicy(value: unknown): value is ScopePolicy {
	return policyNames.some((name) => name === value);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
