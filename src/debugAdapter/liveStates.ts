import type { HeldCall } from '../core/debug/index.ts';
import type { StoredCallReader } from '../core/store/storedCalls.ts';
import type { Section } from './debugTarget.ts';

/**
 * The state of the session that a held call's server keeps in the session store: after the call, where it was made; else as the last call of
 * the same agent has left it.
 * @param earlier The agent's calls, by their tool use ids.
 */
export function stateSection(call: HeldCall, earlier: readonly string[], read: StoredCallReader): Section {
	return {
		name: 'Session state',
		isExpensive: true,
		read: async () => {
			const own: readonly string[] = call.toolUseId === null ? [] : [call.toolUseId];
			const stored = await read(new Set([...earlier, ...own]));
			const after = stored.find(({ key }) => key !== undefined && own.includes(key));
			if (after !== undefined) return after.state ?? notKept;
			// Calls of an agent may go to several sessions: the one that the latest went to.
			const rank = ({ key }: { readonly key: string | undefined }) =>
				key === undefined ? -1 : earlier.indexOf(key);
			const latest = stored.reduce<(typeof stored)[number] | undefined>(
				(best, next) => (rank(next) > (best === undefined ? -1 : rank(best)) ? next : best),
				undefined,
			);
			// Others may have changed it since.
			return stored.findLast(({ sessionId }) => sessionId === latest?.sessionId)?.state ?? noState;
		},
	};
}

const noState = 'The session store knows of no state that calls of this agent have worked on.';
const notKept = 'The store keeps the states of the latest calls only, and this one is not among them.';
