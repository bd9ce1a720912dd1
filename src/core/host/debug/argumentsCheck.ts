import { jsonText } from '../../base/jsonText.ts';
import { counted } from '../../base/text.ts';
import { regularExpression } from '../../debug/regularExpression.ts';
import { isObject } from '../rpc.ts';
import type { JsonObject } from '../rpc.ts';

/** References may go round in circles. */
const deepest = 60;

/**
 * Where a value certainly breaks a JSON schema: a sentence with the place as a JSON path. What this does not know of JSON Schema
 * (conditions, formats, references to elsewhere) counts as kept: a server that minds says so itself.
 */
export function brokenBy(value: unknown, schema: unknown): string | undefined {
	return new Check(schema).look(value, schema, '$', 0);
}

class Check {
	private readonly root: unknown;

	constructor(root: unknown) {
		this.root = root;
	}

	look(value: unknown, schema: unknown, at: string, depth: number): string | undefined {
		if (schema === false) return `at ${at}, nothing is allowed.`;
		if (!isObject(schema) || depth > deepest) return undefined;
		return (
			this.reference(value, schema, at, depth) ??
			typeProblem(value, schema, at) ??
			valueProblem(value, schema, at) ??
			numberProblem(value, schema, at) ??
			textProblem(value, schema, at) ??
			this.list(value, schema, at, depth) ??
			this.members(value, schema, at, depth) ??
			this.combined(value, schema, at, depth)
		);
	}

	private reference(value: unknown, { $ref }: JsonObject, at: string, depth: number): string | undefined {
		if (typeof $ref !== 'string' || !$ref.startsWith('#')) return undefined;
		let target: unknown = this.root;
		for (const step of $ref.slice(1).split('/').slice(1)) {
			const name = unescaped(step);
			if (isObject(target) && Object.hasOwn(target, name)) target = target[name];
			else if (Array.isArray(target)) target = (target as readonly unknown[])[Number(name)];
			else return undefined;
		}
		return this.look(value, target, at, depth + 1);
	}

	private list(value: unknown, schema: JsonObject, at: string, depth: number): string | undefined {
		if (!Array.isArray(value)) return undefined;
		const list = value as readonly unknown[];
		const { minItems, maxItems, items, prefixItems, uniqueItems } = schema;
		if (typeof minItems === 'number' && list.length < minItems)
			return `at ${at}, there have to be ${counted(minItems, 'element')} at least; there are ${list.length}.`;
		if (typeof maxItems === 'number' && list.length > maxItems)
			return `at ${at}, there may be ${counted(maxItems, 'element')} at most; there are ${list.length}.`;
		if (uniqueItems === true && new Set(list.map(jsonText)).size < list.length)
			return `at ${at}, each element may be there once.`;
		const first = Array.isArray(prefixItems) ? (prefixItems as readonly unknown[]) : [];
		for (const [index, one] of list.entries()) {
			// Before 2020-12 a list of schemas was written as `items`.
			const own = index < first.length ? first[index] : Array.isArray(items) ? undefined : items;
			const problem = this.look(one, own, `${at}[${index}]`, depth + 1);
			if (problem !== undefined) return problem;
		}
		return undefined;
	}

	private members(value: unknown, schema: JsonObject, at: string, depth: number): string | undefined {
		if (!isObject(value)) return undefined;
		const { required, additionalProperties, patternProperties } = schema;
		const properties = isObject(schema['properties']) ? schema['properties'] : {};
		for (const name of Array.isArray(required) ? (required as readonly unknown[]) : [])
			if (typeof name === 'string' && !Object.hasOwn(value, name)) return `at ${at}, "${name}" is missing.`;
		for (const [name, member] of Object.entries(value)) {
			const place = pathTo(at, name);
			if (Object.hasOwn(properties, name)) {
				const problem = this.look(member, properties[name], place, depth + 1);
				if (problem !== undefined) return problem;
				continue;
			}
			// A pattern may allow any name; which, is the server's own to say.
			if (isObject(patternProperties) && Object.keys(patternProperties).length > 0) continue;
			if (additionalProperties === false) {
				const known = Object.keys(properties);
				const names = known.length === 0 ? 'none' : known.slice(0, 20).join(', ');
				return `at ${place}, no such argument is known (known: ${names}).`;
			}
			const problem = this.look(member, additionalProperties, place, depth + 1);
			if (problem !== undefined) return problem;
		}
		return undefined;
	}

	private combined(value: unknown, schema: JsonObject, at: string, depth: number): string | undefined {
		const { allOf, anyOf, oneOf } = schema;
		for (const part of Array.isArray(allOf) ? (allOf as readonly unknown[]) : []) {
			const problem = this.look(value, part, at, depth + 1);
			if (problem !== undefined) return problem;
		}
		for (const choice of [anyOf, oneOf]) {
			if (!Array.isArray(choice) || choice.length === 0) continue;
			const problems = (choice as readonly unknown[]).map((part) => this.look(value, part, at, depth + 1));
			if (problems.some((problem) => problem === undefined)) continue;
			return problems.length === 1
				? problems[0]
				: `at ${at}, it is none of what is allowed; for one, ${problems[0] ?? ''}`;
		}
		return undefined;
	}
}

function typeProblem(value: unknown, { type, nullable }: JsonObject, at: string): string | undefined {
	const types = Array.isArray(type) ? (type as readonly unknown[]) : [type];
	const known = types.filter((one): one is string => typeof one === 'string' && one in isOfType);
	if (known.length === 0 || known.length < types.length) return undefined;
	if (known.some((one) => isOfType[one]?.(value)) || (nullable === true && value === null)) return undefined;
	return `at ${at}, it has to be of type ${known.join(' or ')}; it is ${typeName(value)}.`;
}

const isOfType: Readonly<Record<string, (value: unknown) => boolean>> = {
	string: (value) => typeof value === 'string',
	number: (value) => typeof value === 'number',
	integer: (value) => Number.isInteger(value),
	boolean: (value) => typeof value === 'boolean',
	object: isObject,
	array: Array.isArray,
	null: (value) => value === null,
};

function typeName(value: unknown): string {
	if (value === null) return 'null';
	return Array.isArray(value) ? 'array' : typeof value;
}

function valueProblem(value: unknown, schema: JsonObject, at: string): string | undefined {
	const { enum: allowed } = schema;
	if (Array.isArray(allowed) && allowed.length > 0 && !allowed.some((one) => isEqual(one, value))) {
		const shown = allowed.slice(0, 20).map((one) => JSON.stringify(one));
		return `at ${at}, it has to be one of ${shown.join(', ')}.`;
	}
	if (Object.hasOwn(schema, 'const') && !isEqual(schema['const'], value))
		return `at ${at}, it has to be ${JSON.stringify(schema['const'])}.`;
	return undefined;
}

function isEqual(one: unknown, other: unknown): boolean {
	if (one === other) return true;
	if (Array.isArray(one) && Array.isArray(other))
		return one.length === other.length && one.every((member, index) => isEqual(member, other[index]));
	if (!isObject(one) || !isObject(other)) return false;
	const names = Object.keys(one);
	return (
		names.length === Object.keys(other).length &&
		names.every((name) => Object.hasOwn(other, name) && isEqual(one[name], other[name]))
	);
}

function numberProblem(value: unknown, schema: JsonObject, at: string): string | undefined {
	if (typeof value !== 'number') return undefined;
	const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
	if (typeof minimum === 'number' && value < minimum) return `at ${at}, it has to be ${minimum} at least.`;
	if (typeof maximum === 'number' && value > maximum) return `at ${at}, it may be ${maximum} at most.`;
	if (typeof exclusiveMinimum === 'number' && value <= exclusiveMinimum)
		return `at ${at}, it has to be more than ${exclusiveMinimum}.`;
	if (typeof exclusiveMaximum === 'number' && value >= exclusiveMaximum)
		return `at ${at}, it has to be less than ${exclusiveMaximum}.`;
	// Fractions are not exact, so of them nothing is certain.
	if (
		Number.isInteger(multipleOf) &&
		Number.isInteger(value) &&
		Number(multipleOf) > 0 &&
		value % Number(multipleOf) !== 0
	)
		return `at ${at}, it has to be a multiple of ${String(multipleOf)}.`;
	return undefined;
}

function textProblem(value: unknown, schema: JsonObject, at: string): string | undefined {
	if (typeof value !== 'string') return undefined;
	const { minLength, maxLength, pattern } = schema;
	const length = [...value].length;
	if (typeof minLength === 'number' && length < minLength)
		return `at ${at}, it has to have ${counted(minLength, 'character')} at least; it has ${length}.`;
	if (typeof maxLength === 'number' && length > maxLength)
		return `at ${at}, it may have ${counted(maxLength, 'character')} at most; it has ${length}.`;
	if (typeof pattern !== 'string') return undefined;
	const compiled = regularExpression(pattern);
	if (typeof compiled === 'string') return undefined;
	try {
		return compiled.isIn(value) ? undefined : `at ${at}, it has to match ${pattern}.`;
	} catch (error) {
		// Too long to look at: the server does.
		if (error instanceof RangeError) return undefined;
		throw error;
	}
}

function pathTo(at: string, name: string): string {
	return /^[A-Za-z_$][\w$]*$/.test(name) ? `${at}.${name}` : `${at}[${JSON.stringify(name)}]`;
}

/** Of a JSON pointer in a fragment. */
function unescaped(step: string): string {
	const plain = step.replaceAll('~1', '/').replaceAll('~0', '~');
	return plain.replaceAll('%24', '$').replaceAll('%7B', '{').replaceAll('%7D', '}');
}
