import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { QueryError, changeFilters, nextPage } from '../../examples/analytics-server/analytics.ts';
import type { AnalyticsState, Filter, Page, PageRequest } from '../../examples/analytics-server/analytics.ts';
import { callersSession, idempotencyKey } from '../../examples/analytics-server/caller.ts';
import { readStrikes } from '../../examples/analytics-server/strikes.ts';
import type { DataSet } from '../../examples/analytics-server/strikes.ts';

const usual: PageRequest = { pageSize: 200, groupBy: undefined, measure: undefined, isReset: false };

describe('the rows of the analytics server', () => {
	it('are the 10,000 of the data set, with numbers where there are numbers', async () => {
		const { strikes, version } = await readStrikes();
		assert.equal(strikes.length, 10_000);
		assert.match(version, /^[0-9a-f]{16}$/);
		assert.deepEqual(strikes[0], {
			row: 0,
			airport: 'BARKSDALE AIR FORCE BASE ARPT',
			aircraft: 'T-38A',
			damage: 'None',
			date: '1990-01-08',
			operator: 'MILITARY',
			state: 'Louisiana',
			phase: 'Climb',
			size: 'Large',
			species: 'Turkey vulture',
			time: 'Day',
			costOther: 0,
			costRepair: 0,
			cost: 0,
			speed: 300,
		});
		assert.equal(strikes.filter(({ speed }) => speed === null).length, 2836);
		assert.ok(strikes.every(({ row, cost, date }, index) => row === index && cost !== null && date.length === 10));
	});
});

describe('a page', () => {
	let data: DataSet;

	before(async () => {
		data = await readStrikes();
	});

	it('leaves behind what the README says is kept, by code that is as the README has it', () => {
		const page = readFileSync('examples/analytics-server/README.md', 'utf8');
		const blocks = [...page.matchAll(/```(\w+)\n(.*?)\n```/gsu)].map(([, language, text = '']) => ({
			language,
			text,
		}));
		const kept = blocks.find(({ language, text }) => language === 'json' && text.includes('dataVersion'));
		const state = newState();
		const large: Filter = { column: 'size', is: 'equal', value: 'Large' };
		changeFilters(state, data, { add: [large], isCleared: false });
		for (let number = 0; number < 2; number++) nextPage(state, data, { ...usual, pageSize: 50, groupBy: 'time' });
		assert.deepEqual(JSON.parse(kept?.text ?? ''), state);
		const sources = ['tools.ts', 'openStore.ts']
			.map((name) => readFileSync(`examples/analytics-server/${name}`, 'utf8'))
			.join();
		const lines = blocks.filter(({ language }) => language === 'ts').flatMap(({ text }) => text.split('\n'));
		assert.equal(lines.length, 3);
		for (const line of lines) assert.ok(sources.includes(line), line);
	});

	it('follows the one before, until each row was given once', () => {
		const { rows, last } = readAll(newState(), data, { ...usual, pageSize: 199 });
		assert.deepEqual(
			rows,
			data.strikes.map(({ row }) => row),
		);
		assert.deepEqual([last.page, last.delivered, last.matching], [51, 10_000, 10_000]);
	});

	it('adds up what was given so far, by group', () => {
		const { last } = readAll(newState(), data, { ...usual, groupBy: 'phase', measure: 'speed' });
		const phases = [...new Set(data.strikes.map(({ phase }) => phase))];
		const expected = phases.map((name) => {
			const strikes = data.strikes.filter(({ phase }) => phase === name);
			const speeds = strikes.flatMap(({ speed }) => (speed === null ? [] : [speed]));
			const sum = speeds.reduce((total, speed) => total + speed, 0);
			return { name, count: strikes.length, sum, mean: speeds.length === 0 ? null : sum / speeds.length };
		});
		assert.deepEqual(last.aggregates, { groupBy: 'phase', measure: 'speed', groups: expected });
	});

	it('has the mean of nothing as nothing', () => {
		const state = newState();
		changeFilters(state, data, { add: [{ column: 'speed', is: 'equal', value: null }], isCleared: true });
		const { aggregates } = nextPage(state, data, { ...usual, measure: 'speed' });
		assert.deepEqual(aggregates.groups, [{ name: null, count: 200, sum: 0, mean: null }]);
	});

	it('is empty after the last, and says so', () => {
		const state = newState();
		changeFilters(state, data, { add: [{ column: 'phase', is: 'equal', value: 'Taxi' }], isCleared: false });
		const { isDone } = nextPage(state, data, usual);
		const again = nextPage(state, data, usual);
		assert.deepEqual([isDone, again.isDone, again.rows, again.delivered], [true, true, [], 18]);
	});

	it('is the first one again after a reset, with the filters as they were', () => {
		const state = newState();
		changeFilters(state, data, { add: [{ column: 'cost', is: 'above', value: 0 }], isCleared: false });
		const first = nextPage(state, data, usual);
		nextPage(state, data, usual);
		assert.deepEqual(nextPage(state, data, { ...usual, isReset: true }), first);
	});

	it('is refused when it asks for other groups in the middle, and may after a reset', () => {
		const state = newState();
		nextPage(state, data, { ...usual, groupBy: 'phase' });
		const before = JSON.stringify(state);
		assert.throws(() => nextPage(state, data, { ...usual, groupBy: 'size' }), QueryError);
		assert.equal(JSON.stringify(state), before);
		nextPage(state, data, { ...usual, groupBy: 'size', isReset: true });
	});

	it('is refused when the data is not what the cursor was in', () => {
		const state = newState();
		nextPage(state, data, usual);
		assert.throws(() => nextPage(state, { ...data, version: 'another' }, usual), QueryError);
	});

	it('leaves a state that JSON gives back as it is', () => {
		const state = newState();
		changeFilters(state, data, {
			add: [{ column: 'size', is: 'one-of', value: ['Large', 'Small'] }],
			isCleared: false,
		});
		nextPage(state, data, { ...usual, groupBy: 'species' });
		assert.deepEqual(JSON.parse(JSON.stringify(state)), state);
	});
});

describe('a filter', () => {
	const kept: readonly [filter: Filter, keeps: number][] = [
		[{ column: 'phase', is: 'equal', value: 'Climb' }, 1956],
		[{ column: 'phase', is: 'not-equal', value: 'Climb' }, 8044],
		[{ column: 'size', is: 'one-of', value: ['Small', 'Medium'] }, 9256],
		[{ column: 'damage', is: 'one-of', value: [] }, 0],
		[{ column: 'operator', is: 'containing', value: 'military' }, 829],
		[{ column: 'cost', is: 'above', value: 0 }, 209],
		// Text is below no number, and nothing is below nothing.
		[{ column: 'cost', is: 'below', value: '5' }, 0],
		[{ column: 'speed', is: 'below', value: null }, 0],
	];
	for (const [filter, keeps] of kept) {
		it(`keeps ${keeps} rows: ${filter.column} ${filter.is} ${JSON.stringify(filter.value)}`, async () => {
			const changed = changeFilters(newState(), await readStrikes(), { add: [filter], isCleared: false });
			assert.equal(changed.matching, keeps);
		});
	}

	it('joins a chain, and begins the pages again', async () => {
		const data = await readStrikes();
		const state = newState();
		changeFilters(state, data, { add: [{ column: 'state', is: 'equal', value: 'Texas' }], isCleared: false });
		nextPage(state, data, usual);
		const since: Filter = { column: 'date', is: 'above', value: '2000-01-01' };
		const { filters, matching } = changeFilters(state, data, { add: [since], isCleared: false });
		assert.equal(filters.length, 2);
		assert.equal(
			matching,
			data.strikes.filter(({ state: name, date }) => name === 'Texas' && date > '2000-01-01').length,
		);
		assert.equal(nextPage(state, data, usual).page, 1);
	});

	it('is refused with a list where one value belongs, and when the chain is too long', async () => {
		const data = await readStrikes();
		const refuse = (add: Filter[]) =>
			assert.throws(() => changeFilters(newState(), data, { add, isCleared: false }), QueryError);
		refuse([{ column: 'size', is: 'equal', value: ['Small'] }]);
		refuse([{ column: 'size', is: 'one-of', value: 'Small' }]);
		refuse(Array.from({ length: 21 }, () => ({ column: 'size', is: 'equal', value: 'Small' }) as const));
	});
});

describe('the caller', () => {
	it('is named by what its client sends, and by nothing else', () => {
		const headers = new Headers({ 'x-crosstalk-session': 'claude-code:5ca1ab1e' });
		assert.equal(callersSession({ meta: { threadId: 't1' }, headers: undefined }), 'codex:t1');
		assert.equal(callersSession({ meta: { 'vscode.conversationId': 'c1' }, headers }), 'vscode:c1');
		assert.equal(callersSession({ meta: {}, headers }), 'claude-code:5ca1ab1e');
		for (const meta of [{}, { threadId: '' }, { threadId: 7 }, { 'claudecode/toolUseId': 'toolu_1' }])
			assert.equal(callersSession({ meta, headers: undefined }), undefined);
		assert.equal(callersSession({ meta: {}, headers: new Headers() }), undefined);
	});

	it('gives its call a key by the id of the tool use', () => {
		assert.equal(idempotencyKey({ meta: { 'claudecode/toolUseId': 'toolu_1' }, headers: undefined }), 'toolu_1');
		assert.equal(idempotencyKey({ meta: { callId: 'call_1' }, headers: undefined }), 'call_1');
		assert.equal(idempotencyKey({ meta: { 'claudecode/toolUseId': '' }, headers: undefined }), undefined);
	});
});

/** As the store gives it: empty. */
function newState(): AnalyticsState {
	return {} as AnalyticsState; // what the code under test is told to expect
}

function readAll(state: AnalyticsState, data: DataSet, request: PageRequest): { rows: number[]; last: Page } {
	const rows: number[] = [];
	for (;;) {
		const last = nextPage(state, data, request);
		rows.push(...last.rows.map(({ row }) => row));
		if (last.isDone) return { rows, last };
	}
}
