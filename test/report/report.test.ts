import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { createLintResult, formatGithub, formatJunit, formatSarif, formatText } from '../../src/core/report/index.ts';
import type { LintResult, LintedFile, SessionFindings } from '../../src/core/report/index.ts';
import { fileUri, uriFrom } from '../../src/core/report/paths.ts';
import { rules } from '../../src/core/rules/index.ts';
import { run } from '../cli/memoryIo.ts';

const base = { folder: '/home/dev/shop', separator: '/' };
const nasty = 'a <b> & "c" 50%, \u001b[31mred\u001b[0m \ud800 ]]> end\r\nsecond line';

function findings(path: string, changes: Partial<SessionFindings> = {}): SessionFindings {
	return {
		files: [{ path, format: 'claude-code', lines: 9, bytes: 900, problems: [] }],
		session: { id: 's1', format: 'claude-code', live: false, agents: [] },
		diagnostics: [],
		inconclusive: [],
		strayResults: 0,
		...changes,
	};
}

const diagnostic = {
	ruleId: 'orphaned-tool-use',
	severity: 'error',
	message: nasty,
	line: 3,
	column: 5,
	endLine: 3,
	endColumn: 9,
	sessionId: 's1',
	related: [],
} as const;

function nastyResult(): LintResult {
	const path = '/home/dev/shop/größe 🛒:1%,2.jsonl';
	const outside = '/elsewhere/a b.jsonl';
	const unread: LintedFile = {
		path: '/home/dev/shop/x',
		format: 'unknown',
		lines: 0,
		bytes: 0,
		problems: [{ line: 1, kind: 'unreadable', message: nasty }],
	};
	return createLintResult(
		[
			findings(path, {
				diagnostics: [
					{
						...diagnostic,
						path,
						agentId: 'main',
						toolUseId: 't1',
						toolName: 'x',
						cause: 'killed',
						related: [{ path: outside, line: 7, column: 2, message: nasty }],
					},
				],
				inconclusive: [{ ruleId: 'orphaned-tool-use', path, line: 8, message: nasty }],
			}),
			findings(outside, {
				diagnostics: [{ ...diagnostic, ruleId: 'damaged-line', severity: 'note', path: outside }],
			}),
		],
		[unread],
		5,
	);
}

describe('SARIF', () => {
	// The schema is of draft 4; its id is written otherwise since, and no keyword it uses has changed.
	const schema = JSON.parse(readFileSync('test/fixtures/sarif/sarif-2.1.0-rtm.5.json', 'utf8')) as Record<
		string,
		unknown
	>;
	delete schema['$schema'];
	delete schema['id'];
	const validate = new Ajv({
		strict: false,
		allErrors: true,
		unicodeRegExp: false,
		formats: { uri: /^[a-z][a-z0-9+.-]*:[^\s]*$/i, 'uri-reference': /^[^\s]*$/, 'date-time': /^\d{4}-/ },
	}).compile(schema);
	const errors = (text: string) => (validate(JSON.parse(text)) ? [] : validate.errors);
	const options = { base, version: '1.2.3', helpUriOf: (id: string) => `https://example.org/rules/${id}` };

	it('is valid against the official schema', async () => {
		assert.deepEqual(errors(formatSarif(nastyResult(), options)), []);
		assert.deepEqual(
			errors(
				(await run(['lint', '--format', 'sarif', 'test/fixtures/cli/projects', 'examples/recorded'])).stdout,
			),
			[],
		);
		assert.deepEqual(
			errors((await run(['lint', '--format', 'sarif', 'test/fixtures/cli/notes.jsonl'])).stdout),
			[],
		);
	});

	it('would not be valid with a wrong level or without a message', () => {
		const broken = formatSarif(nastyResult(), options)
			.replace('"level": "error"', '"level": "bad"')
			.replace('"version": "2.1.0"', '"version": "2"');
		assert.ok((errors(broken)?.length ?? 0) >= 2);
	});

	it('describes every rule, and each result names its rule', () => {
		// Validated above.
		const { runs } = JSON.parse(formatSarif(nastyResult(), options)) as {
			runs: {
				tool: { driver: { rules: { id: string; helpUri: string }[] } };
				columnKind: string;
				results: { ruleId: string; ruleIndex: number }[];
			}[];
		};
		const [{ tool, results, columnKind }] = runs as [(typeof runs)[number]];
		assert.equal(columnKind, 'utf16CodeUnits');
		assert.deepEqual(
			tool.driver.rules.map(({ id, helpUri }) => [id, helpUri]),
			rules.map(({ id }) => [id, `https://example.org/rules/${id}`]),
		);
		assert.equal(results.length, 2);
		for (const { ruleId, ruleIndex } of results) assert.equal(tool.driver.rules[ruleIndex]?.id, ruleId);
	});
});

describe('the reports', () => {
	it('let no message break a line or move a cursor', () => {
		const text = formatText(nastyResult(), { base, hasColours: false });
		// eslint-disable-next-line no-control-regex
		assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f]/);
		assert.equal(text.trimEnd().split('\n').length, 2 + 1 + 1 + 1 + 2);
		const github = formatGithub(nastyResult(), base);
		assert.equal(github.trimEnd().split('\n').length, 3);
		assert.match(github, /^::notice file=\/elsewhere\/a b\.jsonl,line=3,/m);
		assert.match(
			github,
			/^::error file=größe 🛒%3A1%25%2C2\.jsonl,line=3,endLine=3,col=5,endColumn=9,title=orphaned-tool-use::a <b> & "c" 50%25,/m,
		);
	});

	it('let no message break the XML', () => {
		const xml = formatJunit(nastyResult(), { base, failOn: 'error' });
		// eslint-disable-next-line no-control-regex
		assert.doesNotMatch(xml, /[\u0000-\u0008\u000e-\u001f]|\p{Surrogate}/u);
		assert.match(xml, /<testsuites name="Crosstalk" tests="4" failures="1" errors="1" skipped="1">/);
		const withoutTags = xml.replaceAll(/<\/?[\w-]+(?: [\w-]+="[^"<]*")*\/?>|<\?xml[^>]*>/g, '');
		assert.doesNotMatch(withoutTags, /[<>]|&(?!(?:amp|lt|gt|quot);)/);
	});

	it('put files, sessions and findings in an order that depends on nothing but themselves', () => {
		const one = findings('/b', {
			diagnostics: [
				{ ...diagnostic, path: '/b', line: 10 },
				{ ...diagnostic, path: '/b', line: 9 },
			],
		});
		const other = findings('/a', { session: { id: 's0', format: 'codex', live: true, agents: [] } });
		assert.deepEqual(
			createLintResult([one, other], [], 0),
			createLintResult([other, { ...one, diagnostics: one.diagnostics.toReversed() }], [], 0),
		);
	});

	it('write paths below the folder relative to it, and others as URIs', () => {
		assert.deepEqual(uriFrom(base, '/home/dev/shop/a b/ü.jsonl'), { uri: 'a%20b/%C3%BC.jsonl', isRelative: true });
		assert.deepEqual(uriFrom(base, '/home/dev/shopping/x'), {
			uri: 'file:///home/dev/shopping/x',
			isRelative: false,
		});
		assert.equal(fileUri('C:\\Users\\dev\\a#b', '\\'), 'file:///C:/Users/dev/a%23b');
	});
});
