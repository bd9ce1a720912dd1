// The parameters that a tool's input schema names. A schema is a stranger's: it may be cyclic, endless or of any draft.

/** A member of the argument object, or of an object or array within it. */
export interface SchemaMember {
	/** As in `GivenValue`. */
	readonly path: string;
	readonly name: string;
	/** A call without it breaks the schema. Of a member of something optional: never. */
	readonly isRequired: boolean;
	/** JSON types it may have; empty where the schema does not say. Of an array those of its entries are in `entryTypes`. */
	readonly types: ReadonlySet<string>;
	readonly entryTypes: ReadonlySet<string>;
	/** `undefined` where there is none. */
	readonly defaultValue: unknown;
	/** Values that the schema allows, as JSON. */
	readonly allowed: readonly string[];
	readonly description: string | undefined;
	readonly title: string | undefined;
	readonly format: string | undefined;
	/** The value of `x-scope`. */
	readonly annotation: unknown;
	/** The schema says that callers do not set it. */
	readonly isReadOnly: boolean;
	/** It has members of its own. */
	readonly isParent: boolean;
}

export interface SchemaMembers {
	readonly members: readonly SchemaMember[];
	/** The value of `x-scope` at the root. */
	readonly annotation: unknown;
	/** The schema says in so many words that others may be given, or it names none. */
	readonly isOpen: boolean;
}

type JsonObject = Readonly<Record<string, unknown>>;

const maximumCharacters = 512 * 1024;
/** What was given in a call is known only so deep. */
const maximumDepth = 3;
const maximumMembers = 2_000;
/** Subschemas looked at in all. */
const maximumVisits = 20_000;
/** `$ref`, `allOf`, `anyOf`, `oneOf` within each other, without a member between them. */
const maximumNesting = 32;

/** The members that the schema names, or a sentence that says why they cannot be told. */
export function schemaMembers(inputSchema: string | undefined): SchemaMembers | string {
	if (inputSchema === undefined) return 'The server gave no input schema, or one of more than 64 KB.';
	if (inputSchema.length > maximumCharacters) return 'The input schema is too large to be read.';
	let root: unknown;
	try {
		root = JSON.parse(inputSchema);
	} catch {
		// A stranger's text: the sentence says what is wrong with it.
		return 'The input schema is not JSON.';
	}
	if (typeof root === 'boolean') return `The input schema is \`${root}\`: it names no parameter.`;
	if (!isObject(root)) return 'The input schema is not an object.';
	const types = new Set(typesOf(root));
	if (types.size > 0 && !types.has('object')) return 'The input schema does not describe an object.';
	const walk = new Walk(root);
	walk.object([root], '', true, 1);
	if (walk.isTooLarge) return 'The input schema names more parameters than can be looked at.';
	return {
		members: walk.members,
		annotation: root['x-scope'],
		isOpen:
			walk.members.length === 0 ||
			isObject(root['additionalProperties']) ||
			root['additionalProperties'] === true ||
			isObject(root['patternProperties']),
	};
}

/** Whether an argument may stand at the path, as far as the schema is looked at. */
export function isPossiblePath(schema: SchemaMembers, path: string): boolean {
	if (schema.isOpen) return true;
	let deepest: SchemaMember | undefined;
	for (const member of schema.members) {
		if (member.path === path) return true;
		const isAbove = path.startsWith(`${member.path}.`) || path.startsWith(`${member.path}[].`);
		if (isAbove && (deepest === undefined || member.path.length > deepest.path.length)) deepest = member;
	}
	// Below something whose members the schema does not tell.
	if (deepest === undefined || deepest.isParent) return false;
	return deepest.types.size === 0 || deepest.types.has('object') || deepest.types.has('array');
}

interface Property {
	readonly schemas: unknown[];
	isRequired: boolean;
}

class Walk {
	readonly members: SchemaMember[] = [];
	private readonly root: JsonObject;
	private visits = 0;
	/** The schemas on the way down: a member that leads back to one of them is not followed. */
	private readonly above: JsonObject[] = [];

	constructor(root: JsonObject) {
		this.root = root;
	}

	get isTooLarge(): boolean {
		return this.visits > maximumVisits || this.members.length > maximumMembers;
	}

	/** Adds what the object has that all of `schemas` describe. */
	object(schemas: readonly unknown[], prefix: string, isRequired: boolean, depth: number): void {
		const properties = new Map<string, Property>();
		const parts = this.parts(schemas);
		for (const part of parts) {
			const own = part['properties'];
			if (!isObject(own)) continue;
			for (const name of Object.keys(own)) {
				if (++this.visits > maximumVisits) return;
				const schema = own[name];
				let property = properties.get(name);
				if (property === undefined) properties.set(name, (property = { schemas: [], isRequired: false }));
				property.schemas.push(schema);
				// Draft 3 says it at the member.
				if (isObject(schema) && schema['required'] === true) property.isRequired = true;
			}
		}
		if (properties.size === 0) return;
		for (const name of this.requiredNames(schemas, 0)) {
			const property = properties.get(name);
			if (property !== undefined) property.isRequired = true;
		}
		const mark = this.above.length;
		this.above.push(...parts);
		for (const [name, property] of properties) {
			if (this.isTooLarge) break;
			this.member(name, property, prefix, isRequired, depth);
		}
		this.above.length = mark;
	}

	private member(name: string, property: Property, prefix: string, isParentRequired: boolean, depth: number): void {
		const path = prefix === '' ? name : `${prefix}.${name}`;
		const isRequired = isParentRequired && property.isRequired;
		const parts = this.parts(property.schemas);
		const entrySchemas = parts.flatMap(entriesOf);
		const entryParts = entrySchemas.length === 0 ? [] : this.parts(entrySchemas);
		const isDeeper = depth < maximumDepth && !parts.some((part) => this.above.includes(part));
		const before = this.members.length;
		this.members.push({
			path,
			name,
			isRequired,
			types: new Set(parts.flatMap(typesOf)),
			entryTypes: new Set(entryParts.flatMap(typesOf)),
			defaultValue: parts.find((part) => part['default'] !== undefined)?.['default'],
			allowed: allowedValues(entryParts.length === 0 ? parts : entryParts),
			description: firstText(parts, 'description') ?? firstText(entryParts, 'description'),
			title: firstText(parts, 'title'),
			format: firstText(parts, 'format'),
			annotation: parts.find((part) => part['x-scope'] !== undefined)?.['x-scope'],
			isReadOnly: parts.some((part) => part['readOnly'] === true),
			isParent: false,
		});
		if (!isDeeper) return;
		this.object(property.schemas, path, isRequired, depth + 1);
		if (entrySchemas.length > 0 && !entryParts.some((part) => this.above.includes(part))) {
			this.object(entrySchemas, `${path}[]`, isRequired, depth + 1);
		}
		const member = this.members[before];
		if (member !== undefined && this.members.length > before + 1)
			this.members[before] = { ...member, isParent: true };
	}

	/** The schemas and all that they are put together of. Boolean schemas have no part. */
	private parts(schemas: readonly unknown[]): JsonObject[] {
		const found = new Set<JsonObject>();
		for (const schema of schemas) this.addParts(schema, found, 0);
		return [...found];
	}

	private addParts(schema: unknown, found: Set<JsonObject>, nesting: number): void {
		if (!isObject(schema) || found.has(schema) || nesting > maximumNesting) return;
		if (++this.visits > maximumVisits) return;
		found.add(schema);
		for (const key of referenceKeys) {
			const reference = schema[key];
			if (typeof reference === 'string') this.addParts(this.resolved(reference), found, nesting + 1);
		}
		for (const key of combiningKeys) {
			const branches = schema[key];
			if (!Array.isArray(branches)) continue;
			for (const branch of branches) this.addParts(branch, found, nesting + 1);
		}
		for (const key of ['then', 'else']) this.addParts(schema[key], found, nesting + 1);
	}

	private requiredNames(schemas: readonly unknown[], nesting: number): Set<string> {
		const names = new Set<string>();
		if (nesting > maximumNesting || ++this.visits > maximumVisits) return names;
		for (const schema of schemas) {
			if (!isObject(schema)) continue;
			for (const name of texts(schema['required'])) names.add(name);
			for (const key of referenceKeys) {
				const reference = schema[key];
				if (typeof reference !== 'string') continue;
				for (const name of this.requiredNames([this.resolved(reference)], nesting + 1)) names.add(name);
			}
			if (Array.isArray(schema['allOf'])) {
				for (const name of this.requiredNames(schema['allOf'], nesting + 1)) names.add(name);
			}
			for (const key of ['anyOf', 'oneOf']) {
				const branches: unknown = schema[key];
				if (!Array.isArray(branches) || branches.length === 0) continue;
				// One of them holds: only what every one asks for is asked for.
				let common: Set<string> | undefined;
				for (const branch of branches) {
					const asked = this.requiredNames([branch], nesting + 1);
					common = common === undefined ? asked : new Set([...common].filter((name) => asked.has(name)));
					if (common.size === 0) break;
				}
				for (const name of common ?? []) names.add(name);
			}
		}
		return names;
	}

	/** What a reference within the schema leads to; `undefined` for any other. */
	private resolved(reference: string): unknown {
		if (!reference.startsWith('#')) return undefined;
		const pointer = unescaped(reference.slice(1));
		if (pointer === '') return this.root;
		if (!pointer.startsWith('/')) return this.anchored(pointer);
		let at: unknown = this.root;
		for (const step of pointer.slice(1).split('/')) {
			const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
			if (Array.isArray(at)) at = at[Number(key)];
			else if (isObject(at) && Object.hasOwn(at, key)) at = at[key];
			else return undefined;
		}
		return at;
	}

	private anchored(anchor: string): unknown {
		for (const key of ['$defs', 'definitions']) {
			const definitions = this.root[key];
			if (!isObject(definitions)) continue;
			for (const definition of Object.values(definitions)) {
				if (++this.visits > maximumVisits) return undefined;
				if (!isObject(definition)) continue;
				if (definition['$anchor'] === anchor || definition['$dynamicAnchor'] === anchor) return definition;
				if (definition['$id'] === `#${anchor}` || definition['id'] === `#${anchor}`) return definition;
			}
		}
		return undefined;
	}
}

const referenceKeys = ['$ref', '$dynamicRef', '$recursiveRef'] as const;
const combiningKeys = ['allOf', 'anyOf', 'oneOf', 'extends'] as const;

function entriesOf(schema: JsonObject): unknown[] {
	const entries: unknown[] = [];
	for (const key of ['items', 'prefixItems', 'additionalItems', 'contains']) {
		const value: unknown = schema[key];
		if (Array.isArray(value)) for (const entry of value.slice(0, 20)) entries.push(entry);
		else if (isObject(value)) entries.push(value);
	}
	return entries;
}

/** The values of `enum` and `const`; none where a part leaves the value open. */
function allowedValues(parts: readonly JsonObject[]): string[] {
	const values = new Set<string>();
	for (const part of parts) {
		const listed = Array.isArray(part['enum'])
			? part['enum']
			: part['const'] === undefined
				? undefined
				: [part['const']];
		if (listed === undefined) {
			const types = typesOf(part);
			const isOpen = types.some((type) => type !== 'null') && part['$ref'] === undefined && !isCombined(part);
			if (isOpen) return [];
			continue;
		}
		for (const value of listed) {
			if (value !== null) values.add(JSON.stringify(value));
			if (values.size === 50) return [...values];
		}
	}
	return [...values];
}

function isCombined(schema: JsonObject): boolean {
	return combiningKeys.some((key) => schema[key] !== undefined);
}

function typesOf(schema: JsonObject): string[] {
	const type = schema['type'];
	return typeof type === 'string' ? [type] : texts(type);
}

function firstText(parts: readonly JsonObject[], key: string): string | undefined {
	for (const part of parts) {
		const value = part[key];
		if (typeof value === 'string' && value.trim() !== '') return value;
	}
	return undefined;
}

function texts(value: unknown): string[] {
	return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}

function unescaped(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		// Not escaped after all.
		return text;
	}
}

function isObject(value: unknown): value is JsonObject {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
