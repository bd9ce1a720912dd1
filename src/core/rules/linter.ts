import type { AgentId, SessionId } from '../base/ids.ts';
import { callState, laterTurn } from '../conversation/index.ts';
import type {
	Agent,
	Changes,
	Compaction,
	Conversation,
	Damage,
	OrphanCause,
	Place,
	Result,
	ToolCall,
} from '../conversation/index.ts';
import type { ScopeSettings } from '../scope/index.ts';
import { clientOf } from './clients.ts';
import type { Client } from './clients.ts';
import { rules as allRules } from './index.ts';
import type { Data, Report, Rule, RuleContext, RuleVisitor, Severity } from './rule.ts';

export interface Diagnostic {
	readonly ruleId: string;
	readonly severity: Severity;
	readonly message: string;
	readonly place: Place;
	readonly sessionId: SessionId;
	readonly agentId: AgentId | undefined;
	readonly toolUseId: string | undefined;
	readonly toolName: string | undefined;
	readonly cause: OrphanCause | undefined;
	readonly related: readonly RelatedPlace[];
}

interface RelatedPlace {
	readonly place: Place;
	readonly message: string;
	/** No word of the rule's: somebody has wanted this to go wrong. */
	readonly isOnPurpose?: true;
}

/** Where a rule could not know. */
export interface Inconclusive {
	readonly ruleId: string;
	readonly place: Place;
	readonly message: string;
}

/** A rule's severity as a person set it; `off` silences it. */
export type RuleSettings = Readonly<Record<string, Severity | 'off'>>;

type Subject = ToolCall | Result | Agent | Compaction | Damage | Conversation | typeof time;

/** What is found because time has passed. */
const time = { passes: true } as const;

interface Findings {
	readonly diagnostics: Diagnostic[];
	readonly inconclusive: Inconclusive[];
}

/** What the rules want to see, by kind: most calls are visited by most rules and found in order. */
type Visits = { readonly [Kind in keyof RuleVisitor]-?: NonNullable<RuleVisitor[Kind]>[] };

function noVisits(): Visits {
	return {
		toolCall: [],
		serverCall: [],
		strayResult: [],
		agent: [],
		compaction: [],
		damage: [],
		conversation: [],
		time: [],
	};
}

/** Keeps the findings on one conversation up to date while it grows, looking again only at what a fold has changed. */
export class Linter {
	private readonly conversation: Conversation;
	private readonly settings: RuleSettings;
	private readonly scope: ScopeSettings;
	private readonly hasFile: (agent: AgentId) => boolean;
	private readonly found = new Map<Subject, Findings>();
	/** What the rules say of the item that they look at; most often nothing. */
	private current: Findings | undefined;
	private visits = noVisits();
	private key = '';
	/** The revision of the conversation at which it was looked at as a whole. */
	private wholeRevision = -1;
	private hasServerCalls = false;
	/** Epoch milliseconds; `undefined` while nobody says what time it is. */
	private now: number | undefined;

	/**
	 * @param scope What a person says of the scopes of tools.
	 * @param hasFile Whether there is a file of the agent, for which the conversation knows nothing of files that cannot be read.
	 */
	constructor(
		conversation: Conversation,
		settings: RuleSettings,
		scope: ScopeSettings,
		hasFile: (agent: AgentId) => boolean = () => false,
	) {
		this.hasFile = hasFile;
		this.conversation = conversation;
		this.settings = settings;
		this.scope = scope;
	}

	/** Looks at everything. */
	lintAll(): void {
		this.found.clear();
		this.prepare();
		const { conversation, visits } = this;
		for (const agent of conversation.agents.values()) {
			this.visit(agent, visits.agent);
			for (const call of agent.toolCalls) this.visitCall(call);
			for (const result of agent.strayResults) this.visit(result, visits.strayResult);
			for (const compaction of agent.compactions) this.visit(compaction, visits.compaction);
		}
		for (const damage of conversation.damage) this.visit(damage, visits.damage);
		this.wholeRevision = -1;
	}

	/** Looks again at what has changed. Returns whether any finding may be different. */
	update(changes: Changes): boolean {
		// A new version of the agent may treat a broken history differently, and damage excuses what stands around it: rare, so all is looked at again.
		if (this.prepare() || changes.damage.size > 0) {
			this.lintAll();
			return true;
		}
		const { visits } = this;
		let isChanged = false;
		// What holds for one agent can depend on whether others were read; there are few of them.
		for (const agent of this.conversation.agents.values()) {
			isChanged = this.visit(agent, visits.agent) || isChanged;
		}
		for (const call of changes.toolCalls) isChanged = this.visitCall(call) || isChanged;
		for (const result of changes.strayResults) {
			const isStray = result.agent.strayResults.has(result);
			isChanged = this.visit(result, isStray ? visits.strayResult : []) || isChanged;
		}
		for (const compaction of changes.compactions) {
			isChanged = this.visit(compaction, visits.compaction) || isChanged;
		}
		return isChanged || this.hasServerCalls || this.conversation.troubledCalls.size > 0;
	}

	/**
	 * Says what time it is: a call that runs for long is a finding without anything that happens. Core has no clock of its own.
	 * @param now Epoch milliseconds. Returns whether any finding is different.
	 */
	passTime(now: number): boolean {
		this.now = now;
		const before = this.said(time);
		this.visitTime();
		return this.said(time) !== before;
	}

	/** In the order of files and lines. */
	get diagnostics(): readonly Diagnostic[] {
		this.visitWhole();
		return [...this.found.values()].flatMap((findings) => findings.diagnostics).sort(byPlace);
	}

	get inconclusive(): readonly Inconclusive[] {
		this.visitWhole();
		return [...this.found.values()].flatMap((findings) => findings.inconclusive).sort(byPlace);
	}

	/** Done when somebody asks, not with every batch: it costs in proportion to all calls of servers' tools. */
	private visitWhole(): void {
		const { conversation, visits } = this;
		if (this.wholeRevision === conversation.revision) return;
		this.visit(conversation, visits.conversation);
		this.visitTime();
		this.wholeRevision = conversation.revision;
	}

	private visitTime(): void {
		const { now } = this;
		if (now === undefined) return;
		this.visit(
			time,
			this.visits.time.map((visit) => () => visit(now)),
		);
	}

	private said(subject: Subject): string {
		const { diagnostics = [] } = this.found.get(subject) ?? {};
		return diagnostics.map(({ toolUseId, message }) => `${toolUseId} ${message}`).join('\n');
	}

	private visitCall(call: ToolCall): boolean {
		// What is said of all of these together is looked at later, and may be different with any change.
		this.hasServerCalls ||= call.server !== undefined;
		return this.visit(call, call.server === undefined ? this.visits.toolCall : this.visits.serverCall);
	}

	private visit<Item extends Subject>(item: Item, visits: readonly ((item: Item) => void)[]): boolean {
		this.current = undefined;
		for (const visit of visits) visit(item);
		// Most sessions have none at all.
		const hadFindings = this.found.size > 0 && this.found.has(item);
		if (this.current !== undefined) this.found.set(item, this.current);
		else if (hadFindings) this.found.delete(item);
		return hadFindings || this.current !== undefined;
	}

	private findings(): Findings {
		return (this.current ??= { diagnostics: [], inconclusive: [] });
	}

	/** Makes the rules ready for this client. True when everything is to be looked at anew. */
	private prepare(): boolean {
		const { conversation } = this;
		// Whether the session still runs decides about more than its open calls.
		const key = `${conversation.format} ${conversation.agentVersion ?? ''} ${conversation.liveness.state}`;
		if (key === this.key) return false;
		this.key = key;
		const client = clientOf(conversation.format, conversation.agentVersion);
		this.visits = noVisits();
		for (const rule of allRules) {
			if (this.settings[rule.id] === 'off') continue;
			const visitor = rule.create(this.contextFor(rule, client));
			const { toolCall, serverCall, strayResult, agent, compaction, damage } = visitor;
			if (toolCall !== undefined) {
				this.visits.toolCall.push(toolCall);
				this.visits.serverCall.push(toolCall);
			}
			if (serverCall !== undefined) this.visits.serverCall.push(serverCall);
			if (strayResult !== undefined) this.visits.strayResult.push(strayResult);
			if (agent !== undefined) this.visits.agent.push(agent);
			if (compaction !== undefined) this.visits.compaction.push(compaction);
			if (damage !== undefined) this.visits.damage.push(damage);
			if (visitor.conversation !== undefined) this.visits.conversation.push(visitor.conversation);
			if (visitor.time !== undefined) this.visits.time.push(visitor.time);
		}
		return true;
	}

	private contextFor(rule: Rule, client: Client): RuleContext {
		const { conversation } = this;
		const setting = this.settings[rule.id];
		const severity = setting === undefined || setting === 'off' ? rule.meta.severity : setting;
		return {
			conversation,
			client,
			scope: this.scope,
			hasFile: ({ id }) => this.hasFile(id),
			stateOf: (call) => callState(conversation, call),
			laterTurn,
			report: (report) =>
				void this.findings().diagnostics.push(diagnosticOf(rule, severity, conversation, report)),
			inconclusive: (place, message) =>
				void this.findings().inconclusive.push({ ruleId: rule.id, place, message }),
		};
	}
}

function diagnosticOf(rule: Rule, severity: Severity, conversation: Conversation, report: Report): Diagnostic {
	return {
		ruleId: rule.id,
		severity: report.severity === undefined ? severity : milder(severity, report.severity),
		message: fill(rule, report.messageId, report.data),
		place: report.at,
		sessionId: conversation.sessionId,
		agentId: report.toolCall?.agent.id ?? report.agent?.id,
		toolUseId: report.toolCall?.id ?? report.toolUseId,
		toolName: report.toolCall?.name,
		cause: report.cause,
		related: [
			...(report.related ?? []).map((related) => ({
				place: related.at,
				message: fill(rule, related.messageId, related.data ?? {}),
			})),
			...faultsOf(report),
		],
	};
}

/** What was done to the call on purpose is not to be taken for a real failure. */
function faultsOf({ toolCall, related = [] }: Report): readonly RelatedPlace[] {
	return (toolCall?.hostCalls ?? []).flatMap(({ faults }) =>
		faults.flatMap(({ place, description }) =>
			// The rule itself may tell of it.
			related.some(({ at }) => at.source === place.source)
				? []
				: [{ place, message: description, isOnPurpose: true as const }],
		),
	);
}

const severityOrder: readonly Severity[] = ['note', 'warning', 'error'];

function milder(one: Severity, other: Severity): Severity {
	return severityOrder.indexOf(one) < severityOrder.indexOf(other) ? one : other;
}

function fill(rule: Rule, messageId: string, data: Data): string {
	const template = rule.meta.messages[messageId];
	if (template === undefined) throw new Error(`Rule ${rule.id} has no message "${messageId}".`);
	return template.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => String(data[name] ?? ''));
}

function byPlace(
	one: { readonly place: Place; readonly ruleId: string },
	other: { readonly place: Place; readonly ruleId: string },
): number {
	const first = one.place.source;
	const second = other.place.source;
	if (first.kind !== 'transcript' || second.kind !== 'transcript') return 0;
	if (first.path !== second.path) return first.path < second.path ? -1 : 1;
	return (
		first.line - second.line ||
		(one.place.range?.column ?? 1) - (other.place.range?.column ?? 1) ||
		(one.ruleId < other.ruleId ? -1 : 1)
	);
}
