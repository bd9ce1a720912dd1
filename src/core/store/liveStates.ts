import { SmallMap } from '../base/smallMap.ts';
import type { SessionState } from './sessionStore.ts';

export interface LiveState {
	/** Which state it is, as the half beside the database names it. */
	readonly stateId: string;
	readonly state: SessionState;
	/** Of its JSON. */
	readonly characters: number;
}

/** Of all together. As objects they take several times as much. */
const mostCharacters = 64 * 1024 * 1024;

/** What calls have left, as objects, so that the next ones need not read it from text. The ones used last are kept. */
export class LiveStates {
	private readonly states = new SmallMap<string, LiveState>();
	private characters = 0;

	get(sessionId: string): LiveState | undefined {
		return this.states.get(sessionId);
	}

	put(sessionId: string, live: LiveState): void {
		this.delete(sessionId);
		this.states.set(sessionId, live);
		this.characters += live.characters;
		while (this.characters > mostCharacters) {
			const oldest = this.states.oldest();
			if (oldest === undefined) return;
			this.delete(oldest);
		}
	}

	delete(sessionId: string): void {
		const live = this.states.get(sessionId);
		if (live === undefined) return;
		this.states.delete(sessionId);
		this.characters -= live.characters;
	}

	clear(): void {
		this.states.clear();
		this.characters = 0;
	}
}
