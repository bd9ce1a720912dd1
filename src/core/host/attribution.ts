import { agentId, mainAgentId, sessionId, toolUseId } from '../base/ids.ts';
import type { SessionId, ToolUseId } from '../base/ids.ts';
import type { Disposable } from '../base/lifecycle.ts';
import type { ConnectionIdentity } from './agentIdentity.ts';
import { claudeCode } from './hooks/claudeCodeHooks.ts';
import { record, text } from './hooks/hookFacts.ts';
import type { HookFacts, Json } from './hooks/hookFacts.ts';
import type { HostClock } from './ports.ts';

/** Who makes a call, in the same ids that the agent's transcript has. What is not known is `undefined`, and never guessed. */
export interface CallOrigin extends ConnectionIdentity {
	readonly toolUseId: ToolUseId | undefined;
}

/** A call whose origin is not complete yet; disposing it says that nobody wants to know any more. */
export interface AttributedCall extends Disposable {
	/** As far as it is known now. */
	readonly origin: CallOrigin;
}

/** The ids of the transcript formats, which make a part of the session ids. */
const codex = 'codex';
const vsCode = 'vscode';

/** A call may wait for a person's permission after its hook has come, and a person may be at lunch. */
const memoryMs = 4 * 60 * 60 * 1000;
const memorySize = 20_000;
/** Of one tool use id; more than one is an accident already. */
const mostPerId = 16;

/**
 * Says who makes a call, from what is on the wire and what an agent's hooks have told.
 *
 * Codex says it all in `_meta`, VS Code its conversation. Claude Code sends the tool use id alone, over one connection for the whole
 * session; which of its agents that is, its hook says a few milliseconds before the call, or, when the hook is held up, after it.
 */
export class Attribution {
	/** What hooks have told of a tool use. Providers make the ids unique, but a recorded or forked conversation brings them again. */
	private readonly told: Bounded<ToolUseId, Map<SessionId, ConnectionIdentity>>;
	private readonly waiting: Bounded<ToolUseId, Set<Waiting>>;
	/** The sessions that a client has left while its connections live on, as `/clear` and `/resume` do. */
	private readonly ended: Bounded<SessionId, true>;

	constructor(clock: Pick<HostClock, 'elapsed'>) {
		this.told = new Bounded(clock);
		this.waiting = new Bounded(clock);
		this.ended = new Bounded(clock);
	}

	/**
	 * Who makes a call.
	 * @param meta `params._meta` of the request, `undefined` where it has none.
	 * @param onLearn Called when a later hook tells more, with all that is known then.
	 */
	wire(meta: Json | undefined, identity: ConnectionIdentity, onLearn: (origin: CallOrigin) => void): AttributedCall {
		const said = meta === undefined ? nothingSaid : (codexOrigin(meta) ?? vsCodeOrigin(meta) ?? claudeOrigin(meta));
		const id = said.toolUseId;
		// Only Claude Code leaves a part of the answer to its hooks.
		if (id === undefined || !said.isToldByHooks) {
			return { origin: this.merged(said, undefined, identity), dispose() {} };
		}
		const facts = this.factsOf(id, identity);
		const origin = this.merged(said, facts, identity);
		const entries = this.waiting.get(id) ?? new Set();
		if (facts !== undefined || entries.size >= mostPerId) return { origin, dispose() {} };
		const entry: Waiting = { said, identity, onLearn };
		entries.add(entry);
		this.waiting.set(id, entries);
		return {
			origin,
			dispose: () => {
				entries.delete(entry);
				if (entries.size === 0 && this.waiting.get(id) === entries) this.waiting.delete(id);
			},
		};
	}

	/** Takes in what a hook event says. */
	learn(facts: Pick<HookFacts, 'event' | 'sessionId' | 'agentId' | 'toolUseId'>): void {
		const { sessionId: session, toolUseId: id } = facts;
		// Subagents of a session that was left go on and have hooks; only a person brings the session back.
		if (facts.event === 'SessionEnd') this.ended.set(session, true);
		else if (facts.event === 'SessionStart' || facts.event === 'UserPromptSubmit') this.ended.delete(session);
		if (id === undefined) return;
		const sessions = this.told.get(id) ?? new Map<SessionId, ConnectionIdentity>();
		if (sessions.size < mostPerId) sessions.set(session, { sessionId: session, agentId: facts.agentId });
		this.told.set(id, sessions);
		const waiting = this.waiting.get(id);
		if (waiting === undefined) return;
		for (const entry of waiting) {
			const learnt = this.factsOf(id, entry.identity);
			if (learnt === undefined) continue;
			waiting.delete(entry);
			entry.onLearn(this.merged(entry.said, learnt, entry.identity));
		}
		if (waiting.size === 0) this.waiting.delete(id);
	}

	/** What hooks have told of this tool use on a connection of this identity. */
	private factsOf(id: ToolUseId, identity: ConnectionIdentity): ConnectionIdentity | undefined {
		const sessions = this.told.get(id);
		if (sessions === undefined) return undefined;
		const connected = identity.sessionId;
		if (connected !== undefined) {
			const own = sessions.get(connected);
			if (own !== undefined) return own;
			// Of another session; that is this connection's only where the client is known to have left the one it began with.
			if (this.ended.get(connected) === undefined) return undefined;
		}
		// Of two sessions that use one id, a connection that names none may be either's.
		return sessions.size === 1 ? [...sessions.values()][0] : undefined;
	}

	private merged(said: CallOrigin, facts: ConnectionIdentity | undefined, identity: ConnectionIdentity): CallOrigin {
		const connected =
			identity.sessionId === undefined || this.ended.get(identity.sessionId) !== undefined
				? undefined
				: identity.sessionId;
		return {
			// A person who gave an agent its own address meant that name.
			agentId: identity.agentId ?? said.agentId ?? facts?.agentId,
			// The connection knows the session that it began in; the call, the one it belongs to.
			sessionId: said.sessionId ?? facts?.sessionId ?? connected,
			toolUseId: said.toolUseId,
		};
	}
}

interface Waiting {
	readonly said: CallOrigin;
	readonly identity: ConnectionIdentity;
	readonly onLearn: (origin: CallOrigin) => void;
}

interface Said extends CallOrigin {
	readonly isToldByHooks: boolean;
}

const nothingSaid: Said = { agentId: undefined, sessionId: undefined, toolUseId: undefined, isToldByHooks: false };

/** Codex: `threadId`, `sessionId` (the root thread's id) and `callId`, and the same again, with the parent, for a turn's model. */
function codexOrigin(meta: Json): Said | undefined {
	const turn = record(meta['x-codex-turn-metadata']);
	const thread = text(meta['threadId']) ?? text(turn?.['thread_id']);
	if (thread === undefined) return undefined;
	const session = text(meta['sessionId']) ?? text(turn?.['session_id']);
	const parent = text(turn?.['parent_thread_id']);
	// As the transcripts have it: a thread without a parent is its own root, whatever session a person forked it from.
	const root = turn !== undefined && parent === undefined ? thread : session;
	return {
		sessionId: root === undefined ? undefined : sessionId(codex, root),
		agentId:
			root === undefined
				? parent === undefined
					? undefined
					: agentId(thread)
				: thread === root
					? mainAgentId
					: agentId(thread),
		toolUseId: idOf(text(meta['callId'])),
		isToldByHooks: false,
	};
}

/** VS Code names the conversation, and of the agents in it none. */
function vsCodeOrigin(meta: Json): Said | undefined {
	const conversation = text(meta['vscode.conversationId']);
	return conversation === undefined
		? undefined
		: {
				sessionId: sessionId(vsCode, conversation),
				agentId: undefined,
				toolUseId: undefined,
				isToldByHooks: false,
			};
}

function claudeOrigin(meta: Json): Said {
	const id = text(meta['claudecode/toolUseId']);
	if (id === undefined) return nothingSaid;
	// The names of these two are in the program; it does not send them yet.
	const session = text(meta['claudecode/sessionId']);
	const agent = text(meta['claudecode/agentId']);
	return {
		sessionId: session === undefined ? undefined : sessionId(claudeCode, session),
		agentId: agent === undefined ? undefined : agentId(agent),
		toolUseId: toolUseId(id),
		isToldByHooks: true,
	};
}

function idOf(value: string | undefined): ToolUseId | undefined {
	return value === undefined ? undefined : toolUseId(value);
}

/** A map that forgets what is old, and the oldest when there is too much. */
class Bounded<K, V> {
	private readonly clock: Pick<HostClock, 'elapsed'>;
	/** In the order in which they were set. */
	private readonly entries = new Map<K, { readonly value: V; readonly at: number }>();

	constructor(clock: Pick<HostClock, 'elapsed'>) {
		this.clock = clock;
	}

	get(key: K): V | undefined {
		const entry = this.entries.get(key);
		return entry !== undefined && this.clock.elapsed() - entry.at < memoryMs ? entry.value : undefined;
	}

	set(key: K, value: V): void {
		this.entries.delete(key);
		this.entries.set(key, { value, at: this.clock.elapsed() });
		for (const [oldest, { at }] of this.entries) {
			if (this.entries.size <= memorySize && this.clock.elapsed() - at < memoryMs) break;
			this.entries.delete(oldest);
		}
	}

	delete(key: K): void {
		this.entries.delete(key);
	}
}
