/** A value of a configuration file and where it stands: what JSON and TOML have in common. */
export type ConfigValue = ConfigScalar | ConfigArray | ConfigObject;

/** UTF-16 units from the start of the text, the end exclusive. */
interface Positioned {
	readonly offset: number;
	readonly end: number;
}

export interface ConfigScalar extends Positioned {
	readonly kind: 'scalar';
	/** `undefined`: something that JSON does not have, a date. */
	readonly value: string | number | boolean | null | undefined;
}

export interface ConfigArray extends Positioned {
	readonly kind: 'array';
	readonly items: readonly ConfigValue[];
}

export interface ConfigObject extends Positioned {
	readonly kind: 'object';
	/** In the order of the text; a name may stand there twice. */
	readonly members: readonly ConfigMember[];
}

export interface ConfigMember {
	readonly name: string;
	/** Of the name. */
	readonly offset: number;
	readonly value: ConfigValue;
}

export type PlainValue =
	| string
	| number
	| boolean
	| null
	| readonly PlainValue[]
	| { readonly [key: string]: PlainValue };

/** The last of that name: the one that counts. */
export function memberOf(object: ConfigObject, name: string): ConfigMember | undefined {
	return object.members.findLast((member) => member.name === name);
}

export function valueAt(root: ConfigValue | undefined, path: readonly string[]): ConfigValue | undefined {
	let value = root;
	for (const name of path) value = value?.kind === 'object' ? memberOf(value, name)?.value : undefined;
	return value;
}

/** Without positions, as `JSON.parse` would give it. */
export function plainOf(value: ConfigValue): PlainValue {
	switch (value.kind) {
		case 'scalar':
			return value.value ?? null;
		case 'array':
			return value.items.map(plainOf);
		case 'object':
			return Object.fromEntries(value.members.map((member) => [member.name, plainOf(member.value)]));
	}
}

/** Whether two plain values say the same; the order of members does not count. */
export function isSame(one: PlainValue | undefined, other: PlainValue | undefined): boolean {
	return one === other || (one !== undefined && other !== undefined && canonical(one) === canonical(other));
}

/** The same text for the same value, however its members are ordered. */
export function canonical(value: PlainValue): string {
	if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
	if (typeof value === 'object' && value !== null) {
		return `{${Object.entries(value)
			.sort(([one], [other]) => (one < other ? -1 : 1))
			.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`)
			.join(',')}}`;
	}
	return JSON.stringify(value);
}

/** 1-based. */
export function lineAt(text: string, offset: number): number {
	let line = 1;
	for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line++;
	return line;
}
