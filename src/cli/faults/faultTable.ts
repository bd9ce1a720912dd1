import { singleLine, truncated } from '../../core/base/text.ts';
import type { FaultStatus, FaultTarget } from '../../core/host/faults/index.ts';
import { printable } from '../../core/report/index.ts';
import { table } from '../table.ts';

/** What is armed, for a person. */
export function faultTable(faults: readonly FaultStatus[]): string {
	const head = ['FAULT', 'WHAT', 'FOR', 'MATCHED', 'APPLIED', 'ARMED BY'];
	const rows = faults.map(({ id, description, target, matched, applied, armedBy, isKept }) => [
		id,
		printable(description),
		printable(targetText(target)),
		String(matched),
		String(applied),
		printable(isKept ? `${armedBy}, kept` : armedBy),
	]);
	const problems = faults.flatMap(({ id, problem }) =>
		problem === undefined
			? []
			: [`${id} could not be applied: ${printable(truncated(singleLine(problem), 300))}\n`],
	);
	return [table(head, rows), ...problems].join('');
}

function targetText(target: FaultTarget): string {
	return target.kind === 'session' ? target.sessionId : target.source;
}
