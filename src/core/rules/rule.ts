import type {
	Agent,
	CallState,
	Compaction,
	Conversation,
	Damage,
	Message,
	OrphanCause,
	Place,
	Result,
	ToolCall,
} from '../conversation/index.ts';
import type { ScopeSettings } from '../scope/index.ts';
import type { Client } from './clients.ts';

export type Severity = 'note' | 'warning' | 'error';

export type RuleFamily = 'pairing' | 'compaction' | 'concurrency' | 'scope' | 'transcript';

/** A template: `{{name}}` stands for a value of the report's data. */
export type MessageTemplate = string;

export interface RuleMeta {
	/** One sentence: what holds when all is well. */
	readonly description: string;
	readonly family: RuleFamily;
	readonly severity: Severity;
	readonly messages: Readonly<Record<string, MessageTemplate>>;
}

/**
 * A rule looks at the conversation, item by item, and reports what is wrong. It is synchronous, formats no text, and says
 * `inconclusive` where it cannot know: no evidence is not a pass.
 */
export interface Rule {
	readonly id: string;
	readonly meta: RuleMeta;
	create(context: RuleContext): RuleVisitor;
}

/** Called for each item that is new or may have changed. What a rule reports stands until the same item is visited again. */
export interface RuleVisitor {
	readonly toolCall?: (call: ToolCall) => void;
	/** Calls to MCP servers' tools alone: of most sessions a small part. */
	readonly serverCall?: (call: ToolCall) => void;
	readonly strayResult?: (result: Result) => void;
	readonly agent?: (agent: Agent) => void;
	readonly compaction?: (compaction: Compaction) => void;
	readonly damage?: (damage: Damage) => void;
	/** For what can only be told of all calls together. Visited once whenever somebody asks for findings and something has changed. */
	readonly conversation?: (conversation: Conversation) => void;
	/** For what comes about by nothing but time. Visited now and then while a session runs, with epoch milliseconds; looks at what is open, not at everything. */
	readonly time?: (now: number) => void;
}

export interface RuleContext {
	readonly conversation: Conversation;
	readonly client: Client;
	/** What a person says of the scopes of tools. */
	readonly scope: ScopeSettings;
	/** Whether the session has a file for the agent, read or not. */
	hasFile(agent: Agent): boolean;
	/** What has become of the call. */
	stateOf(call: ToolCall): CallState;
	/** The first turn behind the call's message on the conversation as it stands. */
	laterTurn(call: ToolCall): Message | undefined;
	report(report: Report): void;
	inconclusive(place: Place, reason: string): void;
}

export type Data = Readonly<Record<string, string | number>>;

export interface Report {
	readonly at: Place;
	readonly messageId: string;
	readonly data: Data;
	/** Milder than the rule's own severity, where this finding is. */
	readonly severity?: Severity | undefined;
	readonly agent?: Agent | undefined;
	readonly toolCall?: ToolCall | undefined;
	/** For a report on a result without a call. */
	readonly toolUseId?: string | undefined;
	readonly cause?: OrphanCause | undefined;
	/** Other places that belong to it; their messages are templates of the rule too. */
	readonly related?:
		| readonly { readonly at: Place; readonly messageId: string; readonly data?: Data | undefined }[]
		| undefined;
}

export function defineRule(rule: Rule): Rule {
	return rule;
}
