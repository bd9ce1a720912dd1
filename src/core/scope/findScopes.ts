// Which parameters of a tool say where it looks.

import { counted } from '../base/text.ts';
import { blanksOf, fallbackOf, openEnded } from './fallback.ts';
import { classify, plainName } from './classify.ts';
import { wordsOf } from './names.ts';
import { schemaMembers } from './schema.ts';
import type { SchemaMember } from './schema.ts';
import type {
	ScopeEvidence,
	ScopeKind,
	ScopeParameter,
	ScopeSettings,
	SeenValues,
	UnknownScopes,
} from './scopeParameter.ts';
import { settingsFor } from './settings.ts';
import { shapeOf } from './toolShape.ts';
import type { ToolShape } from './toolShape.ts';
import { kindPhrases, nameEndings } from './words.ts';

/** A tool as its server describes it. */
export interface DescribedTool {
	readonly server: string;
	/** The tool's own name, without a client's prefix. */
	readonly name: string;
	readonly description: string | undefined;
	/** JSON Schema of the arguments, of any draft, as JSON text. */
	readonly inputSchema: string | undefined;
}

/**
 * The parameters that say where the tool looks, in the order of the schema, each with its evidence; or why that cannot be told.
 * Never throws, whatever the schema. The caller keeps what it returns for as long as the tool's description, the settings and what was
 * seen stay the same.
 */
export function scopeParametersOf(
	tool: DescribedTool,
	settings?: ScopeSettings,
	seen?: SeenValues,
): readonly ScopeParameter[] | UnknownScopes {
	const own = settings === undefined ? {} : settingsFor(settings, tool.server, tool.name);
	const schema = schemaMembers(tool.inputSchema);
	if (own.parameters !== undefined) {
		const members = typeof schema === 'string' ? [] : schema.members;
		const byPath = new Map(members.map((member) => [member.path, member]));
		const known = own.parameters.filter((path) => typeof schema === 'string' || schema.isOpen || byPath.has(path));
		if (known.length === 0 && own.parameters.length > 0) {
			return {
				reason: `The settings name ${own.parameters.map((path) => `\`${path}\``).join(', ')} as a scope, and the input schema of \`${tool.name}\` has no such parameter.`,
			};
		}
		return known.map((path) => fromSettings(tool, path, byPath.get(path)));
	}
	if (typeof schema === 'string') return { reason: schema };
	const shape = shapeOf(tool.name, tool.description);
	const found: ScopeParameter[] = [];
	const beside = namesBeside(schema.members);
	for (const member of schema.members) {
		const parameter = classified(
			tool,
			shape,
			member,
			beside.get(parentOf(member)) ?? new Set(),
			schema.annotation,
			seen,
		);
		if (parameter !== undefined) found.push(parameter);
	}
	return found;
}

function fromSettings(tool: DescribedTool, path: string, member: SchemaMember | undefined): ScopeParameter {
	const evidence: ScopeEvidence = {
		source: 'settings',
		sentence: `The settings name \`${path}\` as a scope of \`${tool.name}\`.`,
	};
	const match = member === undefined ? undefined : classify(member, shapeOf(tool.name, tool.description), new Set());
	const kind = match?.kind ?? 'context';
	if (member === undefined) {
		return {
			path,
			kind,
			isRequired: false,
			fallback: undefined,
			allowed: [],
			blanks: [],
			description: undefined,
			evidence: [evidence],
		};
	}
	return parameterOf(tool, member, kind, match?.noun ?? '', [evidence]);
}

/** The plain names of the members of each object, by its path. */
function namesBeside(members: readonly SchemaMember[]): Map<string, Set<string>> {
	const names = new Map<string, Set<string>>();
	for (const member of members) {
		const parent = parentOf(member);
		let own = names.get(parent);
		if (own === undefined) names.set(parent, (own = new Set()));
		own.add(plainName(member.name));
	}
	return names;
}

function parentOf(member: SchemaMember): string {
	return member.path.slice(0, member.path.length - member.name.length);
}

function parameterOf(
	tool: DescribedTool,
	member: SchemaMember,
	kind: ScopeKind,
	noun: string,
	evidence: readonly ScopeEvidence[],
): ScopeParameter {
	return {
		path: member.path,
		kind,
		isRequired: member.isRequired,
		fallback: member.isRequired ? undefined : openEnded(kind, fallbackOf(member, tool.description, noun)),
		allowed: member.allowed,
		blanks: member.isRequired ? [] : blanksOf(member),
		description: member.description,
		evidence,
	};
}

function classified(
	tool: DescribedTool,
	shape: ToolShape,
	member: SchemaMember,
	beside: ReadonlySet<string>,
	rootAnnotation: unknown,
	seen: SeenValues | undefined,
): ScopeParameter | undefined {
	const annotated = annotationOf(member, rootAnnotation);
	if (annotated === false) return undefined;
	const match = classify(member, shape, beside);
	const evidence: ScopeEvidence[] = [];
	if (annotated !== undefined) {
		evidence.push({ source: 'annotation', sentence: `The schema marks \`${member.path}\` with \`x-scope\`.` });
	}
	if (match !== undefined) evidence.push(match.evidence);
	const minted = seen === undefined ? undefined : mintedBy(tool, member, seen);
	if (minted !== undefined && !member.isRequired) evidence.push(minted);
	if (evidence.length === 0) return undefined;
	const echoed = seen === undefined ? undefined : echoOf(tool, member, seen);
	if (echoed !== undefined) evidence.push(echoed);
	const kind = (typeof annotated === 'string' ? annotated : undefined) ?? match?.kind ?? 'context';
	return parameterOf(tool, member, kind, match?.noun ?? '', evidence);
}

const kinds = new Set<string>(Object.keys(kindPhrases));

/** `false`: said not to be one. `true`: one. A kind: one of that kind. */
function annotationOf(member: SchemaMember, rootAnnotation: unknown): ScopeKind | boolean | undefined {
	const own = member.annotation;
	if (own === false) return false;
	if (typeof own === 'string' && kinds.has(own)) return own as ScopeKind;
	if (own !== undefined && own !== null) return true;
	if (Array.isArray(rootAnnotation) && rootAnnotation.includes(member.path)) return true;
	return rootAnnotation === member.path ? true : undefined;
}

function mintedBy(tool: DescribedTool, member: SchemaMember, seen: SeenValues): ScopeEvidence | undefined {
	const words = wordsOf(member.name);
	if (words.length < 2 || !nameEndings.has(words.at(-1) ?? '')) return undefined;
	const name = words.join(' ');
	const by = new Set<string>();
	let count = 0;
	for (const call of seen.calls.slice(-2_000)) {
		if (call.tool === tool.name || call.content === undefined) continue;
		if (!call.content.values.some((value) => lastName(value.path) === name)) continue;
		by.add(call.tool);
		count++;
	}
	if (count === 0) return undefined;
	return {
		source: 'handle',
		sentence: `The server itself gave out values of this name, in ${counted(count, 'result')} of ${[...by]
			.slice(0, 3)
			.map((other) => `\`${other}\``)
			.join(', ')}.`,
	};
}

function echoOf(tool: DescribedTool, member: SchemaMember, seen: SeenValues): ScopeEvidence | undefined {
	const name = wordsOf(member.name).join(' ');
	for (const call of seen.calls.slice(-2_000).reverse()) {
		if (call.tool !== tool.name || call.content === undefined || call.given === undefined || call.given.isPartial)
			continue;
		if (call.given.values.some((value) => value.path === member.path)) continue;
		const echo = call.content.values.find((value) => lastName(value.path) === name);
		if (echo !== undefined) {
			return { source: 'echo', sentence: `A call without it was answered with \`${echo.path}\`: ${echo.value}.` };
		}
	}
	return undefined;
}

function lastName(path: string): string {
	return wordsOf(path.split('.').at(-1) ?? path).join(' ');
}
