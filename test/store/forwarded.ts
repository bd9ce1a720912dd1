import type { StoreTurns } from '../../src/core/store/createTurns.ts';

/** The members of the interface, of an object that may be a class's. */
export function forwarded(turns: StoreTurns): StoreTurns {
	return {
		generation: turns.generation,
		onDidHappen: turns.onDidHappen,
		begin: (request) => turns.begin(request),
		commit: (end) => turns.commit(end),
		abort: (turnId) => turns.abort(turnId),
		sessions: () => turns.sessions(),
		read: (sessionId) => turns.read(sessionId),
		checkpoints: (sessionId) => turns.checkpoints(sessionId),
		stateAt: (sessionId, seq) => turns.stateAt(sessionId, seq),
		evict: (sessionId, isForced) => turns.evict(sessionId, isForced),
		close: () => turns.close(),
	};
}
