import { deepEqual, equal, ok } from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { partOf, readCorpus } from './corpus.ts';
import type { CorpusServer } from './corpus.ts';

describe('the corpus of real servers', () => {
	const corpus = readCorpus();

	it('has at least 60 servers of as many packages, in two parts', () => {
		ok(corpus.length >= 60, `${corpus.length} servers`);
		equal(new Set(corpus.map((server) => server.package)).size, corpus.length);
		for (const part of ['tune', 'test'] as const) {
			const size = corpus.filter((server) => partOf(server.server) === part).length;
			ok(size >= 25, `${size} in the ${part} part`);
		}
	});

	it('names each tool once, and at most 12 of a server', () => {
		for (const { server, tools } of corpus) {
			ok(tools.length > 0 && tools.length <= 12, server);
			equal(new Set(tools.map((tool) => tool.name)).size, tools.length, server);
		}
	});

	it('expects only parameters that the schema has, each once, at most three levels deep', () => {
		for (const { server, tools } of corpus) {
			for (const tool of tools) {
				const paths = tool.expected.map((expected) => expected.path);
				equal(new Set(paths).size, paths.length, `${server} ${tool.name}`);
				deepEqual(
					paths.filter((path) => !has(tool.inputSchema, path)),
					[],
					`${server} ${tool.name}`,
				);
				deepEqual(
					paths.filter((path) => path.split('.').length > 3),
					[],
					`${server} ${tool.name}`,
				);
			}
		}
	});

	it('knows a path that is not there', () => {
		const schema = {
			properties: {
				filter: { anyOf: [{ type: 'null' }, { $ref: '#/$defs/filter' }] },
				queries: { type: 'array', items: { properties: { repo: {} } } },
			},
			$defs: { filter: { properties: { project: {}, filter: { $ref: '#/$defs/filter' } } } },
		};
		for (const path of ['filter', 'filter.project', 'queries', 'queries[].repo']) ok(has(schema, path), path);
		for (const path of ['project', 'filter.repo', 'queries.repo', 'filter[].project']) ok(!has(schema, path), path);
	});

	it('holds no server twice under two names', () => {
		const seen: CorpusServer['tools'][] = [];
		for (const { server, tools } of corpus) {
			ok(!seen.some((other) => isDeepStrictEqual(other, tools)), server);
			seen.push(tools);
		}
	});
});

/** Whether a schema names this member; written apart from the code that is measured. */
function has(schema: unknown, path: string): boolean {
	let places = [schema];
	for (const part of path.split('.')) {
		const name = part.replace(/\[\]$/, '');
		places = places.flatMap((place) => variants(place, schema)).flatMap((place) => memberOf(place, name));
		if (part.endsWith('[]')) {
			places = places.flatMap((place) => variants(place, schema)).flatMap((place) => place['items'] ?? []);
		}
	}
	return places.length > 0;
}

function memberOf(place: Record<string, unknown>, name: string): unknown[] {
	const properties = place['properties'];
	return isObject(properties) && Object.hasOwn(properties, name) ? [properties[name]] : [];
}

/** A schema with those that it refers to and consists of. */
function variants(place: unknown, root: unknown, seen: readonly unknown[] = []): Record<string, unknown>[] {
	if (!isObject(place) || seen.includes(place)) return [];
	const parts: unknown[] = ['allOf', 'anyOf', 'oneOf'].flatMap((word) => place[word] ?? []);
	const reference = place['$ref'];
	if (typeof reference === 'string') parts.push(target(root, reference));
	return [place, ...parts.flatMap((part) => variants(part, root, [...seen, place]))];
}

function target(root: unknown, reference: string): unknown {
	let place = root;
	for (const step of reference.split('/').slice(1)) {
		const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
		place = isObject(place) ? place[name] : undefined;
	}
	return place;
}

function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null;
}
