// Which parameters of a tool say where it looks: what people say of it first, then what its server says, then what its names and words tell.

import { classify, nounIn, plainName } from './classify.ts';
import type { Classification } from './classify.ts';
import { annotatedFallback, blanksOf, fallbackOf } from './fallback.ts';
import { isPossiblePath, schemaMembers } from './schema.ts';
import type { SchemaMember } from './schema.ts';
import type {
	DescribedTool,
	ScopeEvidence,
	ScopeKind,
	ScopeParameter,
	ScopeSettings,
	SeenValues,
	UnknownScopes,
} from './scopeParameter.ts';
import { seenOf } from './seenValues.ts';
import { settingsFor } from './settings.ts';
import { siblingMatch } from './siblings.ts';
import { isOperation, shapeOf } from './toolShape.ts';
import { kindPhrases } from './words.ts';

/**
 * The parameters that say where the tool looks, in the order of the schema, each with its evidence; or why that cannot be told.
 * Never throws, whatever the schema. The caller keeps what it returns for as long as the tool's description, the settings and what was
 * seen stay the same.
 * @param siblings All tools of the server, as it lists them: the same array for each of them, so that it is gone through once.
 */
export function scopeParametersOf(
	tool: DescribedTool,
	settings?: ScopeSettings,
	seen?: SeenValues,
	siblings?: readonly DescribedTool[],
): readonly ScopeParameter[] | UnknownScopes {
	const own = settings === undefined ? {} : settingsFor(settings, tool.server, tool.name);
	const schema = schemaMembers(tool.inputSchema);
	const shape = shapeOf(tool, typeof schema !== 'string' && schema.members.some(isOperation));
	if (own.parameters !== undefined) {
		const members = typeof schema === 'string' ? [] : schema.members;
		const named = own.parameters.filter((path) => typeof schema === 'string' || isPossiblePath(schema, path));
		if (named.length === 0 && own.parameters.length > 0) {
			const names = own.parameters.map((path) => `\`${path}\``).join(', ');
			return {
				reason: `The settings name ${names} as a scope of \`${tool.name}\`, and its input schema has no such parameter.`,
			};
		}
		const beside = namesBeside(members);
		return named.map((path) => {
			const member = members.find((candidate) => candidate.path === path) ?? unlisted(path);
			const match = classify(member, shape, beside.get(parentOf(member)) ?? nothing);
			const evidence: ScopeEvidence = {
				source: 'settings',
				sentence: `The settings name \`${path}\` as a scope of \`${tool.name}\`.`,
			};
			return parameterOf(tool, member, match?.kind ?? kindOfNoun(member), match?.noun, undefined, [
				evidence,
				...(match === undefined ? [] : [match.evidence]),
			]);
		});
	}
	if (typeof schema === 'string') return { reason: schema };
	const known = seen === undefined ? undefined : seenOf(tool.name, seen);
	const beside = namesBeside(schema.members);
	const found: ScopeParameter[] = [];
	for (const member of schema.members) {
		const annotation = annotationOf(member, schema.annotation);
		if (annotation === false || member.isReadOnly) continue;
		const match = classify(member, shape, beside.get(parentOf(member)) ?? nothing);
		const name = plainName(member.name);
		const handle = known?.handle(name);
		const echo = known?.echo(member.path, name);
		const evidence: ScopeEvidence[] = [];
		if (annotation !== undefined) {
			evidence.push({ source: 'annotation', sentence: `The schema marks \`${member.path}\` with \`x-scope\`.` });
		}
		if (match !== undefined) evidence.push(match.evidence);
		const isShown = !member.isRequired && (handle?.isPassedOn === true || echo?.isOfList === true);
		const shared =
			evidence.length === 0 && siblings !== undefined ? siblingMatch(tool, member, shape, siblings) : undefined;
		if (shared !== undefined) evidence.push({ source: 'siblings', sentence: shared.sentence });
		if (evidence.length === 0 && !isShown) continue;
		if (handle !== undefined) evidence.push({ source: 'handle', sentence: handle.sentence });
		if (echo !== undefined) evidence.push({ source: 'echo', sentence: echo.sentence });
		const kind = annotation?.kind ?? match?.kind ?? shared?.kind ?? kindOfNoun(member);
		found.push(parameterOf(tool, member, kind, match?.noun, annotation?.fallback, evidence));
	}
	return found;
}

const nothing: ReadonlySet<string> = new Set();

function parameterOf(
	tool: DescribedTool,
	member: SchemaMember,
	kind: ScopeKind,
	noun: Classification['noun'] | undefined,
	annotated: string | undefined,
	evidence: readonly ScopeEvidence[],
): ScopeParameter {
	const fallback = member.isRequired
		? undefined
		: annotated === undefined
			? fallbackOf(member, tool.description, { kind, noun })
			: annotatedFallback(annotated);
	const spoken =
		fallback === undefined ||
		fallback.source === 'schema' ||
		member.description === undefined ||
		!member.description.includes(fallback.words)
			? undefined
			: fallback.words;
	return {
		path: member.path,
		kind,
		isRequired: member.isRequired,
		fallback,
		allowed: member.allowed,
		blanks: member.isRequired ? [] : blanksOf(member),
		description: member.description,
		evidence:
			spoken === undefined || evidence.some(({ source }) => source === 'description')
				? evidence
				: [
						...evidence,
						{ source: 'description', sentence: `Its description says what is taken without it: ${spoken}` },
					],
	};
}

/** A parameter that settings name and the schema does not list. */
function unlisted(path: string): SchemaMember {
	return {
		path,
		name: (path.split('.').at(-1) ?? path).replaceAll('[]', ''),
		isRequired: false,
		types: nothing,
		entryTypes: nothing,
		defaultValue: undefined,
		allowed: [],
		description: undefined,
		title: undefined,
		format: undefined,
		annotation: undefined,
		isReadOnly: false,
		isParent: false,
	};
}

/** Of a scope that is not one by its name: the kind of what it is called after. */
function kindOfNoun(member: SchemaMember): ScopeKind {
	return nounIn(member.name) ?? 'context';
}

/** The plain names of the members of each object, by its path. */
function namesBeside(members: readonly SchemaMember[]): ReadonlyMap<string, ReadonlySet<string>> {
	const names = new Map<string, Set<string>>();
	for (const member of members) {
		const parent = parentOf(member);
		let own = names.get(parent);
		if (own === undefined) names.set(parent, (own = new Set()));
		own.add(plainName(member.name));
	}
	return names;
}

function parentOf({ path, name }: SchemaMember): string {
	return path.slice(0, path.length - name.length);
}

interface Annotation {
	readonly kind: ScopeKind | undefined;
	/** What is taken without it, in the server's words. */
	readonly fallback: string | undefined;
}

/** `false`: the schema says that it is none; `undefined`: it says nothing. */
function annotationOf(member: SchemaMember, root: unknown): Annotation | false | undefined {
	if (member.annotation !== undefined) return annotationIn(member.annotation);
	if (Array.isArray(root)) return root.includes(member.path) ? annotationIn(true) : undefined;
	if (typeof root === 'string') return root === member.path ? annotationIn(true) : undefined;
	return isObject(root) && Object.hasOwn(root, member.path) ? annotationIn(root[member.path]) : undefined;
}

function annotationIn(value: unknown): Annotation | false | undefined {
	if (value === false) return false;
	if (value === true) return { kind: undefined, fallback: undefined };
	if (typeof value === 'string') return { kind: kindIn(value), fallback: undefined };
	if (!isObject(value)) return undefined;
	const fallback = value['default'];
	return {
		kind: kindIn(value['kind']),
		fallback: typeof fallback === 'string' && fallback !== '' ? fallback : undefined,
	};
}

function kindIn(value: unknown): ScopeKind | undefined {
	// The keys of the phrases are the kinds.
	return typeof value === 'string' && Object.hasOwn(kindPhrases, value) ? (value as ScopeKind) : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
