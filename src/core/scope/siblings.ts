// What the other tools of a server tell of a parameter: whoever needs the same name for almost everything needs it to know where.

import { classify, nounIn, plainName, refusesToBe } from './classify.ts';
import { schemaMembers } from './schema.ts';
import type { SchemaMember } from './schema.ts';
import type { DescribedTool, ScopeKind } from './scopeParameter.ts';
import { isOperation, shapeOf } from './toolShape.ts';
import type { ToolShape } from './toolShape.ts';
import { commonWords, containerNouns, kindPhrases, nameEndings, objectNouns, payloadNames } from './words.ts';
import type { NounCondition } from './words.ts';

export interface SiblingMatch {
	readonly kind: ScopeKind;
	readonly sentence: string;
}

/** Of one path what the tools of a server make of it. */
interface Usage {
	/** The tools that have it. */
	readonly tools: string[];
	/** Those of them in which its own name or words say that it is a scope, by kind. */
	readonly told: Map<ScopeKind, string[]>;
}

interface ServerUsage {
	readonly size: number;
	readonly byPath: ReadonlyMap<string, Usage>;
}

/** For as long as somebody has the list of tools. */
const usages = new WeakMap<readonly DescribedTool[], ServerUsage>();

/** Conditions that hold for one tool and not for another. */
const ofTool: ReadonlySet<NounCondition> = new Set(['looking', 'searching', 'other', 'whose', 'directory', 'running']);
const mostTools = 500;
/** A name that fewer tools share may be shared by chance. */
const fewestTools = 4;
const mostOf = 0.6;

/** Why the parameter says where its tool looks though neither its name nor its words tell; `undefined` where nothing speaks for that. */
export function siblingMatch(
	tool: DescribedTool,
	member: SchemaMember,
	shape: ToolShape,
	siblings: readonly DescribedTool[],
): SiblingMatch | undefined {
	if (!isName(member) || refusesToBe(member, shape)) return undefined;
	const isWrite = shape.verb === 'create' || shape.verb === 'update';
	if (isWrite && !member.isRequired) return undefined;
	const usage = usageOf(siblings);
	const own = usage.byPath.get(member.path);
	if (own === undefined) return undefined;
	for (const [kind, tools] of own.told) {
		const others = tools.filter((name) => name !== tool.name);
		if (others.length < 2 || others.length < own.tools.length / 2 || kind === 'time' || kind === 'page') continue;
		const named = others.slice(0, 3).map((name) => `\`${name}\``);
		return {
			kind,
			sentence: `In other tools of the server, such as ${named.join(', ')}, \`${member.path}\` says ${kindPhrases[kind]}.`,
		};
	}
	if (usage.size < fewestTools || own.tools.length < Math.max(fewestTools, usage.size * mostOf)) return undefined;
	if (!mayBePlace(member)) return undefined;
	return {
		kind: /(?:url|uri|host|endpoint|port)$/i.test(member.name) ? 'environment' : 'project',
		sentence: `${own.tools.length} of the server's ${usage.size} tools take \`${member.path}\`: it says where they work.`,
	};
}

/** One short value of its own, at the top or in the one object that all arguments are in. */
function isName({ path, types, entryTypes, isParent }: SchemaMember): boolean {
	if (isParent || path.includes('[]') || path.split('.').length > 2) return false;
	return ![...types, ...entryTypes].some((type) => type === 'boolean' || type === 'object' || type === 'array');
}

/** No text, no object and no way of working, as far as its words tell. */
function mayBePlace({ name, path, types, allowed, description }: SchemaMember): boolean {
	if (!types.has('string') || (path !== name && !/^(?:params|request|input|args|arguments)\./.test(path)))
		return false;
	const plain = plainName(name);
	// A noun that is known, and that names no place with this name and these words.
	if (payloadNames.has(plain) || nounIn(name) !== undefined) return false;
	const words = plain.split(' ');
	while (words.length > 1 && nameEndings.has(words.at(-1) ?? '')) words.pop();
	if (words.some((word) => commonWords.has(word))) return false;
	if (objectNouns.has(words.at(-1) ?? '')) return false;
	// One of a few values: a place has a name of its own, a way of working is chosen.
	if (allowed.length > 0) return false;
	return !/\b(?:format|language|locale|time ?zone|unit|currency|api key|token|secret|password|query|text|reason|why|path to|file)\b/i.test(
		(description ?? '').slice(0, 200),
	);
}

function usageOf(siblings: readonly DescribedTool[]): ServerUsage {
	const known = usages.get(siblings);
	if (known !== undefined) return known;
	const byPath = new Map<string, Usage>();
	let size = 0;
	for (const tool of siblings.slice(0, mostTools)) {
		const { name } = tool;
		const schema = schemaMembers(tool.inputSchema);
		if (typeof schema === 'string' || schema.members.length === 0) continue;
		size++;
		const shape = shapeOf(tool, schema.members.some(isOperation));
		const beside = new Set(schema.members.map((member) => plainName(member.name)));
		for (const member of schema.members) {
			if (!isName(member)) continue;
			let usage = byPath.get(member.path);
			if (usage === undefined) {
				byPath.set(member.path, (usage = { tools: [], told: new Map() }));
			}
			usage.tools.push(name);
			const { kind, noun = '' } = classify(member, shape, beside) ?? {};
			// What depends on what a tool does is not the same for the others.
			const isSame = containerNouns.get(noun)?.when.some((condition) => ofTool.has(condition)) !== true;
			if (kind !== undefined && isSame) {
				const told = usage.told.get(kind);
				if (told === undefined) usage.told.set(kind, [name]);
				else told.push(name);
			}
		}
	}
	const usage = { size, byPath };
	usages.set(siblings, usage);
	return usage;
}
