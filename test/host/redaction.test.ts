import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ByteSearch, redacted, Redaction } from '../../src/core/host/redaction.ts';
import type { RedactedServer } from '../../src/core/host/redaction.ts';

const secret = 'sk-live-0123456789';

function server(secrets: readonly string[], redactedArguments: readonly string[] = [], name = 'files'): RedactedServer {
	return { name, secrets, redactedArguments };
}

function textOf(bytes: Uint8Array): string {
	return Buffer.from(bytes).toString();
}

function clean(redaction: Redaction, message: string, isCall = false): string {
	return textOf(redaction.message(Buffer.from(message), 'files', isCall));
}

function call(arguments_: unknown, more: object = {}): string {
	return JSON.stringify({
		jsonrpc: '2.0',
		id: 1,
		method: 'tools/call',
		params: { name: 'x', arguments: arguments_ },
		...more,
	});
}

describe('redaction', () => {
	it('gives back the same bytes when there is nothing to take out', () => {
		const redaction = new Redaction([server([secret])]);
		const bytes = Buffer.from(call({ text: 'nothing here' }));
		assert.equal(redaction.message(bytes, 'files', true), bytes);
	});

	it('takes a secret out of any place of a message and leaves the rest as it is', () => {
		const redaction = new Redaction([server([secret])]);
		assert.equal(
			clean(
				redaction,
				`{ "a" : 1.0, "b":["x ${secret} y ${secret}"],\n"big":12345678901234567890,"${secret}":"\\u00e9"}`,
			),
			`{ "a" : 1.0, "b":["x ${redacted} y ${redacted}"],\n"big":12345678901234567890,"${redacted}":"\\u00e9"}`,
		);
	});

	it('finds the secrets of every server in the messages of each', () => {
		const redaction = new Redaction([server([], [], 'files'), server([secret], [], 'web')]);
		assert.equal(clean(redaction, `{"a":"${secret}"}`), `{"a":"${redacted}"}`);
	});

	const awkward = 'p"w\\d/ü\n<end>';
	const forms: readonly (readonly [string, string])[] = [
		['as the shortest JSON has it', JSON.stringify(awkward)],
		['as Python writes it', '"p\\"w\\\\d/\\u00fc\\n<end>"'],
		['as PHP writes it', '"p\\"w\\\\d\\/\\u00FC\\n<end>"'],
		['as Go writes it', '"p\\"w\\\\d/ü\\n\\u003cend\\u003e"'],
		['as JSON inside of JSON', JSON.stringify(JSON.stringify({ key: awkward }))],
	];
	for (const [how, form] of forms) {
		it(`finds a secret of awkward characters ${how}`, () => {
			const message = clean(new Redaction([server([awkward])]), `{"result":${form}}`);
			// What stands there is a string, or the next line fails.
			const { result } = JSON.parse(message) as { readonly result: string };
			assert.equal(result.includes(redacted), true, message);
			assert.equal(result.includes('end'), false, message);
		});
	}

	it('replaces a number that is a secret, and the message stays JSON', () => {
		const redaction = new Redaction([server(['8675309'])]);
		assert.equal(clean(redaction, '{"pin":8675309,"no":867530}'), `{"pin":"${redacted}","no":867530}`);
	});

	it('takes a short secret only for a whole string', () => {
		const redaction = new Redaction([server(['on', ''])]);
		assert.equal(
			clean(redaction, '{"on":"on","json":"one","n":1}'),
			`{"${redacted}":"${redacted}","json":"one","n":1}`,
		);
	});

	it('takes out a secret without the line end that its file had', () => {
		assert.equal(clean(new Redaction([server([`${secret}\n`])]), `["${secret}"]`), `["${redacted}"]`);
	});

	it('takes out the longer of two secrets that begin alike', () => {
		assert.equal(
			clean(new Redaction([server(['abcd', 'abcdef'])]), '["abcdef abcd"]'),
			`["${redacted} ${redacted}"]`,
		);
	});

	it('keeps nothing of a message that it cannot read and that holds a secret', () => {
		for (const broken of [
			`{"a":"${secret}"`,
			`{"a" "${secret}"}`,
			`["${secret}",]`,
			`"${secret}" 1`,
			`{"a":"${secret}"]`,
		]) {
			assert.equal(clean(new Redaction([server([secret])]), broken), `"${redacted}"`, broken);
		}
	});

	it('takes secrets out of running text', () => {
		const redaction = new Redaction([server([secret])]);
		assert.equal(redaction.text(`failed with ${secret}.`), `failed with ${redacted}.`);
	});

	describe('of arguments', () => {
		const cases: readonly (readonly [string, unknown, unknown])[] = [
			['password', { password: 'a', user: 'b' }, { password: redacted, user: 'b' }],
			['password', { password: { deep: [1, 2] }, user: 'b' }, { password: redacted, user: 'b' }],
			['password', { nested: { password: 'a' } }, { nested: { password: 'a' } }],
			[
				'auth.token',
				{ auth: { token: 1, kind: 'x' }, token: 2 },
				{ auth: { token: redacted, kind: 'x' }, token: 2 },
			],
			[
				'*.token',
				{ a: { token: 1 }, b: { token: 2, c: 3 } },
				{ a: { token: redacted }, b: { token: redacted, c: 3 } },
			],
			['auth.*', { auth: { a: 1, b: [] }, c: {} }, { auth: { a: redacted, b: redacted }, c: {} }],
			[
				'users.key',
				{ users: [{ key: 1 }, [], { key: 2, n: 3 }] },
				{ users: [{ key: redacted }, [], { key: redacted, n: 3 }] },
			],
			['users.*.key', { users: [{ key: 1 }] }, { users: [{ key: redacted }] }],
			['list.*', { list: [1, { a: 2 }] }, { list: [redacted, redacted] }],
		];
		for (const [path, before, after] of cases) {
			it(`takes out ${path} of ${JSON.stringify(before)}`, () => {
				const redaction = new Redaction([server([], [path])]);
				assert.equal(clean(redaction, call(before), true), call(after));
			});
		}

		it('does so in a batch, and however a key is written', () => {
			const redaction = new Redaction([server([], ['password'])]);
			assert.equal(
				clean(
					redaction,
					`[${call({ password: 1 })},{"params":{"argument\\u0073":{"pass\\u0077ord":"x"}}}]`,
					true,
				),
				`[${call({ password: redacted })},{"params":{"argument\\u0073":{"pass\\u0077ord":"${redacted}"}}}]`,
			);
		});

		it('is for calls of that server alone', () => {
			const redaction = new Redaction([server([], ['password'])]);
			const message = Buffer.from(call({ password: 'a' }));
			assert.equal(redaction.message(message, 'web', true), message);
			assert.equal(redaction.message(message, 'files', false), message);
		});

		it('is for the hooks that tell of such a call, too', () => {
			const redaction = new Redaction([server([], ['password'], 'my files')]);
			const hook = (password: string) => JSON.stringify({ tool_input: { password }, tool_use_id: 't1' });
			const through = (tool: string) => textOf(redaction.hook(Buffer.from(hook('a')), tool));
			assert.equal(through('mcp__my_files__write'), hook(redacted));
			assert.equal(through('mcp__web__write'), hook('a'));
			assert.equal(through('Bash'), hook('a'));
		});

		it('is for the hook that tells of all calls of a message, whichever server it is', () => {
			const redaction = new Redaction([server([], ['auth.password'], 'my files'), server([], [], 'web')]);
			const batch = (password: string) =>
				JSON.stringify({
					tool_calls: [
						{ tool_name: 'mcp__my_files__write', tool_input: { auth: { password }, to: 'x' } },
						{ tool_name: 'Bash', tool_input: { command: 'ls', password: 'b' } },
					],
				});
			assert.equal(textOf(redaction.hook(Buffer.from(batch('a')), undefined)), batch(redacted));
		});
	});

	it('takes out what lets somebody in of anything called headers', () => {
		const redaction = new Redaction([]);
		const headers = (value: unknown) => ({
			headers: { Authorization: value, 'x-api-key': value, Cookie: value, accept: '*/*' },
			Request_Headers: { 'PROXY-AUTHORIZATION': value },
			authorization: 'of a person',
		});
		assert.equal(clean(redaction, call(headers(['Bearer x']))), call(headers(redacted)));
	});

	it('takes out what lets somebody in of headers that stand in a list', () => {
		const redaction = new Redaction([]);
		const har = (value: string) => ({
			headers: [
				{ name: 'Authorization', value },
				{ key: 'x-api-key', isOn: true, value },
				{ name: 'accept', value: 'text/html' },
			],
			responseHeaders: [
				['Set-Cookie', value],
				['accept', 'text/html'],
			],
			others: [{ name: 'token', value: 'kept' }],
		});
		assert.equal(clean(redaction, call(har('abc'))), call(har(redacted)));
		assert.equal(clean(redaction, call(har(redacted))), call(har(redacted)));
	});

	it('takes out what lets somebody in of headers that stand in text', () => {
		const redaction = new Redaction([]);
		const texts = (value: string) => [
			`curl -H 'Authorization: Bearer ${value}' http://a`,
			JSON.stringify({ Proxy: { 'PROXY-AUTHORIZATION': `Basic ${value}` } }),
			JSON.stringify(JSON.stringify({ authorization: value })),
			'Authorization failed, authorization: see above',
		];
		const before = JSON.stringify(texts('abc.DEF-123=='));
		const after = JSON.stringify([
			...texts(redacted).slice(0, 3),
			'Authorization failed, authorization: [redacted] above',
		]);
		assert.equal(clean(redaction, before), after);
		assert.equal(clean(redaction, after), after);
	});

	const headers: readonly (readonly [written: string, after: string])[] = [
		["curl -H 'Authorization: ApiKey abc.DEF-123=='", "curl -H 'Authorization: [redacted]'"],
		['Authorization: SSWS abc.DEF-123==', 'Authorization: [redacted]'],
		['curl -H Authorization:abc.DEF-123== https://a', 'curl -H Authorization:[redacted] https://a'],
		['-H "Authorization: Token token=\\"abc.DEF-123==\\"" x', '-H "Authorization: Token [redacted]" x'],
		['Authorization: Digest username="u", response="abc.DEF-123=="', 'Authorization: Digest [redacted]'],
		['Authorization: AWS4-HMAC-SHA256 Credential=a/b, Signature=abc.DEF-123==', 'Authorization: [redacted]'],
		["curl -H 'x-api-key: abc.DEF-123=='", "curl -H 'x-api-key: [redacted]'"],
		['{"headers":{"X-API-Key":"abc.DEF-123=="},"a":1}', '{"headers":{"X-API-Key":"[redacted]"},"a":1}'],
		["curl -H 'Cookie: sid=abc.DEF; other=123' https://a", "curl -H 'Cookie: [redacted]' https://a"],
		['Set-Cookie: sid=abc; Path=/\r\nX: y', 'Set-Cookie: [redacted]\r\nX: y'],
		['{"COOKIE":"sid=abc","a":1}', '{"COOKIE":"[redacted]","a":1}'],
		['The cookie: it has no name', 'The cookie: it has no name'],
	];
	for (const [written, after] of headers) {
		it(`leaves no credential in the text ${written}`, () => {
			const redaction = new Redaction([]);
			assert.equal(clean(redaction, JSON.stringify([written])), JSON.stringify([after]));
			assert.equal(clean(redaction, JSON.stringify([after])), JSON.stringify([after]));
			assert.equal(redaction.text(written), after);
		});
	}

	it('walks a message of a hundred thousand levels', () => {
		const depth = 100_000;
		const nested = (text: string) => `${'['.repeat(depth)}"${text}"${']'.repeat(depth)}`;
		assert.equal(clean(new Redaction([server([secret])]), nested(secret)), nested(redacted));
	});

	it('leaves no secret, no broken JSON and everything else, whatever the message', () => {
		const secrets = fc.array(fc.string({ minLength: 4, maxLength: 12, unit: 'binary' }), {
			minLength: 1,
			maxLength: 3,
		});
		fc.assert(
			fc.property(secrets, fc.json({ stringUnit: 'binary' }), fc.nat(), (chosen, json, at) => {
				// Such a secret would be looked for in its own replacement, or is nothing but white space.
				fc.pre(
					chosen.every(
						(text) =>
							text.trim().length >= 4 &&
							!redacted.includes(text.trim()) &&
							Buffer.from(text).toString() === text,
					),
				);
				const redaction = new Redaction([server(chosen)]);
				const picked = chosen[at % chosen.length] ?? '';
				const message = JSON.stringify([JSON.parse(json), `before ${picked} after`, { [picked]: picked }]);
				fc.pre(Buffer.from(message).toString() === message);
				const after = clean(redaction, message);
				const strings: string[] = [];
				JSON.parse(after, (key: string, value: unknown) => {
					strings.push(key);
					if (typeof value === 'string') strings.push(value);
					return value;
				});
				for (const text of chosen)
					assert.equal(
						strings.some((string) => string.includes(text)),
						false,
						after,
					);
				// What holds none of the secrets is the same byte for byte.
				const first = JSON.stringify(JSON.parse(json));
				if (
					!chosen.some(
						(text) =>
							redaction.text(first) !== first ||
							first.includes(text.trim()) ||
							redaction.text(JSON.stringify(first)) !== JSON.stringify(first),
					)
				) {
					assert.equal(after.startsWith(`[${first},`), true, after);
				}
			}),
			{ numRuns: 500 },
		);
	});
});

describe('the search for bytes', () => {
	it('finds what a plain search finds', () => {
		const few = fc.array(fc.constantFrom(97, 98, 99, 226, 130), { maxLength: 60 });
		const needle = fc.array(fc.constantFrom(97, 98, 99, 226, 130), { minLength: 2, maxLength: 7 });
		fc.assert(
			fc.property(few, fc.array(needle, { minLength: 1, maxLength: 4 }), (bytes, needles) => {
				const haystack = Buffer.from(bytes);
				const expected = needles.some((one) => haystack.includes(Buffer.from(one)));
				return new ByteSearch(needles.map((one) => Uint8Array.from(one))).isIn(haystack) === expected;
			}),
			{ numRuns: 2000 },
		);
	});
});
