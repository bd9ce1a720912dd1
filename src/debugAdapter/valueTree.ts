// JSON as the variables view shows it: cut where it is long, paged where it is wide, and never made before somebody looks.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { truncated } from '../core/base/text.ts';
import { present } from './present.ts';

export type Keys = readonly (string | number)[];

/** A value with children, and where it stands. */
export interface ValueNode {
	readonly value: object;
	/** From the section's own value on. */
	readonly keys: Keys;
	/** What stands for it in an expression; `undefined`: it cannot be named. */
	readonly expression: string | undefined;
	/** Of a very wide object: only the members from here on. */
	readonly from?: number | undefined;
	/** Whether values below can be set. */
	readonly isEditable: boolean;
}

/** How much of a text is shown in a row. All of it is copied, or shown when it is asked for by name. */
const shownCharacters = 1_000;
/** Members of an object that are shown before the rest is put together. */
const shownMembers = 200;
/** Texts up to here are looked into for JSON. */
const mostInnerJson = 4 * 1024 * 1024;

/** One value as a row. @param add Gives a number for what has children. */
export function variableOf(
	name: string,
	value: unknown,
	place: { readonly keys: Keys; readonly expression: string | undefined; readonly isEditable: boolean },
	add: (node: ValueNode) => number,
): DebugProtocol.Variable {
	const { keys, expression, isEditable } = place;
	const presentationHint = isEditable ? undefined : readOnly;
	const row = present({ name, value: shown(value), type: typeOf(value), evaluateName: expression, presentationHint });
	if (typeof value === 'object' && value !== null) {
		const children = Array.isArray(value)
			? { indexedVariables: value.length }
			: { namedVariables: Object.keys(value).length };
		const isEmpty = Object.values(children)[0] === 0;
		return {
			...row,
			...children,
			variablesReference: isEmpty ? 0 : add({ value, keys, expression, isEditable }),
		};
	}
	const inner = typeof value === 'string' ? innerJson(value) : undefined;
	return {
		...row,
		// What a text holds can be looked at, but it is the text that would have to be changed.
		variablesReference:
			inner === undefined ? 0 : add({ value: inner, keys, expression: undefined, isEditable: false }),
	};
}

const readOnly = { attributes: ['readOnly'] };

/** The children of a value, or those that the client asks for. */
export function childrenOf(
	node: ValueNode,
	paging: { readonly filter?: 'indexed' | 'named'; readonly start?: number; readonly count?: number },
	add: (node: ValueNode) => number,
): DebugProtocol.Variable[] {
	const { value, keys, expression, isEditable, from = 0 } = node;
	const child = (key: string | number, member: unknown, name: string) =>
		variableOf(
			name,
			member,
			{
				keys: [...keys, key],
				expression: expression === undefined ? undefined : `${expression}${accessTo(key)}`,
				isEditable,
			},
			add,
		);
	if (Array.isArray(value)) {
		if (paging.filter === 'named') return [];
		const start = paging.start ?? 0;
		const items = value.slice(
			start,
			paging.count === undefined || paging.count === 0 ? undefined : start + paging.count,
		) as unknown[];
		return items.map((item, index) => child(start + index, item, String(start + index)));
	}
	if (paging.filter === 'indexed') return [];
	const members = Object.entries(value);
	const rows = members.slice(from, from + shownMembers).map(([key, member]) => child(key, member, key));
	const rest = members.length - from - rows.length;
	if (rest > 0) {
		rows.push({
			name: '…',
			value: `${rest.toLocaleString('en')} more`,
			variablesReference: add({ ...node, from: from + shownMembers }),
			presentationHint: { ...readOnly, kind: 'virtual' },
		});
	}
	return rows;
}

/** How a member is named in an expression. */
export function accessTo(key: string | number): string {
	if (typeof key === 'number') return `[${key}]`;
	return /^[A-Za-z_]\w*$/.test(key) && !reserved.has(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

// Of the expression language: these cannot follow a dot.
const reserved: ReadonlySet<string> = new Set(['true', 'false', 'null', 'in']);

/** A value on one line. */
export function shown(value: unknown): string {
	if (value === undefined) return '(none)';
	if (typeof value === 'string') {
		if (value.length <= shownCharacters) return JSON.stringify(value);
		return `${JSON.stringify(truncated(value, shownCharacters))} (${value.length.toLocaleString('en')} characters)`;
	}
	if (Array.isArray(value))
		return value.length === 0 ? '[]' : `[${value.length.toLocaleString('en')}]${preview(value)}`;
	if (typeof value === 'object' && value !== null) return preview(value);
	return JSON.stringify(value);
}

function preview(value: object): string {
	if (Array.isArray(value)) {
		const first: unknown = value[0];
		return typeof first === 'object' && first !== null ? '' : ` ${truncated(short(value.slice(0, 8)), 80)}`;
	}
	const members = Object.entries(value);
	const parts = members.slice(0, 5).map(([key, member]) => `${key}: ${short(member)}`);
	return `{${truncated(parts.join(', '), 100)}${members.length > 5 ? ', …' : ''}}`;
}

function short(value: unknown): string {
	if (typeof value === 'string') return JSON.stringify(truncated(value, 40));
	if (Array.isArray(value)) {
		return value.every((item) => typeof item !== 'object' || item === null) && value.length <= 8
			? `[${value.map(short).join(', ')}]`
			: '[…]';
	}
	return typeof value === 'object' && value !== null ? '{…}' : JSON.stringify(value);
}

function typeOf(value: unknown): string {
	if (value === null || value === undefined) return 'null';
	return Array.isArray(value) ? 'array' : typeof value;
}

/** Tools answer with texts that are JSON. */
function innerJson(text: string): object | undefined {
	if (text.length > mostInnerJson || !/^\s*[{[]/.test(text)) return undefined;
	try {
		const value = JSON.parse(text) as unknown; // anything that JSON can be
		return typeof value === 'object' && value !== null && Object.keys(value).length > 0 ? value : undefined;
	} catch {
		// It only begins like JSON.
		return undefined;
	}
}

/** `analytics_query(page: 2, query: "daily…")`. */
export function callTitle(tool: string, given: unknown): string {
	if (typeof given !== 'object' || given === null || Array.isArray(given)) return `${tool}()`;
	const parts = Object.entries(given).map(([key, member]) => `${key}: ${short(member)}`);
	return `${tool}(${truncated(parts.join(', '), 60)})`;
}
