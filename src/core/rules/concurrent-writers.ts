import { agentName } from '../conversation/index.ts';
import type { Agent, BranchReturn } from '../conversation/index.ts';
import { defineRule } from './rule.ts';

export default defineRule({
	id: 'concurrent-writers',
	meta: {
		description: 'One process at a time writes to a conversation.',
		family: 'concurrency',
		severity: 'error',
		messages: {
			twoWriters:
				'Two have written to the conversation of {{agent}} at the same time: this was written while another turn was in progress, and each went on without what the other had written, {{times}} times in turn. The conversation as it stands holds only one of the two; what the other did the model does not know.',
			left: 'A turn was in progress here.',
			goesOn: 'That turn went on here, without what was written in between.',
			otherGoesOn: 'And here the other one went on, without that.',
		},
	},
	create(context) {
		return {
			agent(agent) {
				const overlaps = overlapsOf(agent);
				const [first] = overlaps;
				// What was on its way when a client began a run anew still comes, once.
				if (first === undefined || overlaps.length < fewestOverlaps) return;
				const { one, other } = first;
				context.report({
					at: one.other.place,
					messageId: 'twoWriters',
					data: { agent: agentName(agent), times: overlaps.length + 1 },
					agent,
					related: [
						{ at: one.left.place, messageId: 'left' },
						{ at: one.next.place, messageId: 'goesOn' },
						{ at: other.next.place, messageId: 'otherGoesOn' },
					],
				});
			},
		};
	},
});

const fewestOverlaps = 2;

interface Overlap {
	readonly one: BranchReturn;
	readonly other: BranchReturn;
}

/**
 * Two returns in a row to two branches in turn, each in the middle of a turn. A person who goes back and forth between branches, or a
 * program that explores them, begins with a prompt each time: nothing is in progress then.
 */
function overlapsOf({ branchReturns }: Agent): readonly Overlap[] {
	const overlaps: Overlap[] = [];
	for (const [index, one] of branchReturns.entries()) {
		const other = branchReturns[index + 1];
		if (other === undefined) break;
		if (other.left !== one.other || one.next.kind !== 'response' || other.next.kind !== 'response') continue;
		overlaps.push({ one, other });
	}
	return overlaps;
}
