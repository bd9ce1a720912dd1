// The import table of docs/architecture.md, checked against every import in src: types, re-exports and dynamic imports too.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { posix, sep } from 'node:path';
import { parseSync } from 'oxc-parser';

interface Zone {
	/** Folders or files below src whose values and types may be imported. The zone itself always may. */
	readonly from: readonly string[];
	/** Of these only types. */
	readonly typesFrom?: readonly string[];
	/** Package names; `node:*` stands for all of Node's own modules. */
	readonly packages?: readonly string[];
}

/** Folders and files below src; of several that contain a file the longest counts. */
const importTable: Readonly<Record<string, Zone>> = {
	'core/base': { from: [] },
	'core/events': { from: ['core/base'], packages: ['zod'] },
	'core/debug': { from: ['core/base', 'core/events'], packages: ['@marcbachmann/cel-js'] },
	'core/host': { from: ['core/base', 'core/events', 'core/scope', 'core/debug'] },
	'core/transcripts': { from: ['core/base', 'core/events'] },
	'core/store': { from: ['core/base', 'core/events'] },
	'core/simulate': { from: ['core/base'] },
	'core/conversation': { from: ['core/base', 'core/events'] },
	'core/scope': { from: ['core/base', 'core/events'] },
	'core/rules': { from: ['core/base', 'core/events', 'core/conversation', 'core/scope'] },
	'core/runs': { from: ['core/base', 'core/events', 'core/transcripts', 'core/conversation', 'core/rules'] },
	'core/report': { from: ['core/base', 'core/rules'] },
	'core/core.ts': { from: ['core'] },
	'core/platform.ts': { from: ['core'] },
	'platform/node': {
		from: ['core/platform.ts', 'core/base', 'core/debug', 'core/host', 'core/store'],
		typesFrom: ['core'],
		packages: ['jsonc-parser', 'toml-eslint-parser', 'vscode-jsonrpc', 'node:*'],
	},
	'platform/workerd': { from: ['core/base', 'core/store'], packages: ['cloudflare:workers', 'node:crypto'] },
	worker: { from: ['core', 'platform/workerd'], packages: ['cloudflare:workers'] },
	debugAdapter: { from: ['core'], packages: ['@vscode/debugadapter', '@vscode/debugprotocol', 'node:*'] },
	cli: { from: ['core', 'debugAdapter', 'platform/node'], packages: ['jsonc-parser', 'node:*'] },
	extension: { from: ['core', 'debugAdapter', 'platform/node'], packages: ['vscode'] },
};

/** What a runtime gives to a program, and core must be given through a port. */
const globalsCoreMustNotUse = new Set([
	'Buffer',
	'clearInterval',
	'clearTimeout',
	'console',
	'fetch',
	'global',
	'globalThis',
	'performance',
	'process',
	'queueMicrotask',
	'require',
	'self',
	'setImmediate',
	'setInterval',
	'setTimeout',
	'window',
]);

describe('the architecture', () => {
	const paths = readdirSync('src', { recursive: true, encoding: 'utf8' })
		.map((path) => path.split(sep).join('/'))
		.filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
		.sort();
	const files = paths.map((path) => ({ path, text: readFileSync(`src/${path}`, 'utf8') }));

	it('has files to look at', () => {
		assert.ok(
			paths.some((path) => path.startsWith('core/base/')),
			paths.join('\n'),
		);
	});

	it('gives every file of src a zone in the import table', () => {
		assert.deepEqual(
			paths.filter((path) => zoneOf(path) === undefined),
			[],
		);
	});

	it('has an import table that docs/architecture.md tells as it is', () => {
		const page = readFileSync('docs/architecture.md', 'utf8');
		const [, told = ''] = /\n\| folder \| may import \|\n\|---\|---\|\n((?:\|.+\n)+)/.exec(page) ?? [];
		const rows = Object.entries(importTable).map(([zone, { from, typesFrom = [], packages = [] }]) => {
			const folders = [
				...from.map((folder) => toldBy(zone, folder)),
				...typesFrom.map((folder) => `**types** of ${folder}`),
			].join(', ');
			const named = packages.map((name) => `\`${name}\``).join(', ');
			return `| \`${zone}\` | ${folders || 'nothing'}${named && `; ${named}`} |`;
		});
		assert.deepEqual(told.trimEnd().split('\n').toSorted(), rows.toSorted());
	});

	it('has no import that the import table does not allow', () => {
		assert.deepEqual(
			files.flatMap(({ path, text }) => forbiddenImports(path, text)),
			[],
		);
	});

	it('keeps clocks, timers, consoles and other globals of a runtime out of core', () => {
		assert.deepEqual(
			files
				.filter(({ path }) => path.startsWith('core/'))
				.flatMap(({ path, text }) => forbiddenGlobals(path, text)),
			[],
		);
	});
});

describe('the architecture test', () => {
	const forbidden: readonly [path: string, text: string, expected: string][] = [
		['core/base/a.ts', "import { z } from 'zod';", 'zod'],
		[
			'core/base/a.ts',
			"import type { SessionEvent } from '../events/sessionEvent.ts';",
			'core/events/sessionEvent.ts',
		],
		[
			'core/events/a.ts',
			"export { Conversation } from '../conversation/conversation.ts';",
			'core/conversation/conversation.ts',
		],
		[
			'core/events/a.ts',
			"export type * from '../conversation/conversation.ts';",
			'core/conversation/conversation.ts',
		],
		['core/rules/a.ts', "const read = await import('../transcripts/reader.ts');", 'core/transcripts/reader.ts'],
		['core/rules/a.ts', "type Reader = import('../transcripts/reader.ts').Reader;", 'core/transcripts/reader.ts'],
		['core/rules/a.ts', "import '../report/text.ts';", 'core/report/text.ts'],
		['core/rules/a.ts', "import { readFile } from 'node:fs/promises';", 'node:fs/promises'],
		['core/rules/a.ts', "import { readFile } from 'fs/promises';", 'fs/promises'],
		['core/rules/deeper/a.ts', "import { x } from '../../report/text.ts';", 'core/report/text.ts'],
		['core/report/a.ts', "import type { Uri } from 'vscode';", 'vscode'],
		['core/transcripts/a.ts', "import { createCore } from '../core.ts';", 'core/core.ts'],
		['platform/node/a.ts', "import { createCore } from '../../core/core.ts';", 'core/core.ts'],
		['cli/a.ts', "import { activate } from '../extension/extension.ts';", 'extension/extension.ts'],
		['cli/a.ts', "import { window } from 'vscode';", 'vscode'],
		['platform/workerd/a.ts', "import { readFile } from 'node:fs/promises';", 'node:fs/promises'],
		['worker/a.ts', "import { createHash } from 'node:crypto';", 'node:crypto'],
		['extension/a.ts', "import { main } from '../cli/main.ts';", 'cli/main.ts'],
		['extension/a.ts', "import fc from 'fast-check';", 'fast-check'],
		['extension/a.ts', "const name = './b.ts'; await import(name);", '(a computed name)'],
		['extension/a.ts', "import x = require('../cli/main.ts');", 'cli/main.ts'],
	];
	for (const [path, text, expected] of forbidden) {
		it(`finds in ${path}: ${text}`, () => {
			assert.deepEqual(forbiddenImports(path, text), [`src/${path}:1 imports ${expected}`]);
		});
	}

	const allowed: readonly [path: string, text: string][] = [
		['core/base/a.ts', "export * from './b.ts';"],
		['core/events/a.ts', "import { z } from 'zod';"],
		['core/rules/deeper/a.ts', "import { x } from '../../conversation/conversation.ts';"],
		['core/core.ts', "import { x } from './report/text.ts';"],
		['platform/workerd/a.ts', "import { createHash } from 'node:crypto';"],
		[
			'platform/node/a.ts',
			"import type { Files } from '../../core/transcripts/files.ts'; import { open } from 'node:fs';",
		],
		['cli/a.ts', "import { createCore } from '../core/core.ts'; import { join } from 'node:path';"],
		['extension/a.ts', "import { window } from 'vscode'; const a = await import('./b.ts'); // import 'fs'"],
	];
	for (const [path, text] of allowed) {
		it(`is content with ${path}: ${text}`, () => assert.deepEqual(forbiddenImports(path, text), []));
	}

	const globals: readonly [text: string, expected: readonly string[]][] = [
		['const now = Date.now();', ['Date.now']],
		['const now = new Date();', ['new Date()']],
		['const now = Date();', ['Date()']],
		['const at = new Date(event.at).toISOString(); const t = Date.parse(text);', []],
		[
			'console.log(process.pid); setTimeout(() => performance.now(), 1);',
			['console', 'process', 'setTimeout', 'performance'],
		],
		["const { now } = Date; const n = Date['now']();", ['Date', 'Date']],
		[
			'interface A { process: string; setTimeout(): void } const a = { process: 1 }; a.process; // console.log()',
			[],
		],
		['const x = { process };', ['process']],
		['globalThis.setTimeout(f);', ['globalThis']],
	];
	for (const [text, expected] of globals) {
		it(`finds ${expected.join(', ') || 'nothing'} in core: ${text}`, () => {
			assert.deepEqual(
				forbiddenGlobals('core/a.ts', text),
				expected.map((name) => `src/core/a.ts:1 uses ${name}`),
			);
		});
	}
});

/** How the table of the page names what a folder or file may import: within core without its `core/`. */
function toldBy(zone: string, folder: string): string {
	if (folder === 'core') return /^core\/\w+\.ts$/.test(zone) ? 'all of core' : 'core';
	return zone.startsWith('core/') ? folder.replace('core/', '') : folder;
}

function zoneOf(path: string): string | undefined {
	return Object.keys(importTable)
		.filter((zone) => isWithin(path, zone))
		.sort((one, other) => other.length - one.length)[0];
}

function forbiddenImports(path: string, text: string): string[] {
	const zoneName = zoneOf(path);
	const zone: Zone = zoneName === undefined ? { from: [] } : (importTable[zoneName] ?? { from: [] });
	return importsOf(path, text)
		.filter(({ specifier, isTypeOnly }) => {
			if (!specifier.startsWith('.')) return !isAllowedPackage(specifier, zone.packages ?? []);
			const target = posix.join(posix.dirname(path), specifier);
			const folders = [
				...zone.from,
				...(isTypeOnly ? (zone.typesFrom ?? []) : []),
				...(zoneName === undefined ? [] : [zoneName]),
			];
			return !folders.some((folder) => isWithin(target, folder));
		})
		.map(({ specifier, line }) => {
			const target = specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : specifier;
			return `src/${path}:${line} imports ${target}`;
		});
}

function isAllowedPackage(specifier: string, packages: readonly string[]): boolean {
	if (specifier.startsWith('node:')) return packages.includes('node:*') || packages.includes(specifier);
	// Without its prefix one of Node's own modules looks like a package.
	if (builtinModules.includes(specifier)) return false;
	return packages.some((name) => specifier === name || specifier.startsWith(`${name}/`));
}

function isWithin(path: string, folderOrFile: string): boolean {
	return path === folderOrFile || path.startsWith(`${folderOrFile}/`);
}

interface Import {
	readonly specifier: string;
	readonly isTypeOnly: boolean;
	readonly line: number;
}

function importsOf(path: string, text: string): Import[] {
	const imports: Import[] = [];
	walk(path, text, (node) => {
		switch (node.type) {
			case 'ImportDeclaration':
				return add(node.source, node.importKind === 'type');
			case 'ExportNamedDeclaration':
			case 'ExportAllDeclaration':
				return node.source ? add(node.source, node.exportKind === 'type') : undefined;
			case 'ImportExpression':
				return add(node.source, false);
			case 'TSImportType':
				return add(node.source, true);
			case 'TSExternalModuleReference':
				return add(node.expression, false);
		}
	});
	return imports;

	function add(source: unknown, isTypeOnly: boolean): void {
		const literal = source as Node; // every node above has a node there
		const specifier = typeof literal.value === 'string' ? literal.value : '(a computed name)';
		imports.push({ specifier, isTypeOnly, line: lineAt(text, literal.start) });
	}
}

function forbiddenGlobals(path: string, text: string): string[] {
	const found: string[] = [];
	walk(path, text, (node, parent, key) => {
		if (node.type !== 'Identifier' || isMemberName(parent, key)) return;
		const name = String(node.name);
		if (globalsCoreMustNotUse.has(name)) found.push(`src/${path}:${lineAt(text, node.start)} uses ${name}`);
		const use = name === 'Date' ? clockUse(parent, key) : undefined;
		if (use !== undefined) found.push(`src/${path}:${lineAt(text, node.start)} uses ${use}`);
	});
	return found;
}

/** How an identifier `Date` reads the clock, if it does. */
function clockUse(parent: Node, key: string): string | undefined {
	const hasArguments = Array.isArray(parent.arguments) && parent.arguments.length > 0;
	if (parent.type === 'NewExpression' && key === 'callee') return hasArguments ? undefined : 'new Date()';
	if (parent.type === 'CallExpression' && key === 'callee') return 'Date()';
	if (parent.type === 'MemberExpression' && key === 'object' && parent.computed === false) {
		return (parent.property as Node).name === 'now' ? 'Date.now' : undefined; // a member expression has a property
	}
	if (parent.type.startsWith('TS') || (parent.type === 'BinaryExpression' && parent.operator === 'instanceof')) {
		return undefined;
	}
	// Handed on, renamed or taken apart: who knows what becomes of it.
	return 'Date';
}

/** The name of a member is no use of a global of the same name. */
function isMemberName(parent: Node, key: string): boolean {
	if (parent.computed === true) return false;
	// Of a shorthand property the value is visited too.
	return (parent.type === 'MemberExpression' && key === 'property') || key === 'key';
}

interface Node {
	readonly type: string;
	readonly start: number;
	readonly [key: string]: unknown;
}

function walk(path: string, text: string, visit: (node: Node, parent: Node, key: string) => void): void {
	const { program, errors } = parseSync(path, text);
	assert.deepEqual(
		errors.map(({ message }) => `${path}: ${message}`),
		[],
	);
	const root = program as unknown as Node; // a node among nodes, for a walk that does not care which
	step(root, root, '');

	function step(node: Node, parent: Node, key: string): void {
		visit(node, parent, key);
		for (const [childKey, child] of Object.entries(node)) {
			for (const one of Array.isArray(child) ? (child as unknown[]) : [child]) {
				if (isNode(one)) step(one, node, childKey);
			}
		}
	}
}

function isNode(value: unknown): value is Node {
	return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function lineAt(text: string, offset: number): number {
	return text.slice(0, offset).split('\n').length;
}
