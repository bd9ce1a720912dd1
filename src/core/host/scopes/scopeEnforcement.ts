import { checkSettingsAgainst, lastName, scopeParametersOf } from '../../scope/index.ts';
import type {
	DescribedTool as ScopedTool,
	ScopeParameter,
	ScopePolicy,
	ToolScopeSettings,
	UnknownScopes,
} from '../../scope/index.ts';
import { schemaMembers } from '../../scope/schema.ts';
import type { ConnectionIdentity } from '../agentIdentity.ts';
import type { Exchange } from '../exchange.ts';
import { CallFailure } from '../failures.ts';
import { mirroredHeaders } from '../mirroredArguments.ts';
import type { MirroredArgument } from '../mirroredArguments.ts';
import type { HostClock } from '../ports.ts';
import type { Recorder } from '../recorder.ts';
import { Redaction } from '../redaction.ts';
import { MODERN } from '../revisions.ts';
import { encodedText, isObject, objectAt, readRpc, resultAnswer, stringAt } from '../rpc.ts';
import type { JsonObject, RpcMessage } from '../rpc.ts';
import type { ServerDefinition } from '../serverDefinition.ts';
import type { ToolScopeStatus } from '../status.ts';
import type { Upstream } from '../upstream.ts';
import { inserted } from './argumentPlaces.ts';
import { RecentValues } from './recentValues.ts';
import { refusalText, undecidedText } from './refusal.ts';
import { policiesOf } from './scopeBook.ts';
import type { ScopeBook } from './scopeBook.ts';
import { decide } from './scopeDecision.ts';
import type { ActivePolicy, ScopeAnswer } from './scopeDecision.ts';

/** What the enforcement needs of the server that it stands in front of. */
export interface EnforcedServer {
	readonly definition: ServerDefinition;
	/** Every name that somebody has for the server. */
	readonly names: readonly string[];
	readonly book: ScopeBook;
	readonly clock: HostClock;
	readonly recorder: Recorder;
	/** Asks the server for its tools, each of which comes to `learn`. Rejects with `CallFailure`. */
	listTools(upstream: Upstream): Promise<void>;
	/** The arguments of a tool that are also said in headers. */
	mirroredOf(tool: string | undefined): readonly MirroredArgument[];
	didChange(): void;
}

/** How long a call waits at most for its server to tell what parameters its tools have. */
const LIST_MS = 10_000;
/** A server that could not be asked is not asked again for every call. */
const REST_MS = 30_000;
const MOST_TOOLS = 5_000;
const MOST_RULES = 1_000;
const MOST_SOURCES = 100;
const MOST_EARLY = 20;
/** In bytes. */
const LONGEST_EARLY = 64 * 1024;
/** Of a schema, in characters. */
const LONGEST_SCHEMA = 64 * 1024;

/** What the settings say of one tool for the callers of one source. */
interface Rule {
	readonly settings: ToolScopeSettings;
	/** A policy is set for this very tool. */
	readonly isNamed: boolean;
	readonly interactive: ScopePolicy;
	readonly headless: ScopePolicy;
	/** By what was known of the tools at a time. */
	readonly scopes: Map<ActivePolicy, { readonly generation: number; readonly found: Scopes }>;
	unfit: { readonly generation: number; readonly found: ReadonlyMap<string, string> } | undefined;
}

type Scopes = readonly ScopeParameter[] | UnknownScopes;

interface DescribedTool {
	readonly description: string | undefined;
	readonly inputSchema: string | undefined;
}

function isSame(one: DescribedTool, other: DescribedTool): boolean {
	return one.description === other.description && one.inputSchema === other.inputSchema;
}

type Counters = { -readonly [Name in Outcome]: number };
type Outcome = ScopeAnswer['outcome'];

/**
 * Holds calls of one server to what people have set for its tools' scopes. A tool without a policy costs one look-up; where nothing is set
 * for any server, not even that.
 */
export class ScopeEnforcement {
	/** Calls that wait until it is known which parameters their tool has. */
	readonly deciding = new Set<Exchange>();
	private readonly server: EnforcedServer;
	/** By source, then by tool. */
	private readonly rules = new Map<string | undefined, Map<string, Rule>>();
	private rulesRevision = -1;
	private readonly tools = new Map<string, DescribedTool>();
	/** All the tools that the server has are among `tools`. */
	private isComplete = false;
	/** Another number: something else is known of the tools. */
	private generation = 0;
	private timesForgotten = 0;
	private loading: Promise<string | undefined> | undefined;
	private failed: { readonly at: number; readonly reason: string } | undefined;
	private readonly values = new RecentValues();
	/** Calls that were answered before anything was known of the tools. */
	private readonly early: { readonly exchange: Exchange; readonly answer: RpcMessage }[] = [];
	private settled: { readonly revision: number; readonly hasSettings: boolean } | undefined;
	private listed: { readonly generation: number; readonly tools: readonly ScopedTool[] } | undefined;
	private watched: { readonly revision: number; readonly generation: number } | undefined;
	private readonly counters = new Map<string, Counters>();
	private redaction: { readonly of: ServerDefinition; readonly redaction: Redaction } | undefined;

	constructor(server: EnforcedServer) {
		this.server = server;
	}

	/** What holds for a call of this tool. */
	policyOf(tool: string, identity: ConnectionIdentity): ScopePolicy {
		if (this.server.book.isEmpty) return 'off';
		const rule = this.ruleOf(tool, identity.scopeSource);
		return isHeadless(identity) ? rule.headless : rule.interactive;
	}

	/** The server has told of tools. */
	learn(tool: JsonObject): void {
		const name = stringAt(tool, 'name');
		if (this.server.book.isEmpty || name === undefined || (this.tools.size >= MOST_TOOLS && !this.tools.has(name)))
			return;
		const described: DescribedTool = {
			description: stringAt(tool, 'description'),
			inputSchema: schemaText(tool['inputSchema']),
		};
		const known = this.tools.get(name);
		if (known !== undefined && isSame(known, described)) return;
		this.tools.set(name, described);
		this.generation++;
	}

	/** The server has other tools than before, or may have. */
	forget(): void {
		this.generation++;
		this.timesForgotten++;
		this.tools.clear();
		this.isComplete = false;
		this.failed = undefined;
	}

	/**
	 * Lets a call through to its server, as it is or with what was left out, or answers it in the server's place.
	 * @param exchange Not submitted yet.
	 */
	enforce(exchange: Exchange, tool: string, policy: ActivePolicy, upstream: Upstream): void {
		if (this.isKnown(tool)) {
			this.carryOut(exchange, tool, policy, upstream, undefined);
			return;
		}
		// What is only told of need not wait.
		const isHeld = policy !== 'report';
		if (isHeld) {
			exchange.reason = 'asking the server which parameters its tools have';
			this.deciding.add(exchange);
		} else upstream.submit(exchange);
		void this.load(upstream).then((problem) => {
			this.deciding.delete(exchange);
			// Its agent has given it up meanwhile.
			if (isHeld && exchange.state === 'ended') return;
			this.carryOut(exchange, tool, policy, isHeld ? upstream : undefined, problem);
		});
	}

	/** A call was answered by its server. */
	observe(exchange: Exchange, answer: RpcMessage): void {
		if (this.server.book.isEmpty || answer.kind !== 'response') return;
		if (answer.result['isError'] === true) return;
		if (this.tools.size === 0) {
			// Which names to look for is known once the server has told of its tools.
			if (answer.bytes.length <= LONGEST_EARLY && this.early.length < MOST_EARLY && this.hasSettings())
				this.early.push({ exchange, answer });
			return;
		}
		this.catchUp();
		this.remember(exchange, answer);
	}

	private catchUp(): void {
		this.watch();
		for (const { exchange, answer } of this.early.splice(0)) this.remember(exchange, answer);
	}

	private remember({ owner, message }: Exchange, answer: RpcMessage): void {
		if (!this.values.isWatching) return;
		this.values.given(owner, message.params['arguments']);
		this.values.told(owner, answer.result);
	}

	private hasSettings(): boolean {
		const { book } = this.server;
		if (this.settled?.revision !== book.revision)
			this.settled = {
				revision: book.revision,
				hasSettings: book.toolsOf(this.server.names).next().done !== true,
			};
		return this.settled.hasSettings;
	}

	/** Tools with a policy, and how often what was decided. */
	get status(): readonly ToolScopeStatus[] {
		const { book, names } = this.server;
		if (book.isEmpty && this.counters.size === 0) return [];
		const listed = new Map<string, { source: string | undefined; tool: string }>();
		const list = (source: string | undefined, tool: string) =>
			void listed.set(keyOf(source, tool), { source, tool });
		for (const key of this.counters.keys()) list(...partsOf(key));
		for (const { source, tool } of book.toolsOf(names)) {
			if (!tool.includes('*')) list(source, tool);
			else for (const known of this.tools.keys()) if (this.isActive(known, source)) list(source, known);
		}
		return [...listed.values()]
			.map(({ source, tool }): ToolScopeStatus => {
				const { interactive, headless } = this.ruleOf(tool, source);
				const counters = this.counters.get(keyOf(source, tool)) ?? noCounters;
				return { tool, ...(source === undefined ? {} : { source }), interactive, headless, ...counters };
			})
			.filter((status) => status.interactive !== 'off' || status.headless !== 'off' || isCounted(status))
			.sort((one, other) => (one.tool < other.tool ? -1 : 1));
	}

	private isActive(tool: string, source: string | undefined): boolean {
		const { interactive, headless } = this.ruleOf(tool, source);
		return interactive !== 'off' || headless !== 'off';
	}

	private ruleOf(tool: string, source: string | undefined): Rule {
		const { book } = this.server;
		if (this.rulesRevision !== book.revision) {
			this.rules.clear();
			this.rulesRevision = book.revision;
		}
		let rules = this.rules.get(source);
		if (rules === undefined) {
			if (this.rules.size >= MOST_SOURCES) this.rules.clear();
			this.rules.set(source, (rules = new Map<string, Rule>()));
		}
		let rule = rules.get(tool);
		if (rule === undefined) {
			const settings = book.lookUp(this.server.names, tool, source);
			const { interactive = 'off', headless = 'off' } = policiesOf(settings.policy);
			// Agents call what they like; of names that no server has not all are kept.
			if (rules.size >= MOST_RULES) rules.clear();
			const isNamed = book.isNamed(this.server.names, tool, source);
			rule = { settings, isNamed, interactive, headless, scopes: new Map(), unfit: undefined };
			rules.set(tool, rule);
		}
		return rule;
	}

	private isKnown(tool: string): boolean {
		return this.isComplete || this.tools.has(tool);
	}

	/** Asks the server for its tools, once for all who wait. Resolves with a sentence why they are not known, when they are not. */
	private load(upstream: Upstream): Promise<string | undefined> {
		const { clock, definition } = this.server;
		if (this.failed !== undefined && clock.elapsed() - this.failed.at < REST_MS)
			return Promise.resolve(this.failed.reason);
		this.loading ??= this.ask(upstream).then((reason) => {
			this.loading = undefined;
			return reason === undefined ? undefined : this.failedBecause(reason);
		});
		const { loading } = this;
		return new Promise((resolve) => {
			const limit = clock.after(LIST_MS, () =>
				resolve(this.failedBecause(`${definition.name} did not list its tools in ${LIST_MS / 1000} s.`)),
			);
			void loading.then((reason) => {
				limit.dispose();
				resolve(reason);
			});
		});
	}

	private failedBecause(reason: string): string {
		this.failed = { at: this.server.clock.elapsed(), reason };
		return reason;
	}

	private async ask(upstream: Upstream): Promise<string | undefined> {
		try {
			await upstream.ready();
			const { timesForgotten } = this;
			await this.server.listTools(upstream);
			// Of a list that changed in the middle a part may be of before. The next call asks again.
			this.isComplete = this.timesForgotten === timesForgotten;
			return undefined;
		} catch (error) {
			if (!(error instanceof CallFailure)) throw error;
			return `Which parameters the tool has is not known. ${error.message}`;
		}
	}

	/** @param upstream `undefined`: the call is on its way already. */
	private carryOut(
		exchange: Exchange,
		tool: string,
		policy: ActivePolicy,
		upstream: Upstream | undefined,
		problem: string | undefined,
	): void {
		const { identity } = exchange.agent;
		const rule = this.ruleOf(tool, identity.scopeSource);
		const answer = decide({
			policy,
			settings: rule.settings,
			isNamed: rule.isNamed,
			scopes: this.scopesOf(tool, policy, rule, problem),
			args: exchange.message.params['arguments'],
			unfit: policy === 'fill' ? this.unfitOf(tool, rule) : noneUnfit,
		});
		this.count(identity.scopeSource, tool, answer.outcome);
		const carried = this.carried(exchange, answer);
		if (carried.outcome !== 'explicit')
			this.server.recorder.scopeDecision(exchange.record, exchange, {
				policy,
				intent: identity.intent ?? 'unknown',
				parameters: carried.parameters,
				outcome: carried.outcome,
				reason: carried.reason,
			});
		if (carried.outcome === 'refused') {
			this.refuse(exchange, tool, carried);
			this.server.didChange();
		} else if (upstream !== undefined) upstream.submit(exchange);
	}

	/** Puts in what is to be put in. */
	private carried(exchange: Exchange, answer: ScopeAnswer): ScopeAnswer {
		if (answer.outcome !== 'filled') return answer;
		const message = inserted(exchange.message, answer.insertions);
		if (message === undefined) {
			const parameters = answer.parameters.map(({ path }) => ({ path }));
			return {
				outcome: 'inconclusive',
				parameters,
				reason: 'There is no place in the call for what is left out.',
			};
		}
		exchange.message = message;
		const said = new Set(Object.keys(exchange.headers ?? {}).map((name) => name.toLowerCase()));
		const headers = mirroredHeaders(this.server.mirroredOf(exchange.tool), objectAt(message.params, 'arguments'));
		exchange.headers = {
			...exchange.headers,
			...Object.fromEntries(Object.entries(headers).filter(([name]) => !said.has(name.toLowerCase()))),
		};
		return answer;
	}

	private refuse(
		exchange: Exchange,
		tool: string,
		{ missing, reason }: Extract<ScopeAnswer, { outcome: 'refused' }>,
	): void {
		this.catchUp();
		const { owner } = exchange;
		const redaction = this.redactionNow();
		const isTellable = (json: string) => redaction.text(json) === json;
		const valuesOf = ({ path }: ScopeParameter) => {
			if (redaction.isArgumentRedacted(this.server.definition.name, path)) return { given: [], told: [] };
			const { given, told } = this.values.of(owner, lastName(path));
			return { given: given.filter(isTellable), told: told.filter(isTellable) };
		};
		const text = missing.length === 0 ? undecidedText(tool, reason) : refusalText(missing, valuesOf);
		// A tool's own error, and none of the protocol: clients show those to the model, which can then do better, and these to nobody.
		const result = {
			content: [{ type: 'text', text }],
			isError: true,
			...(exchange.protocolVersion === MODERN ? { resultType: 'complete' } : {}),
		};
		const answer = readRpc(resultAnswer(encodedText('0'), result));
		if (answer.kind !== 'response') throw new Error('What was just written is an answer.');
		exchange.end({ ending: 'refused', answer, reason });
	}

	private scopesOf(tool: string, policy: ActivePolicy, rule: Rule, problem: string | undefined): Scopes {
		const known = rule.scopes.get(policy);
		if (known?.generation === this.generation) return known.found;
		const found = this.findScopes(tool, policy, rule.settings, problem);
		if (problem === undefined) rule.scopes.set(policy, { generation: this.generation, found });
		return found;
	}

	private findScopes(
		tool: string,
		policy: ActivePolicy,
		settings: ToolScopeSettings,
		problem: string | undefined,
	): Scopes {
		const { name } = this.server.definition;
		const known = this.tools.get(tool);
		const schema = schemaMembers(known?.inputSchema);
		// Whoever demands parameters by name need not be told by the server that there are such.
		const isDeclared = policy === 'require' && (settings.parameters?.length ?? 0) > 0;
		if (!isDeclared) {
			if (known === undefined) return { reason: problem ?? this.reasonOfAbsence(tool) };
			if (typeof schema === 'string') return { reason: schema };
		}
		const described = this.described(tool);
		const own = (parameters: readonly string[] | undefined) =>
			scopeParametersOf(described, { [name]: { [tool]: { parameters } } }, undefined, this.siblings());
		// That there is no scope at all, and one is demanded: the demand counts.
		const isNone = policy === 'require' && settings.parameters?.length === 0;
		const found = own(isNone ? undefined : settings.parameters);
		if (policy !== 'fill' || 'reason' in found || typeof schema === 'string') return found;
		// Whoever gives a value for a parameter means it, whatever its name; but only for one that the schema knows is it put in.
		const paths = new Set(schema.members.map(({ path }) => path));
		const meant = Object.keys(settings.values ?? {}).filter((path) => found.every((one) => one.path !== path));
		const more = own(meant.filter((path) => paths.has(path)));
		const all = [...found.filter(({ path }) => paths.has(path)), ...('reason' in more ? [] : more)];
		const unknown = Object.keys(settings.values ?? {}).filter((path) => !paths.has(path));
		return all.some(({ path }) => Object.hasOwn(settings.values ?? {}, path)) || unknown.length === 0
			? all
			: { reason: `The input schema of "${tool}" has no parameter "${unknown.join('", "')}".` };
	}

	/** Values to put in that the tool would not take, by what its schema says now. */
	private unfitOf(tool: string, rule: Rule): ReadonlyMap<string, string> {
		if (rule.unfit?.generation === this.generation) return rule.unfit.found;
		const { name } = this.server.definition;
		const { values } = rule.settings;
		const described = this.described(tool);
		const problems = checkSettingsAgainst({ [name]: { [tool]: { values } } }, name, [described]);
		const found = new Map(problems.map(({ path, message }) => [path.at(-1) ?? '', message]));
		rule.unfit = { generation: this.generation, found };
		return found;
	}

	/** All tools of the server, once they are known: what most of them need tells of each. */
	private siblings(): readonly ScopedTool[] | undefined {
		if (!this.isComplete) return undefined;
		if (this.listed?.generation !== this.generation) {
			const tools = [...this.tools.keys()].map((tool) => this.described(tool));
			this.listed = { generation: this.generation, tools };
		}
		return this.listed.tools;
	}

	private described(tool: string): ScopedTool {
		const { description, inputSchema } = this.tools.get(tool) ?? { description: undefined, inputSchema: undefined };
		return { server: this.server.definition.name, name: tool, description, inputSchema };
	}

	private reasonOfAbsence(tool: string): string {
		const { name } = this.server.definition;
		return this.isComplete ? `${name} lists no tool "${tool}".` : `${name} changed its tools while it listed them.`;
	}

	/** Values are remembered for parameters that some caller has to give. */
	private watch(): void {
		const { book } = this.server;
		if (this.watched?.revision === book.revision && this.watched.generation === this.generation) return;
		// Just forgotten: they are about to be told again, and most will be as before.
		if (this.tools.size === 0) return;
		this.watched = { revision: book.revision, generation: this.generation };
		const names = new Set<string>();
		const sources = new Set([...book.toolsOf(this.server.names)].map(({ source }) => source));
		for (const source of sources) {
			for (const tool of this.tools.keys()) {
				const rule = this.ruleOf(tool, source);
				if (rule.interactive !== 'require' && rule.headless !== 'require') continue;
				const scopes = this.findScopes(tool, 'require', rule.settings, undefined);
				if (!('reason' in scopes)) for (const { path } of scopes) names.add(lastName(path));
			}
		}
		this.values.watch(names);
	}

	private count(source: string | undefined, tool: string, outcome: Outcome): void {
		const key = keyOf(source, tool);
		let counters = this.counters.get(key);
		if (counters === undefined) {
			const [oldest] = this.counters.keys();
			if (this.counters.size >= MOST_RULES && oldest !== undefined) this.counters.delete(oldest);
			this.counters.set(key, (counters = { ...noCounters }));
		}
		counters[outcome]++;
	}

	private redactionNow(): Redaction {
		const { definition } = this.server;
		if (this.redaction?.of !== definition)
			this.redaction = { of: definition, redaction: new Redaction([definition]) };
		return this.redaction.redaction;
	}
}

const noneUnfit: ReadonlyMap<string, string> = new Map();

const noCounters: Readonly<Counters> = { explicit: 0, reported: 0, refused: 0, filled: 0, inconclusive: 0 };

function isCounted({ explicit, reported, refused, filled, inconclusive }: Counters): boolean {
	return explicit + reported + refused + filled + inconclusive > 0;
}

/** Nobody is there who would notice. */
function isHeadless({ intent }: ConnectionIdentity): boolean {
	return intent === 'headless' || intent === 'scheduled';
}

function keyOf(source: string | undefined, tool: string): string {
	return `${source ?? ''}\n${tool}`;
}

function partsOf(key: string): [source: string | undefined, tool: string] {
	const end = key.indexOf('\n');
	return [end === 0 ? undefined : key.slice(0, end), key.slice(end + 1)];
}

/** JSON text of a schema; `undefined` where there is none that could be of use. */
function schemaText(schema: unknown): string | undefined {
	if (!isObject(schema)) return undefined;
	try {
		const text = JSON.stringify(schema);
		return text.length <= LONGEST_SCHEMA ? text : undefined;
	} catch {
		// Nested deeper than can be written.
		return undefined;
	}
}
