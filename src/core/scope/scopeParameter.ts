import type { GivenArguments, ResultContent } from '../events/sessionEvent.ts';

// A scope parameter says where a tool looks: in which chat, project, tenant, folder or stretch of time.

/**
 * What a parameter chooses among. `context`: a session, chat, thread, tab or conversation; `project`: a project, workspace,
 * repository, branch or team; `place`: a directory, root or path; `tenant`: an organisation, account or user; `environment`: a region,
 * cluster, namespace or stage; `database`: a database, schema, index or collection; `time`: a range of time; `page`: which part of an
 * answer, and how much of it.
 */
export type ScopeKind = 'context' | 'project' | 'place' | 'tenant' | 'environment' | 'database' | 'time' | 'page';

export interface ScopeParameter {
	/** As in `GivenValue`: `context_id`, `filter.project`, `queries[].repo`. */
	readonly path: string;
	readonly kind: ScopeKind;
	readonly isRequired: boolean;
	/** What the tool does without it; `undefined` where nothing tells, or it is required. */
	readonly fallback: ScopeFallback | undefined;
	/** The values that the schema allows, as JSON; empty where it names none. At most 50. */
	readonly allowed: readonly string[];
	/** The values, as JSON, that by the schema's own words mean the same as leaving it out: of `null`, `""` and `[]`. */
	readonly blanks: readonly string[];
	/** The parameter's own words in the schema. */
	readonly description: string | undefined;
	/** Why it is taken for a scope, strongest first; never empty. */
	readonly evidence: readonly ScopeEvidence[];
}

/** What a tool takes for a scope that was left out. */
export interface ScopeFallback {
	/** A value as JSON, or words that stand for it: `"main"`, `current context`. */
	readonly value: string;
	/** `schema`: its `default`. `description`: words such as "defaults to the current project". `caller`: the words say that it is the caller's own. */
	readonly source: 'schema' | 'description' | 'caller';
	/** The words that say so. */
	readonly words: string;
	/** The fallback is everything there is: nothing is missed by leaving it out. */
	readonly isEverything: boolean;
}

export interface ScopeEvidence {
	readonly source: 'settings' | 'annotation' | 'name' | 'description' | 'siblings' | 'handle' | 'echo';
	/** A sentence: what was seen. */
	readonly sentence: string;
}

/** Why nothing can be said of a tool's scopes. A sentence. */
export interface UnknownScopes {
	readonly reason: string;
}

/** What a person says of a tool's scopes. A name may be a glob: `*`, `chat_*`. The most exact one counts, member by member. */
export interface ToolScopeSettings {
	/** Paths of the parameters that are scopes, in place of those that would be found. None: the tool has no scope. */
	readonly parameters?: readonly string[] | undefined;
	/** Scopes whose default is meant, by path, with the reason. */
	readonly intended?: Readonly<Record<string, string>> | undefined;
	/** What the host does with a call that leaves out a scope. */
	readonly policy?: ScopePolicy | ScopePolicies | undefined;
	/** What `fill` puts in, by path. */
	readonly values?: Readonly<Record<string, unknown>> | undefined;
}

/** `off`: nothing. `report`: it goes through and is told of. `require`: it is refused with words for the model. `fill`: a value is put in. */
export type ScopePolicy = 'off' | 'report' | 'require' | 'fill';

/** By who calls. Where that is not known, `interactive` holds. */
export interface ScopePolicies {
	readonly interactive?: ScopePolicy | undefined;
	readonly headless?: ScopePolicy | undefined;
}

/** By server, then by tool: `{ "chat": { "chat_list_messages": { "policy": "require" } } }`. The setting `crosstalk.scope`, and `scope` in configuration files. */
export type ScopeSettings = Readonly<Record<string, Readonly<Record<string, ToolScopeSettings>>>>;

/**
 * What the calls to one server showed so far: it tells which names stand for handles that the server itself gave out, and which scope
 * an answer says it took. Of more than 2,000 the last count.
 */
export interface SeenValues {
	readonly calls: readonly SeenCall[];
}

export interface SeenCall {
	/** The tool's own name. */
	readonly tool: string;
	readonly given: GivenArguments | undefined;
	readonly content: ResultContent | undefined;
}

/** A tool as its server describes it. */
export interface DescribedTool {
	readonly server: string;
	/** The tool's own name, without a client's prefix. */
	readonly name: string;
	readonly description: string | undefined;
	/** JSON Schema of the arguments, of any draft, as JSON text. */
	readonly inputSchema: string | undefined;
}

/** Something wrong with the settings. */
export interface ScopeSettingsProblem {
	/** The keys that lead to the place: `["chat", "chat_list_messages", "policy"]`. Of an array its index. */
	readonly path: readonly string[];
	/** A sentence. */
	readonly message: string;
}
