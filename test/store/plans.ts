import fc from 'fast-check';
import type { CallStep, Happening, Plan, PlannedFault, Step } from './simulation.ts';

const session = fc.constantFrom('a', 'a', 'a', 'a', 'a', 'b');

const callStep: fc.Arbitrary<CallStep> = fc.record({
	kind: fc.constant('call' as const),
	session,
	call: fc.record({
		key: fc.constantFrom(undefined, 'k1', 'k2', 'k3', 'k4', 'k5'),
		tool: fc.constantFrom('add' as const, 'add' as const, 'set' as const, 'look' as const),
		// Few, so that keys meet again with the same arguments and with others.
		number: fc.integer({ min: 1, max: 2 }),
	}),
	manner: fc.constantFrom(
		...([
			'waits',
			'waits',
			'waits',
			'at once',
			'at once',
			'throws',
			'throws',
			'endless',
			'late',
			'not storable',
		] as const),
	),
	isDoubled: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
	isAlongside: fc.boolean(),
});

const step: fc.Arbitrary<Step> = fc.oneof(
	{ weight: 8, arbitrary: callStep },
	{ weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('read' as const, 'evict' as const), session }) },
);

function happening(...kinds: Happening['kind'][]): fc.Arbitrary<Happening> {
	return fc.record({ atStep: fc.nat(150), kind: fc.constantFrom(...kinds) });
}

const atOperation = fc.nat(40);
const fault: fc.Arbitrary<PlannedFault> = fc.oneof(
	fc.record({
		atOperation,
		at: fc.constantFrom('start' as const, 'middle' as const, 'commit' as const),
		code: fc.constantFrom('io' as const, 'full' as const),
	}),
	fc.record({
		atOperation,
		at: fc.constant('acknowledgement' as const),
		code: fc.constantFrom('io' as const, 'closed' as const),
	}),
);

export function planOf(
	happenings: fc.Arbitrary<readonly Happening[]>,
	faults: fc.Arbitrary<readonly PlannedFault[]>,
	keptCalls: fc.Arbitrary<number> = fc.constant(128),
): fc.Arbitrary<Plan> {
	return fc.record({
		seed: fc.noShrink(fc.integer()),
		eviction: fc.constantFrom('always' as const, 'never' as const, { idleMs: 4 }),
		callers: fc.array(fc.array(step, { minLength: 1, maxLength: 7 }), { minLength: 1, maxLength: 3, size: '+1' }),
		happenings,
		faults,
		keptCalls,
	});
}

/** Many who share a session. */
export function crowdOf(callers: number): fc.Arbitrary<Plan> {
	return fc
		.tuple(
			planOf(owners, faults),
			fc.array(fc.array(step, { minLength: 3, maxLength: 3 }), { minLength: callers, maxLength: callers }),
		)
		.map(([plan, crowd]) => ({ ...plan, callers: crowd }));
}

export const nothing = fc.constant([]);
const evictions = fc.array(
	happening('memory is taken', 'memory is taken by force', 'memory is taken by force', 'caller dies'),
	{ maxLength: 15 },
);
export const owners = fc.array(
	happening(
		'owner is killed',
		'owner is stopped and replaced',
		'owner is replaced',
		'all wake',
		'clock jumps on',
		'clock jumps back',
	),
	{ maxLength: 10 },
);
export const everything = fc.tuple(evictions, owners).map((both) => both.flat());
export const faults = fc.array(fault, { minLength: 1, maxLength: 4 });

/** Whoever was replaced and does not know it may have kept a reply that the new owner has let go: few only where nobody is. */
const fewOrMany = fc.constantFrom(128, 2, 1);

export const worlds: readonly { readonly title: string; readonly plan: fc.Arbitrary<Plan> }[] = [
	{
		title: 'callers meet, tools throw or never end, and memory is taken',
		plan: planOf(evictions, nothing, fewOrMany),
	},
	{ title: 'owners are killed, stopped, replaced and wake, and clocks jump', plan: planOf(owners, nothing) },
	{ title: 'the disk is full, fails, and does not say whether it wrote', plan: planOf(nothing, faults, fewOrMany) },
	{ title: 'all of it happens at once', plan: planOf(everything, faults) },
];
