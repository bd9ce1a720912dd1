import { commands } from 'vscode';
import { DisposableStore } from '../core/base/lifecycle.ts';
import type { Disposable } from '../core/base/lifecycle.ts';
import { counted } from '../core/base/text.ts';
import type { FaultStatus } from '../core/host/faults/index.ts';
import type { HostConnection } from './hostConnection.ts';
import { contextKeys } from './ids.ts';
import type { Mark } from './markedTree.ts';

/** A view that can be marked. */
export interface MarkedView {
	set mark(mark: Mark | undefined);
}

/** As long as something is armed to go wrong on purpose, every view says so above its rows, in red: nobody is to take it for a real failure. */
export function markFaults(connection: HostConnection, views: readonly MarkedView[]): Disposable {
	const disposables = new DisposableStore();
	let hasFaults = false;
	const show = (mark: Mark | undefined) => {
		for (const view of views) view.mark = mark;
		if (hasFaults === (mark !== undefined)) return;
		hasFaults = mark !== undefined;
		void commands.executeCommand('setContext', contextKeys.hasFaults, hasFaults);
	};
	const update = () => show(markOf(connection.status?.faults ?? []));
	disposables.add(connection.onDidChange(update));
	disposables.add({ dispose: () => show(undefined) });
	update();
	return disposables;
}

function markOf(faults: readonly FaultStatus[]): Mark | undefined {
	const [first, ...more] = faults;
	if (first === undefined) return undefined;
	const applied = faults.reduce((sum, fault) => sum + fault.applied, 0);
	const appliedWords = applied === 0 ? 'not applied yet' : `applied ${counted(applied, 'time')}`;
	const label = `${counted(faults.length, 'fault')} armed`;
	const description = `${first.description}${more.length === 0 ? '' : ` and ${more.length} more`} · ${appliedWords}`;
	return {
		label,
		description,
		spoken: `${label} on purpose: ${description}.`,
		tooltip: [
			'Things go wrong on purpose:',
			...faults.map(({ description: what, target, applied: times, problem }) => {
				const whom = target.kind === 'session' ? target.sessionId : target.source;
				return `${what}, for ${whom}: applied ${counted(times, 'time')}${problem === undefined ? '' : `. ${problem}`}`;
			}),
		].join('\n'),
	};
}
