import { agentName, callsOf, serverOf } from '../conversation/index.ts';
import type { Conversation, Place, ServerChange, ToolCall } from '../conversation/index.ts';
import type { GivenValue } from '../events/sessionEvent.ts';
import { defineRule } from './rule.ts';
import type { RuleContext } from './rule.ts';

export default defineRule({
	id: 'session-context-lost',
	meta: {
		description: 'A server knows the sessions and cursors that it has given or taken before.',
		family: 'concurrency',
		severity: 'error',
		messages: {
			handle: '{{server}} does not know {{name}} {{value}} any more, which {{origin}}: {{agent}}\'s call to {{tool}} failed for that. It says: "{{said}}"',
			transport:
				'{{server}} does not know the session any more in which it has answered before: {{agent}}\'s call to {{tool}} failed for that. It says: "{{said}}"',
			given: 'Here it gave {{value}}.',
			taken: 'Here it took {{value}}.',
			answered: 'Here it still answered.',
			reconnect: 'In between the connection to {{server}} was made anew: {{reason}}',
		},
	},
	create(context) {
		const refused = new Set<ToolCall>();
		return {
			serverCall(call) {
				if (refusalIn(call) !== undefined) refused.add(call);
				else if (refused.size > 0) refused.delete(call);
			},
			conversation(conversation) {
				const calls = [...refused];
				for (const { call } of conversation.troubledCalls)
					if (call?.isSeenByHostAlone === true && refusalIn(call) !== undefined) calls.push(call);
				for (const call of calls.slice(0, mostRefused)) look(context, conversation, call);
			},
		};
	},
});

/** Each is compared with all calls to its server. */
const mostRefused = 200;

const noun =
	'(?:session|cursor|context|handle|connection|transaction|scroll|page[ _-]?token|next[ _-]?token|continuation|conversation|checkpoint|snapshot|lease|subscription)';
const lost = new RegExp(
	`\\b(?:unknown|invalid|expired|stale|unrecogni[sz]ed|no such|lost)\\s+(?:[\\w-]+\\s+){0,2}${noun}(?![\\w-]*\\s+(?:type|format|argument|parameter|option|value|name))` +
		`|\\b${noun}(?:[\\s_-]?id)?\\b[^.\\n]{0,80}\\b(?:not found|(?:does not|doesn't) exist|no longer|not recogni[sz]ed|could not be found|unknown|expired|was lost|is gone)\\b` +
		`|\\b(?:no|cannot find|could not find|can't find) (?:active |open |known )?${noun}\\b`,
	'i',
);
/** What servers and clients say when the session of the transport is gone. */
const transportLost =
	/^(?:Error: )?(?:MCP error -?\d+: )?(?:Streamable HTTP error: [^{\n]*?(?:\{[^\n]*?"message":\s*")?)?(?:(?:Bad Request|Not Found): )?(?:Session not found|No valid session ID provided|Invalid or missing session ID|Unknown session|Server not initialized)\b|^(?:Error: )?MCP server "[^"]*" session expired\b|\bMCP session has been terminated\b/i;
/** That a session of the tool's own is meant can be ruled out. */
const ofTransport = /\bMCP session\b/i;
const handleName = new RegExp(`${noun}(?:[_-]?(?:id|key|name|token|handle))?$`, 'i');
/** These are good for one use. */
const cursorName = /cursor|scroll|token|continuation/i;

/** The words in which the server says that it does not know something of this kind. */
function refusalIn({ result }: ToolCall): string | undefined {
	if (result === undefined) return undefined;
	const said = result.isError
		? (result.errorText ?? '')
		: // Some tools answer with an object that says what is wrong.
			text(result.content?.values.find(({ path }) => path === 'error' || path === 'error.message'));
	return said.length > 0 && (lost.test(said) || transportLost.test(said)) ? said : undefined;
}

function text(value: GivenValue | undefined): string {
	return value?.value.startsWith('"') === true ? value.value : '';
}

function look(context: RuleContext, conversation: Conversation, call: ToolCall): void {
	const said = refusalIn(call);
	const server = serverOf(call);
	if (said === undefined || server === undefined || call.startedAt === undefined) return;
	const before = callsTo(conversation, server, call.startedAt);
	const handles = ofTransport.test(said)
		? []
		: (call.given?.values ?? []).filter(({ path, value }) => isHandle(path, value));
	for (const handle of handles) {
		if (handles.length > 1 && !said.includes(plain(handle.value)) && !namesIt(said, handle.path)) continue;
		const known = whereKnown(before, handle);
		if (known === undefined || isEndedOnPurpose([...before, call], known.at, handle)) continue;
		report(context, call, server, said, {
			messageId: 'handle',
			data: {
				name: lastName(handle.path),
				value: handle.value,
				origin: known.messageId === 'given' ? 'it has given before' : 'it has taken before',
			},
			related: [{ at: known.place, messageId: known.messageId, data: { value: handle.value } }],
			since: known.at,
		});
		return;
	}
	if (handles.length > 0 || !transportLost.test(said)) return;
	const answered = before.findLast(isAnswered);
	if (answered?.result === undefined) return;
	report(context, call, server, said, {
		messageId: 'transport',
		data: {},
		related: [{ at: answered.result.place, messageId: 'answered', data: {} }],
		since: timeOf(answered),
	});
}

/** Calls to the server that had an end before that time, in the order of time. */
function callsTo({ agents }: Conversation, server: string, until: number): readonly ToolCall[] {
	const calls: ToolCall[] = [];
	for (const agent of agents.values()) {
		for (const call of callsOf(agent)) if (timeOf(call) <= until && serverOf(call) === server) calls.push(call);
	}
	return calls.sort((one, other) => timeOf(one) - timeOf(other));
}

function timeOf({ result }: ToolCall): number {
	return result?.at ?? Infinity;
}

function isAnswered({ result }: ToolCall): boolean {
	return result !== undefined && !result.isError && result.denial === undefined;
}

function isHandle(path: string, value: string): boolean {
	if (!handleName.test(lastName(path)) || value.length > 120) return false;
	return value.startsWith('"') ? /^"\S+"$/.test(value) : /^\d/.test(value);
}

function lastName(path: string): string {
	return path.slice(path.lastIndexOf('.') + 1);
}

function plain(value: string): string {
	return value.startsWith('"') ? value.slice(1, value.endsWith('"') ? -1 : undefined) : value;
}

/** Whether the words speak of a parameter of this name. */
function namesIt(said: string, path: string): boolean {
	const found = new RegExp(noun, 'i').exec(lastName(path))?.[0];
	return found !== undefined && said.toLowerCase().includes(found.toLowerCase());
}

interface Known {
	readonly place: Place;
	readonly at: number;
	readonly messageId: 'given' | 'taken';
}

/** Where the server last showed that it knows the handle: it named it in an answer, or answered a call that passed it. */
function whereKnown(before: readonly ToolCall[], { path, value }: GivenValue): Known | undefined {
	const name = lastName(path);
	for (const call of before.toReversed()) {
		if (!isAnswered(call) || refusalIn(call) !== undefined || call.result === undefined) continue;
		const { content, place } = call.result;
		const at = timeOf(call);
		const isTaken = call.given?.values.some((other) => other.value === value && lastName(other.path) === name);
		// What has been used up is no longer known, and need not be.
		if (isTaken === true && cursorName.test(name)) return undefined;
		if (isTaken === true) return { place: call.place, at, messageId: 'taken' };
		const isNamed = (other: GivenValue) => other.value === value;
		if (content?.values.some(isNamed) === true || content?.listed?.some(isNamed) === true)
			return { place, at, messageId: 'given' };
	}
	return undefined;
}

const ending =
	/^(?:close|end|delete|remove|destroy|dispose|finish|commit|rollback|abort|release|logout|disconnect|terminate|stop|kill|cancel|clear|reset)/i;

/** Somebody has closed it since, or this very call closes it. */
function isEndedOnPurpose(calls: readonly ToolCall[], since: number, { value }: GivenValue): boolean {
	return calls.some(
		(call) =>
			(call.startedAt ?? 0) >= since - disorderMs &&
			call.name.split(/[_.-]|(?<=[a-z])(?=[A-Z])/).some((word) => ending.test(word)) &&
			(call.given === undefined ||
				call.given.values.length === 0 ||
				call.given.values.some((other) => other.value === value)),
	);
}

const disorderMs = 1_000;

function report(
	context: RuleContext,
	call: ToolCall,
	server: string,
	said: string,
	what: {
		readonly messageId: string;
		readonly data: Readonly<Record<string, string>>;
		readonly related: readonly {
			readonly at: Place;
			readonly messageId: string;
			readonly data: Readonly<Record<string, string>>;
		}[];
		readonly since: number;
	},
): void {
	const change = lastReconnect(context.conversation.serverChanges, server, what.since, call.startedAt ?? Infinity);
	const reconnect =
		change === undefined
			? []
			: [{ at: change.place, messageId: 'reconnect', data: { server, reason: sentence(change.change.reason) } }];
	context.report({
		at: call.place,
		messageId: what.messageId,
		data: { ...what.data, server, agent: agentName(call.agent), tool: call.name, said: said.slice(0, 200) },
		toolCall: call,
		related: [...what.related, ...reconnect],
	});
}

function lastReconnect(
	changes: readonly ServerChange[],
	server: string,
	from: number,
	to: number,
): ServerChange | undefined {
	return changes.findLast(
		({ change, at }) =>
			change.server === server &&
			at !== undefined &&
			at >= from &&
			at <= to &&
			(change.type === 'reconnect' || change.state === 'reconnecting' || change.state === 'connecting'),
	);
}

function sentence(reason: string | undefined): string {
	if (reason === undefined || reason === '') return 'nobody says why.';
	return reason.endsWith('.') ? reason : `${reason}.`;
}
