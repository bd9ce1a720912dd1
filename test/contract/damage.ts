import assert from 'node:assert/strict';
import type { DamageFound, SessionStore } from '../../src/core/store/sessionStore.ts';
import type { SqlRow, SqlValue } from '../../src/core/store/sqlDatabase.ts';
import { add, look, need, refused } from './engine.ts';
import type { Lab } from './engine.ts';

/** What is done to the newest of three checkpoints. */
const changes: readonly { readonly column: string; readonly change: (value: SqlValue) => SqlValue }[] = [
	{ column: 'state', change: flipped },
	{ column: 'state', change: () => null },
	{ column: 'state', change: () => '{}' },
	{ column: 'key', change: flipped },
	{ column: 'key', change: () => null },
	{ column: 'tool', change: flipped },
	{ column: 'arguments_hash', change: flipped },
	{ column: 'call_hash', change: flipped },
	{ column: 'state_hash', change: flipped },
	{ column: 'generation', change: (value) => Number(value) + 1 },
	{ column: 'seq', change: (value) => Number(value) + 256 },
	{ column: 'at', change: (value) => (typeof value === 'number' ? value + 1 : flipped(value)) },
];

export function damageContract(lab: Lab): void {
	if (!lab.has('sql')) return;
	describe('damage', () => {
		for (const { column, change } of changes) {
			it(`of a ${column} (${change.name || change.toString()}) is found, is one session's, and is left as it is`, async () => {
				await damaged(lab, async (sql) => {
					const [row] = await sql(`SELECT place, ${column} AS value FROM checkpoints WHERE seq = 3`);
					await sql(
						`UPDATE checkpoints SET ${column} = ? WHERE place = ?`,
						change(row!['value']!),
						row!['place']!,
					);
				});
			});
		}

		it('by the rows of another session in its place is found, though they are whole', async () => {
			await damaged(lab, async (sql) => {
				const ofOther: Sql = (...statement) => need(lab.bed.sql)('b', ...statement);
				const [a] = await sql("SELECT number FROM sessions WHERE id = 'a'");
				const [b] = await ofOther("SELECT number FROM sessions WHERE id = 'b'");
				for (const { place, ...row } of await ofOther(
					'SELECT * FROM checkpoints WHERE place / 256 = ?',
					b!['number']!,
				)) {
					const columns = Object.keys(row).map((column) => `${column} = ?`);
					await sql(
						`UPDATE checkpoints SET ${columns.join()} WHERE place = ?`,
						...Object.values(row),
						Number(a!['number']) * 256 + (Number(place) % 256),
					);
				}
			});
		});

		it('of a call that is older is found too', async () => {
			await damaged(lab, async (sql) => {
				const [row] = await sql('SELECT place, tool FROM checkpoints WHERE seq = 2');
				await sql('UPDATE checkpoints SET tool = ? WHERE place = ?', flipped(row!['tool']!), row!['place']!);
			});
		});

		it('of a reply is found when the call is repeated', async () => {
			const store = await lab.bed.open();
			const session = store.session('a');
			for (let count = 1; count <= 3; count++) await add(session, 1, { key: `k${count}` });
			await session.evict();
			const sql: Sql = (...statement) => need(lab.bed.sql)('a', ...statement);
			const [row] = await sql('SELECT place, reply FROM checkpoints WHERE seq = 2');
			await sql('UPDATE checkpoints SET reply = ? WHERE place = ?', flipped(row!['reply']!), row!['place']!);
			await refused(add(session, 1, { key: 'k2' }), 'session-damaged');
		});

		it('by a checkpoint that is missing between the others is found', async () => {
			await damaged(lab, async (sql) => {
				await sql('DELETE FROM checkpoints WHERE seq = 2');
			});
		});

		it('of a part of a large state is found, and so is a part that is missing', async () => {
			for (const statement of [
				'DELETE FROM chunks WHERE number = (SELECT max(number) FROM chunks)',
				'UPDATE chunks SET bytes = zeroblob(length(bytes)) WHERE number = (SELECT max(number) FROM chunks)',
			]) {
				const id = `after ${statement}`;
				const store = await lab.bed.open({ stateBytes: 8_000_000 });
				const session = store.session(id);
				await session.call({ key: undefined, tool: 'fill', args: {} }, (state) => {
					state['text'] = 'x'.repeat(3_000_000);
				});
				await session.evict();
				await need(lab.bed.sql)(id, statement);
				await refused(look(session), 'session-damaged');
				await refused(session.read(), 'session-damaged');
				await lab.bed.kill();
			}
		}).timeout(30_000);

		it('of a state that nobody needs for a call is found when it is asked for', async () => {
			const store = await lab.bed.open();
			const session = store.session('a');
			for (let count = 0; count < 3; count++) await add(session, 1);
			await session.evict();
			const [row] = await need(lab.bed.sql)('a', 'SELECT place, state FROM checkpoints WHERE seq = 2');
			await need(lab.bed.sql)(
				'a',
				'UPDATE checkpoints SET state = ? WHERE place = ?',
				flipped(row!['state']!),
				row!['place']!,
			);
			await refused(session.stateAt(2), 'session-damaged');
			assert.deepEqual(await session.stateAt(3), { seq: 3, state: { count: 3 } });
			assert.deepEqual(await session.stateAt(1), { seq: 1, state: { count: 1 } });
		});
	});
}

type Sql = (sql: string, ...parameters: SqlValue[]) => Promise<readonly SqlRow[]>;

/** A session of three checkpoints is damaged; another is not. */
async function damaged(lab: Lab, damage: (sql: Sql) => Promise<void>): Promise<void> {
	let store = await lab.bed.open();
	for (let count = 1; count <= 3; count++) await add(store.session('b'), 1, { key: `k${count}` });
	await lab.bed.kill();
	store = await lab.bed.open();
	for (let count = 1; count <= 3; count++) await add(store.session('a'), 1, { key: `k${count}` });
	await store.session('a').evict();
	const sql: Sql = (...statement) => need(lab.bed.sql)('a', ...statement);
	const [number] = await sql("SELECT number FROM sessions WHERE id = 'a'");
	const ofSession = Number(number!['number']);
	// The other session's rows may be in the same table.
	await damage((text, ...parameters) =>
		sql(text.replace('WHERE seq', `WHERE place / 256 = ${ofSession} AND seq`), ...parameters),
	);
	const rows = 'SELECT * FROM checkpoints ORDER BY place';
	const before = await sql(rows);
	await check(store);
	await lab.bed.kill();
	store = await lab.bed.open();
	await check(store);
	assert.deepEqual(await sql(rows), before.length === 3 ? before : await others(sql, before, ofSession));
}

/** The rows of now where the other session goes on, and those of before for the damaged one. */
async function others(sql: Sql, before: readonly SqlRow[], ofSession: number): Promise<readonly SqlRow[]> {
	const isDamaged = (row: SqlRow): boolean => Math.floor(Number(row['place']) / 256) === ofSession;
	const now = await sql('SELECT * FROM checkpoints ORDER BY place');
	const kept = [...before.filter(isDamaged), ...now.filter((row) => !isDamaged(row))];
	return kept.sort((left, right) => Number(left['place']) - Number(right['place']));
}

async function check(store: SessionStore): Promise<void> {
	const found: DamageFound[] = [];
	store.onDidFindDamage((damage) => found.push(damage));
	const session = store.session('a');
	let runs = 0;
	const error = await refused(
		session.call({ key: 'new', tool: 'run', args: {} }, () => void runs++),
		'session-damaged',
	);
	assert.equal(error.sessionId, 'a');
	assert.equal(error.isRetryable, false);
	await refused(add(session, 1, { key: 'k1' }), 'session-damaged');
	await refused(session.read(), 'session-damaged');
	await session.evict();
	await refused(look(session), 'session-damaged');
	assert.equal(runs, 0);
	assert.ok(found.length > 0 && found.every(({ sessionId, reason }) => sessionId === 'a' && reason.endsWith('.')));
	const count = await look(store.session('b'));
	assert.equal(count, 3);
	assert.equal(await add(store.session('b'), 1, { key: 'k1' }), 1);
	const isDamaged = new Map((await store.sessions()).map((summary) => [summary.id, summary.isDamaged]));
	assert.deepEqual(
		isDamaged,
		new Map([
			['a', true],
			['b', false],
		]),
	);
}

/** One bit of it is another. */
function flipped(value: SqlValue): SqlValue {
	assert.ok(typeof value === 'string' || value instanceof Uint8Array);
	const bytes = Buffer.from(value);
	const middle = Math.floor(bytes.length / 2);
	bytes[middle] = bytes[middle]! ^ 1;
	return typeof value === 'string' ? bytes.toString() : new Uint8Array(bytes);
}
