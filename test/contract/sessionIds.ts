import assert from 'node:assert/strict';
import type { SessionStore } from '../../src/core/store/sessionStore.ts';
import { add, refused } from './engine.ts';
import type { Lab } from './engine.ts';

const ids: readonly string[] = [
	' ',
	'a ',
	'A',
	'a',
	'0',
	'1.0',
	'-1',
	'null',
	'undefined',
	'default',
	'__proto__',
	'constructor',
	'../../etc/passwd',
	'a/b?c=d&e#f%00%2e',
	"'; DROP TABLE sessions; --",
	'line\nbreak\ttab',
	// Two ways to write one letter are two ids.
	'\u00e9',
	'e\u0301',
	'сессия',
	'会话',
	'جلسة',
	'👩‍👩‍👧‍👦',
	'\u0000',
	'a\u0000b',
	'a\u0000c',
	'\ufffd',
	'\uffff',
	'x'.repeat(1000),
	'é'.repeat(5000),
	`${'x'.repeat(60_000)}1`,
	`${'x'.repeat(60_000)}2`,
];

export function sessionIdsContract(lab: Lab): void {
	describe('session ids', () => {
		it('are of any length and script, and each is its own session', async () => {
			let store = await lab.bed.open();
			for (const [index, id] of ids.entries())
				assert.equal(await add(store.session(id), index + 1), index + 1, shown(id));
			await lab.bed.kill();
			store = await lab.bed.open();
			for (const [index, id] of ids.entries()) {
				assert.equal(store.session(id).id, id);
				assert.deepEqual(await store.session(id).read(), { seq: 1, state: { count: index + 1 } }, shown(id));
			}
			assert.deepEqual((await store.sessions()).map(({ id }) => id).sort(), [...ids].sort());
		}).timeout(300_000);

		it('that are longer than any name are refused, and not cut off', async () => {
			const store = await lab.bed.open();
			await refused(called(store, 'x'.repeat(1_000_000)), 'invalid-session-id');
			assert.deepEqual(await store.sessions(), []);
		});

		for (const id of ['', '\ud800', 'a\udc00b', undefined, null, 0, {}, []]) {
			it(`are never ${id === undefined ? 'absent' : JSON.stringify(id)}`, async () => {
				const store = await lab.bed.open();
				await refused(called(store, id), 'invalid-session-id');
				assert.deepEqual(await store.sessions(), []);
			});
		}
	});
}

/** It may be refused when it is named, or when it is used. */
async function called(store: SessionStore, id: unknown): Promise<number> {
	// What callers without types may give.
	const session = store.session(id as string);
	return add(session, 1);
}

function shown(id: string): string {
	return JSON.stringify(id.slice(0, 30));
}
