// The agents of sessions that run: whoever is seen making a call, and whoever a transcript tells of.

import type { AgentId, SessionId } from '../core/base/ids.ts';
import { agentId, mainAgentId, storedSessionId } from '../core/base/ids.ts';
import type { Disposable } from '../core/base/lifecycle.ts';
import { agentName, agentsInOrder } from '../core/conversation/index.ts';
import type { HeldCall, NamedAgent } from '../core/debug/index.ts';
import type { HostStatus } from '../core/host/status.ts';
import type { AgentKey, DebuggedAgent } from './debugTarget.ts';
import type { LiveTranscripts } from './liveTranscripts.ts';

export interface LiveAgentsOptions {
	readonly transcripts: Pick<LiveTranscripts, 'read'>;
	readonly onDidStart: (agent: DebuggedAgent) => void;
	readonly onDidEnd: (agent: DebuggedAgent) => void;
	/** Their transcripts tell what they are called; again, when that is something else. */
	readonly onDidName: (agents: readonly NamedAgent[]) => void;
	readonly onError: (error: unknown) => void;
}

interface Known {
	readonly key: AgentKey;
	readonly sessionId: SessionId | null;
	readonly agentId: AgentId | null;
	name: string;
	/** By its transcript, as it was told last. */
	toldName: string | undefined;
	/** How many of its calls are held; one that nobody knows is there for as long as it has one. */
	held: number;
}

/** A transcript is read when something happens, but not more often than this. */
const readEveryMs = 250;
/** And now and then while nothing is told: agents write down who they are a moment after they have begun, and when they have ended. */
const lookEveryMs = 1000;

export class LiveAgents implements Disposable {
	private readonly options: LiveAgentsOptions;
	/** In the order in which they were met. */
	private readonly known = new Map<AgentKey, Known>();
	/** Those that have ended, by their transcripts: a host may still count a call of theirs. */
	private readonly ended = new Set<AgentKey>();
	/** Those that have ended, and whole sessions, by their hooks: transcripts tell of that later, or never. */
	private readonly gone = new Set<AgentKey>();
	private readonly goneSessions = new Set<SessionId>();
	private readonly reading = new Map<SessionId, { timer: NodeJS.Timeout | undefined; isDue: boolean }>();
	private isDisposed = false;

	constructor(options: LiveAgentsOptions) {
		this.options = options;
	}

	/** Main agents first, each with its subagents in the order in which they came. */
	get list(): readonly DebuggedAgent[] {
		const sessions = [...new Set([...this.known.values()].map(({ sessionId }) => sessionId))];
		const rank = ({ agentId: id }: Known) => (id === mainAgentId ? 0 : 1);
		return sessions.flatMap((session) =>
			[...this.known.values()]
				.filter(({ sessionId }) => sessionId === session)
				.sort((one, other) => rank(one) - rank(other))
				.map((known) => this.shown(known)),
		);
	}

	get(key: AgentKey): DebuggedAgent | undefined {
		const known = this.known.get(key);
		return known === undefined ? undefined : this.shown(known);
	}

	nameOf(sessionId: SessionId | null, id: AgentId | null): string {
		return this.get(keyOf(sessionId, id))?.name ?? (id === mainAgentId ? 'main' : (id ?? 'unknown agent'));
	}

	/** An agent has started, by its hooks, or goes on. */
	begin(sessionId: SessionId, id: AgentId, agentType: string | null): void {
		this.isThere(sessionId, id);
		this.add(sessionId, id, keyOf(sessionId, id), agentType ?? undefined);
		this.read(sessionId);
	}

	/** An agent has ended, by its hooks, or its whole session (`null`). One whose call is held goes when that is let go. */
	finish(sessionId: SessionId, id: AgentId | null): void {
		if (id === null) this.goneSessions.add(sessionId);
		else this.gone.add(keyOf(sessionId, id));
		for (const known of [...this.known.values()]) {
			if (known.sessionId !== sessionId || (id !== null && known.agentId !== id)) continue;
			this.gone.add(known.key);
			if (known.held === 0) this.remove(known);
		}
	}

	/** The agent of a call that is held. */
	meet(call: HeldCall): DebuggedAgent {
		const { sessionId, agentId: id, agentType, stopId } = call;
		// Of agents that nobody knows each call is an agent of its own: whether two of them are one, nobody knows either.
		const key = id === null ? `${sessionId ?? ''}/? ${stopId}` : keyOf(sessionId, id);
		if (sessionId !== null && id !== null) this.isThere(sessionId, id);
		const known = this.add(sessionId, id, key, agentType ?? undefined);
		known.held++;
		if (sessionId !== null) this.read(sessionId);
		return this.shown(known);
	}

	/** One of its calls is held no more. */
	resumed({ sessionId, agentId: id, stopId }: HeldCall): void {
		const key = id === null ? `${sessionId ?? ''}/? ${stopId}` : keyOf(sessionId, id);
		const known = this.known.get(key);
		if (known === undefined) return;
		known.held--;
		if (known.held === 0 && (id === null || this.gone.has(key))) this.remove(known);
	}

	/** @param sessions Those that are debugged; `null`: all. */
	follow(status: HostStatus, sessions: readonly SessionId[] | null): void {
		const touched = new Set<SessionId>();
		for (const call of status.calls) {
			if (call.sessionId === null || call.agentId === null) continue;
			const sessionId = storedSessionId(call.sessionId);
			if (sessions !== null && !sessions.includes(sessionId)) continue;
			const id = agentId(call.agentId);
			const key = keyOf(sessionId, id);
			if (this.ended.has(key) || this.isGone(sessionId, key)) continue;
			touched.add(sessionId);
			this.add(sessionId, id, key, undefined);
		}
		for (const known of this.known.values()) if (known.sessionId !== null) touched.add(known.sessionId);
		for (const sessionId of touched) this.read(sessionId);
	}

	dispose(): void {
		this.isDisposed = true;
		for (const { timer } of this.reading.values()) clearTimeout(timer);
	}

	/** An agent does something; who has started it is there too, though it may not have been heard of. */
	private isThere(sessionId: SessionId, id: AgentId): void {
		const main = keyOf(sessionId, mainAgentId);
		this.goneSessions.delete(sessionId);
		this.gone.delete(main);
		this.gone.delete(keyOf(sessionId, id));
		this.add(sessionId, mainAgentId, main, undefined);
	}

	private isGone(sessionId: SessionId, key: AgentKey): boolean {
		return this.gone.has(key) || this.goneSessions.has(sessionId);
	}

	private add(sessionId: SessionId | null, id: AgentId | null, key: AgentKey, name: string | undefined): Known {
		const before = this.known.get(key);
		if (before !== undefined) return before;
		const known: Known = {
			key,
			sessionId,
			agentId: id,
			name: id === mainAgentId ? 'main' : (name ?? id ?? 'unknown agent'),
			toldName: undefined,
			held: 0,
		};
		this.known.set(key, known);
		this.options.onDidStart(this.shown(known));
		return known;
	}

	private remove(known: Known): void {
		if (!this.known.delete(known.key)) return;
		this.options.onDidEnd(this.shown(known));
	}

	/** Soon, and again when something has happened meanwhile. */
	private read(sessionId: SessionId): void {
		const reading = this.reading.get(sessionId);
		if (reading !== undefined) {
			reading.isDue = true;
			return;
		}
		const entry = { timer: undefined as NodeJS.Timeout | undefined, isDue: false };
		this.reading.set(sessionId, entry);
		void this.readNow(sessionId)
			.catch(this.options.onError)
			.finally(() => {
				if (this.isDisposed) return;
				entry.timer = setTimeout(() => this.readAgain(sessionId, entry), readEveryMs);
			});
	}

	private readAgain(sessionId: SessionId, entry: { timer: NodeJS.Timeout | undefined; isDue: boolean }): void {
		const again = () => {
			this.reading.delete(sessionId);
			if (this.isWatched(sessionId)) this.read(sessionId);
		};
		if (entry.isDue) again();
		else entry.timer = setTimeout(again, lookEveryMs - readEveryMs);
	}

	private isWatched(sessionId: SessionId): boolean {
		return [...this.known.values()].some((known) => known.sessionId === sessionId);
	}

	private async readNow(sessionId: SessionId): Promise<void> {
		const conversation = await this.options.transcripts.read(sessionId);
		if (conversation === undefined || this.isDisposed) return;
		const named: NamedAgent[] = [];
		for (const agent of agentsInOrder(conversation)) {
			const key = keyOf(sessionId, agent.id);
			const known = this.known.get(key);
			if (known === undefined && this.isGone(sessionId, key)) continue;
			// One whose call is held has not ended, whatever its files say.
			if (agent.ended !== undefined && (known?.held ?? 0) === 0) {
				this.ended.add(key);
				if (known !== undefined) this.remove(known);
				continue;
			}
			this.ended.delete(key);
			const name = agentName(agent);
			const added = this.add(sessionId, agent.id, key, name);
			if (added.toldName !== name) {
				added.toldName = name;
				// Who is called by its id is known by that.
				if (name !== agent.id) named.push({ sessionId, agentId: agent.id, name });
			}
			if (added.name === name) continue;
			added.name = name;
			// Told again, so that it is shown by its name.
			this.options.onDidStart(this.shown(added));
		}
		if (named.length > 0) this.options.onDidName(named);
	}

	private shown({ key, sessionId, agentId: id, name }: Known): DebuggedAgent {
		const sessions = new Set([...this.known.values()].map((known) => known.sessionId));
		const session = sessions.size > 1 ? ` · ${shortSession(sessionId)}` : '';
		return { key, sessionId, agentId: id, name: `${name}${session}` };
	}
}

function keyOf(sessionId: SessionId | null, id: AgentId | null): AgentKey {
	return `${sessionId ?? ''}/${id ?? '?'}`;
}

/** `claude-code 26f2dd86`. */
function shortSession(sessionId: SessionId | null): string {
	if (sessionId === null) return 'unknown session';
	const at = sessionId.indexOf(':');
	return `${sessionId.slice(0, at)} ${sessionId.slice(at + 1, at + 9)}`;
}
