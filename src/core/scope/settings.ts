// What people say of tools' scopes.

import type {
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

/** What is right of the settings, and one sentence for each thing that is wrong. */
export function checkScopeSettings(value: unknown): {
	readonly settings: ScopeSettings;
	readonly problems: readonly ScopeSettingsProblem[];
} {
	const problems: ScopeSettingsProblem[] = [];
	const settings: Record<string, Record<string, ToolScopeSettings>> = {};
	if (value === undefined || value === null) return { settings, problems };
	if (!isObject(value)) {
		problems.push({ path: [], message: 'Scopes are told by server and then by tool: an object is needed here.' });
		return { settings, problems };
	}
	for (const [server, tools] of Object.entries(value)) {
		if (!isObject(tools)) {
			problems.push({ path: [server], message: `The tools of \`${server}\` must be an object, by name.` });
			continue;
		}
		const own: Record<string, ToolScopeSettings> = {};
		for (const [tool, entry] of Object.entries(tools)) {
			if (!isObject(entry)) {
				problems.push({ path: [server, tool], message: `What is said of \`${tool}\` must be an object.` });
				continue;
			}
			own[tool] = checkedEntry(entry, [server, tool], problems);
		}
		settings[server] = own;
	}
	return { settings, problems };
}

function checkedEntry(
	entry: Readonly<Record<string, unknown>>,
	path: readonly string[],
	problems: ScopeSettingsProblem[],
): ToolScopeSettings {
	const checked: { -readonly [Member in keyof ToolScopeSettings]: ToolScopeSettings[Member] } = {};
	for (const [key, value] of Object.entries(entry)) {
		const at = [...path, key];
		switch (key) {
			case 'parameters':
				if (Array.isArray(value)) {
					const paths = value.filter((item) => typeof item === 'string');
					if (paths.length < value.length)
						problems.push({ path: at, message: '`parameters` must be a list of paths of parameters.' });
					checked.parameters = paths;
				} else {
					problems.push({ path: at, message: '`parameters` must be a list of paths of parameters.' });
				}
				break;
			case 'intended':
				if (isObject(value)) {
					const reasons: Record<string, string> = {};
					for (const [parameter, reason] of Object.entries(value)) {
						if (typeof reason === 'string' && reason.trim() !== '') reasons[parameter] = reason;
						else
							problems.push({
								path: [...at, parameter],
								message: `Say in words why the default of \`${parameter}\` is meant.`,
							});
					}
					checked.intended = reasons;
				} else {
					problems.push({
						path: at,
						message: '`intended` must be an object: a reason for each path of a parameter.',
					});
				}
				break;
			case 'values':
				if (isObject(value)) checked.values = value;
				else
					problems.push({
						path: at,
						message: '`values` must be an object: a value for each path of a parameter.',
					});
				break;
			case 'policy': {
				const policy = checkedPolicy(value, at, problems);
				if (policy !== undefined) checked.policy = policy;
				break;
			}
			default:
				problems.push({
					path: at,
					message: `\`${key}\` is not known here: parameters, intended, policy and values are.`,
				});
		}
	}
	return checked;
}

function checkedPolicy(
	value: unknown,
	path: readonly string[],
	problems: ScopeSettingsProblem[],
): ScopePolicy | ScopePolicies | undefined {
	if (isPolicy(value)) return value;
	if (!isObject(value)) {
		problems.push({
			path,
			message:
				'A policy is one of off, report, require and fill, or an object with one for interactive and headless callers.',
		});
		return undefined;
	}
	const policies: { interactive?: ScopePolicy; headless?: ScopePolicy } = {};
	for (const [caller, policy] of Object.entries(value)) {
		if (caller !== 'interactive' && caller !== 'headless') {
			problems.push({
				path: [...path, caller],
				message: `\`${caller}\` is no kind of caller: interactive and headless are.`,
			});
		} else if (isPolicy(policy)) {
			policies[caller] = policy;
		} else {
			problems.push({ path: [...path, caller], message: 'A policy is one of off, report, require and fill.' });
		}
	}
	return policies;
}

function isPolicy(value: unknown): value is ScopePolicy {
	return policyNames.some((name) => name === value);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
