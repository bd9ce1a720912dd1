import assert from 'node:assert/strict';
import fc from 'fast-check';
import { checkScopeSettings, scopeParametersOf, settingsFor } from '../../src/core/scope/index.ts';

// What schemas of any draft and shape say of the same few parameters. `*` behind a path: it must be given.

const text = { type: 'string' };
const cases: readonly (readonly [what: string, schema: unknown, paths: readonly string[]])[] = [
	['members of the root', { type: 'object', properties: { project: text }, required: ['project'] }, ['project*']],
	['members of draft 3', { properties: { project: { type: 'string', required: true } } }, ['project*']],
	[
		'members of a root that is a reference',
		{ $ref: '#/$defs/a', $defs: { a: { properties: { project: text } } } },
		['project'],
	],
	[
		'definitions',
		{ properties: { project: { $ref: '#/definitions/p' } }, definitions: { p: { default: 'a' } } },
		['project'],
	],
	[
		'anchors',
		{ properties: { filter: { $ref: '#f' } }, $defs: { f: { $anchor: 'f', properties: { repo: text } } } },
		['filter.repo'],
	],
	[
		'escaped pointers',
		{ properties: { filter: { $ref: '#/$defs/a~1b%20c' } }, $defs: { 'a/b c': { properties: { repo: text } } } },
		['filter.repo'],
	],
	['allOf', { allOf: [{ properties: { project: text } }, { required: ['project'] }] }, ['project*']],
	[
		'anyOf: what one alone needs may be missing',
		{ anyOf: [{ properties: { project: text }, required: ['project'] }, { properties: { repo: text } }] },
		['project', 'repo'],
	],
	[
		'oneOf: what all need must be there',
		{
			oneOf: [
				{ properties: { project: text }, required: ['project'] },
				{ properties: { project: text, repo: text }, required: ['project', 'repo'] },
			],
		},
		['project*', 'repo'],
	],
	[
		'objects',
		{
			properties: { filter: { type: 'object', properties: { project: text }, required: ['project'] } },
			required: ['filter'],
		},
		['filter.project*'],
	],
	[
		'optional objects',
		{ properties: { filter: { type: 'object', properties: { project: text }, required: ['project'] } } },
		['filter.project'],
	],
	[
		'lists of objects',
		{ properties: { queries: { type: 'array', items: { properties: { repo: text } } } } },
		['queries[].repo'],
	],
	[
		'tuples',
		{ properties: { queries: { type: 'array', prefixItems: [{ properties: { repo: text } }] } } },
		['queries[].repo'],
	],
	[
		'tuples of older drafts',
		{ properties: { queries: { type: 'array', items: [{ properties: { repo: text } }] } } },
		['queries[].repo'],
	],
	['lists of texts', { properties: { repos: { type: 'array', items: text } } }, ['repos']],
	['a value or nothing', { properties: { project: { anyOf: [text, { type: 'null' }] } } }, ['project']],
	['boolean members', { properties: { project: true, repo: false } }, ['project', 'repo']],
	['conditions', JSON.parse('{"if":{"properties":{"text":{}}},"then":{"properties":{"project":{}}}}'), ['project']],
	[
		'references elsewhere are not followed',
		{ properties: { filter: { $ref: 'https://example.com/a.json' }, project: { $ref: 'other.json#/a' } } },
		['project'],
	],
	['what callers do not set', { properties: { project: { type: 'string', readOnly: true } } }, []],
	['no members', { type: 'object' }, []],
	[
		'names of JavaScript',
		{ properties: { constructor: text, __proto__: text, toString: text, project: text } },
		['project'],
	],
	['x-scope: yes', { properties: { where: { type: 'string', 'x-scope': true } } }, ['where']],
	['x-scope: no', { properties: { project: { type: 'string', 'x-scope': false } } }, []],
	['x-scope of the root', { 'x-scope': ['where'], properties: { where: text } }, ['where']],
];

describe('the input schema of a tool', () => {
	for (const [what, schema, paths] of cases) {
		it(`${what}: ${paths.join(', ')}`, () => {
			const found = parametersOf(JSON.stringify(schema));
			assert.ok(!('reason' in found));
			assert.deepEqual(
				found.map(({ path, isRequired }) => `${path}${isRequired ? '*' : ''}`),
				paths,
			);
		});
	}

	it('may say with x-scope of which kind a scope is, and what is taken without it', () => {
		const found = parametersOf(
			'{"properties":{"where":{"x-scope":{"kind":"tenant","default":"the caller\'s own"}}}}',
		);
		assert.ok(!('reason' in found));
		assert.equal(found[0]?.kind, 'tenant');
		assert.equal(found[0]?.fallback?.value, "caller's own");
		assert.equal(found[0]?.evidence[0]?.source, 'annotation');
	});

	const unknown: readonly (readonly [what: string, schema: string | undefined, reason: RegExp])[] = [
		['is absent', undefined, /gave no input schema/],
		['is no JSON', '{"type":', /is not JSON/],
		['is a boolean', 'true', /names no parameter/],
		['is a list', '[]', /is not an object/],
		['is of a text', '{"type":"string"}', /does not describe an object/],
		['is too long', `{"a":"${'x'.repeat(600_000)}"}`, /too large/],
		['names too much', JSON.stringify({ properties: wide(10_000) }), /more parameters than/],
	];
	for (const [what, schema, reason] of unknown) {
		it(`leaves its scopes unknown where it ${what}`, () => {
			const found = parametersOf(schema);
			assert.ok('reason' in found);
			assert.match(found.reason, reason);
			assert.match(found.reason, /^[A-Z].*\.$/);
		});
	}

	const hostile: readonly (readonly [what: string, schema: string])[] = [
		['leads back to itself', '{"properties":{"a":{"$ref":"#"},"project":{"$ref":"#/properties/project"}}}'],
		[
			'leads back to itself in many ways',
			JSON.stringify({
				properties: Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`a${index}`, { $ref: '#' }])),
			}),
		],
		['is deep', `${'{"properties":{"a":'.repeat(200)}{}${'}}'.repeat(200)}`],
		['is put together deeply', `${'{"allOf":['.repeat(5_000)}{}${']}'.repeat(5_000)}`],
		['branches at every step', nested(14)],
		[
			'refers in a circle',
			JSON.stringify({
				$ref: '#/$defs/0',
				$defs: Object.fromEntries(
					Array.from({ length: 500 }, (_, index) => [
						index,
						{
							anyOf: [{ $ref: `#/$defs/${(index + 1) % 500}` }, { $ref: `#/$defs/${(index + 7) % 500}` }],
							properties: { [`p${index}`]: {} },
						},
					]),
				),
			}),
		],
		[
			'needs the same in a circle',
			JSON.stringify({
				$ref: '#/$defs/0',
				$defs: Object.fromEntries(
					Array.from({ length: 20 }, (_, index) => [
						index,
						{ allOf: Array.from({ length: 20 }, (_one, other) => ({ $ref: `#/$defs/${other}` })) },
					]),
				),
			}),
		],
		[
			'has long words',
			JSON.stringify({
				properties: {
					a: { description: `if ${'not '.repeat(50_000)}`, type: 'string' },
					project: { description: 'defaults to '.repeat(20_000) },
				},
			}),
		],
		[
			'has long names',
			JSON.stringify({ properties: { ['aA_'.repeat(50_000)]: {}, ['project_'.repeat(10_000)]: {} } }),
		],
		[
			'allows much',
			JSON.stringify({ properties: { project: { enum: Array.from({ length: 40_000 }, (_, index) => index) } } }),
		],
	];
	for (const [what, schema] of hostile) {
		it(`costs little where it ${what}`, () => {
			const before = process.cpuUsage();
			parametersOf(schema);
			const { user, system } = process.cpuUsage(before);
			assert.ok(user + system < 2_000_000, `${(user + system) / 1000} ms`);
		});
	}

	it('never makes anything fail, whatever it is', () => {
		const words = fc.constantFrom(
			'project',
			'context_id',
			'limit',
			'path',
			'since',
			'Defaults to the current project.',
			'#/properties/a',
			'#',
			'string',
			'object',
			'array',
			'all',
			'',
		);
		const { schema } = fc.letrec((tie) => ({
			value: fc.oneof(
				{ maxDepth: 6 },
				words,
				fc.boolean(),
				fc.integer(),
				fc.constant(null),
				fc.string(),
				tie('schema'),
				fc.array(tie('schema'), { maxLength: 3 }),
			),
			schema: fc.dictionary(
				fc.constantFrom(
					'type',
					'properties',
					'items',
					'$ref',
					'allOf',
					'anyOf',
					'oneOf',
					'required',
					'default',
					'enum',
					'const',
					'description',
					'title',
					'$defs',
					'definitions',
					'x-scope',
					'additionalProperties',
					'then',
					'a',
					'project',
					'context_id',
					'__proto__',
					'constructor',
				),
				tie('value'),
				{ maxKeys: 5 },
			),
		}));
		fc.assert(
			fc.property(
				schema,
				fc.string(),
				fc.option(fc.string(), { nil: undefined }),
				(inputSchema, name, description) => {
					const found = scopeParametersOf({
						server: 'any',
						name,
						description,
						inputSchema: JSON.stringify(inputSchema),
					});
					if ('reason' in found) return found.reason.endsWith('.');
					return found.every(
						({ evidence, path }) =>
							evidence.length > 0 && path !== '' && evidence.every(({ sentence }) => sentence !== ''),
					);
				},
			),
			{ numRuns: 500 },
		);
		fc.assert(
			fc.property(fc.oneof(fc.string(), fc.json()), (inputSchema) => {
				parametersOf(inputSchema);
			}),
			{ numRuns: 200 },
		);
	});

	it('never makes anything fail together with settings, whatever they are', () => {
		fc.assert(
			fc.property(fc.jsonValue(), fc.string(), fc.string(), (value, server, name) => {
				const { settings, problems } = checkScopeSettings(value);
				settingsFor(settings, server, name);
				scopeParametersOf({ server, name, description: undefined, inputSchema: '{}' }, settings);
				return problems.every(({ message }) => message.endsWith('.'));
			}),
			{ numRuns: 300 },
		);
	});
});

function parametersOf(inputSchema: string | undefined): ReturnType<typeof scopeParametersOf> {
	return scopeParametersOf({ server: 'any', name: 'list_things', description: undefined, inputSchema });
}

function wide(count: number): Record<string, object> {
	return Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, { type: 'string' }]));
}

/** A schema of 2 to the power of `depth` ways. */
function nested(depth: number): string {
	const definitions = Object.fromEntries(
		Array.from({ length: depth }, (_, index) => [
			`d${index}`,
			{ properties: { a: { $ref: `#/$defs/d${index + 1}` }, b: { $ref: `#/$defs/d${index + 1}` } } },
		]),
	);
	return JSON.stringify({ $ref: '#/$defs/d0', $defs: definitions });
}
