import { jsonText } from '../../base/jsonText.ts';
import { isHarmless, leftOut } from '../../scope/index.ts';
import type { ScopeParameter, ScopePolicy, ToolScopeSettings, UnknownScopes } from '../../scope/index.ts';
import { placesOf } from './argumentPlaces.ts';
import type { ArgumentPlace, Insertion } from './argumentPlaces.ts';

export type ActivePolicy = Exclude<ScopePolicy, 'off'>;

/** A call to a tool that has a policy. */
export interface ScopeQuestion {
	readonly policy: ActivePolicy;
	readonly settings: ToolScopeSettings;
	/** The policy was set for this very tool, rather than for a pattern that it happens to fit. */
	readonly isNamed: boolean;
	/** The tool's scopes, or why nothing is known of them. */
	readonly scopes: readonly ScopeParameter[] | UnknownScopes;
	readonly args: unknown;
	/** Of values to put in, by path: why the tool would not take them. Sentences. */
	readonly unfit: ReadonlyMap<string, string>;
}

export interface DecidedParameter {
	readonly path: string;
	/** JSON, where it was put in. */
	readonly value?: string | undefined;
}

export type ScopeAnswer =
	/** Nothing was left out that the policy asks for. */
	| { readonly outcome: 'explicit' }
	| {
			readonly outcome: 'reported' | 'inconclusive';
			readonly parameters: readonly DecidedParameter[];
			/** A sentence. */
			readonly reason: string;
	  }
	| {
			readonly outcome: 'refused';
			readonly parameters: readonly DecidedParameter[];
			readonly reason: string;
			/** None: whether anything is missing cannot be told. */
			readonly missing: readonly ScopeParameter[];
	  }
	| {
			readonly outcome: 'filled';
			readonly parameters: readonly DecidedParameter[];
			readonly reason: string;
			readonly insertions: readonly Insertion[];
	  };

/**
 * Decides on one call by what is known of its tool. It never throws. What cannot be known is inconclusive, and the call goes through; but
 * not where a person has demanded of this very tool that it is told where to look.
 */
export function decide(question: ScopeQuestion): ScopeAnswer {
	const answer = answerTo(question);
	if (answer.outcome !== 'inconclusive' || question.policy !== 'require' || !question.isNamed) return answer;
	return { outcome: 'refused', parameters: answer.parameters, reason: answer.reason, missing: [] };
}

function answerTo(question: ScopeQuestion): ScopeAnswer {
	const { policy, settings, scopes, args } = question;
	if ('reason' in scopes) return inconclusive(scopes.reason);
	const contradiction = contradictionIn(settings, policy);
	// Whoever demands that a scope is given is not to lose that by a slip elsewhere in the settings.
	if (contradiction !== undefined && policy !== 'require') return inconclusive(contradiction);
	const concerned = concernedOf(scopes, settings, policy);
	if (args !== undefined && args !== null && (typeof args !== 'object' || Array.isArray(args)))
		return inconclusive('The arguments of the call are no object.');
	const missing: Missing[] = [];
	const blocked: string[] = [];
	const isSaid = saidIn(scopes, args);
	for (const parameter of concerned) {
		const places = placesOf(args, parameter.path);
		if (places.some(({ state }) => state === 'blocked')) blocked.push(parameter.path);
		const open = places.filter((place) => isOpen(parameter, place) && !isSaid(parameter, place));
		if (open.length > 0) missing.push({ parameter, places: open });
	}
	if (missing.length === 0) {
		return blocked.length === 0
			? { outcome: 'explicit' }
			: inconclusive(`Whether ${named(blocked)} is given cannot be told: the arguments have another shape.`);
	}
	if (policy === 'fill') return fill(missing, question);
	const paths = missing.map(({ parameter }) => parameter.path);
	const reason = `The call does not say ${named(paths)}${insteadOf(missing[0]?.parameter)}.`;
	const parameters = paths.map((path) => ({ path }));
	if (policy === 'report') return { outcome: 'reported', parameters, reason };
	return { outcome: 'refused', parameters, reason, missing: missing.map(({ parameter }) => parameter) };
}

interface Missing {
	readonly parameter: ScopeParameter;
	readonly places: readonly ArgumentPlace[];
}

/** The scopes that a policy asks for. */
function concernedOf(
	scopes: readonly ScopeParameter[],
	settings: ToolScopeSettings,
	policy: ActivePolicy,
): readonly ScopeParameter[] {
	const declared = new Set(settings.parameters);
	const values = settings.values ?? {};
	if (policy === 'fill') return scopes.filter(({ path }) => declared.has(path) || Object.hasOwn(values, path));
	const asked = scopes.filter(
		(parameter) =>
			declared.has(parameter.path) ||
			// A server says itself that what it needs is missing; and a range of time is most often meant to be open.
			(!parameter.isRequired && parameter.kind !== 'time' && !isHarmless(parameter)),
	);
	const unintended = asked.filter(({ path }) => !Object.hasOwn(settings.intended ?? {}, path));
	// A tool on which every default is meant, and of which a scope is demanded: the demand counts.
	return unintended.length === 0 && policy === 'require' ? asked : unintended;
}

/** What a person cannot have meant, as a sentence. */
function contradictionIn(settings: ToolScopeSettings, policy: ActivePolicy): string | undefined {
	const { parameters, intended = {}, values = {} } = settings;
	const contradict = (what: string) => `The settings contradict each other: ${what}.`;
	if (parameters?.length === 0) return contradict(`the tool has no scope, and the policy is ${policy}`);
	if (policy !== 'fill') return undefined;
	const paths = Object.keys(values);
	if (paths.length === 0) return contradict('the policy is fill, and there is no value to put in');
	const meant = paths.filter((path) => Object.hasOwn(intended, path));
	if (meant.length > 0) return contradict(`the default of ${named(meant)} is meant, and there is a value to put in`);
	const others = paths.filter((path) => parameters?.includes(path) === false);
	return others.length === 0 ? undefined : contradict(`there is a value for ${named(others)}, which is no scope`);
}

function isOpen(parameter: ScopeParameter, place: ArgumentPlace): boolean {
	if (place.state === 'blocked') return false;
	const values = place.state === 'absent' ? [] : [{ path: parameter.path, value: jsonOf(place.value) }];
	return leftOut([parameter], { range: nowhere, values, isPartial: false }).length > 0;
}

/**
 * Whether something else in the call says the same: a channel's name is as good as its id. Of an element of a list the members of the same
 * element can say it, and no other's.
 */
function saidIn(
	scopes: readonly ScopeParameter[],
	args: unknown,
): (parameter: ScopeParameter, place: ArgumentPlace) => boolean {
	/** By the list that a path leads through, then by the numbers of the elements: the paths that are left out there. */
	const missing = new Map<string, Map<string, ReadonlySet<string>>>();
	return ({ path }, { keys }) => {
		const list = listOf(path);
		let byElement = missing.get(list);
		if (byElement === undefined) missing.set(list, (byElement = missingIn(list)));
		const left = byElement.get(elementOf(keys));
		return left !== undefined && !left.has(path);
	};

	function missingIn(list: string): Map<string, ReadonlySet<string>> {
		const beside = scopes.filter(({ path }) => listOf(path) === list);
		const given = new Map<string, { path: string; value: string }[]>();
		for (const { path } of beside) {
			for (const { keys, state, value } of placesOf(args, path)) {
				if (state !== 'given') continue;
				const element = elementOf(keys);
				const values = given.get(element);
				const one = { path, value: jsonOf(value) };
				if (values === undefined) given.set(element, [one]);
				else values.push(one);
			}
		}
		return new Map(
			[...given].map(([element, values]) => [
				element,
				new Set(leftOut(beside, { range: nowhere, values, isPartial: false }).map(({ path }) => path)),
			]),
		);
	}
}

/** `posts[]` of `posts[].channel.id`; a list of plain values is no list that something is in. */
function listOf(path: string): string {
	return path.slice(0, path.lastIndexOf('[].') + 1);
}

function elementOf(keys: ArgumentPlace['keys']): string {
	return keys.filter((key) => typeof key === 'number').join();
}

function jsonOf(value: unknown): string {
	return jsonText(value).slice(0, 200);
}

/** The wire has no columns. */
const nowhere = { column: 1, endColumn: 1 };

function fill(missing: readonly Missing[], { settings: { values = {} }, unfit }: ScopeQuestion): ScopeAnswer {
	const insertions: Insertion[] = [];
	const parameters: DecidedParameter[] = [];
	const reasons: string[] = [];
	for (const { parameter, places } of missing) {
		const { path } = parameter;
		const value = Object.hasOwn(values, path) ? JSON.stringify(values[path]) : undefined;
		const free = places.filter(({ state }) => state === 'absent');
		const reason =
			value === undefined
				? `There is no value to put in for ${named([path])}.`
				: unfit.has(path)
					? unfit.get(path)
					: free.length === 0
						? `What the call gives for ${named([path])} says nothing, and is not written over.`
						: undefined;
		if (value === undefined || reason !== undefined) {
			parameters.push({ path });
			if (reason !== undefined) reasons.push(reason);
			continue;
		}
		parameters.push({ path, value });
		for (const { keys } of free) insertions.push({ keys, value });
	}
	if (insertions.length === 0) return { outcome: 'inconclusive', parameters, reason: reasons.join(' ') };
	const put = parameters.flatMap(({ path, value }) => (value === undefined ? [] : [path]));
	return {
		outcome: 'filled',
		parameters,
		reason: [`The call does not say ${named(put)}; the value of the settings was put in.`, ...reasons].join(' '),
		insertions,
	};
}

function inconclusive(reason: string): ScopeAnswer {
	return { outcome: 'inconclusive', parameters: [], reason };
}

function insteadOf(parameter: ScopeParameter | undefined): string {
	const { fallback } = parameter ?? {};
	return fallback === undefined ? '' : `; the tool takes ${fallback.value} for it`;
}

function named(paths: readonly string[]): string {
	return paths.map((path) => `"${path}"`).join(', ');
}
