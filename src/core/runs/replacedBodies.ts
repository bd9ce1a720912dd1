// A transcript, or what a host has recorded, without what was said in it: texts, arguments and results give way to letters of the same length,
// while structure, ids, times and counts stay. A line keeps its length in characters, so that findings keep their places. Whoever wants to
// keep a secret keeps it best by not knowing it: what is not known to be harmless is replaced.

/** A digest of a text that cannot be computed without a secret which nobody keeps; 32 bytes. Equal texts stay equal, and that is all that can be told of them. */
export type SecretDigest = (text: string) => Uint8Array;

/**
 * - `envelope`: what agents and hosts write about a message; words that are known to be theirs stay.
 * - `sidecar`: the same, of what stands beside a transcript; the name in it is what a person or a model has called an agent.
 * - `block`: the same, of a content block: its content is a result's.
 * - `result`: content of a result, a text or blocks. `told`: members of a result that the client has added.
 * - `given`: arguments; the names of members belong to the tool. `content`: all else; not even names stay.
 */
type Mode = 'envelope' | 'sidecar' | 'block' | 'blocks' | 'result' | 'results' | 'told' | 'given' | 'content';

export class ReplacedBodies {
	private readonly digest: SecretDigest;

	constructor(digest: SecretDigest) {
		this.digest = digest;
	}

	/** The small file beside a transcript. */
	sidecar(text: string): string {
		return this.json(text, 'sidecar') ?? roughly(text);
	}

	/** One line without its line end. */
	line(text: string): string {
		const whole = this.json(text, 'envelope');
		if (whole !== undefined) return whole;
		// Two records on one line: the last of them is read.
		for (const { index } of text.matchAll(recordBegin)) {
			if (index === 0) continue;
			const tail = this.json(text.slice(index), 'envelope');
			if (tail !== undefined) return roughly(text.slice(0, index)) + tail;
		}
		const walk = new Walk(text, this);
		const isObject = walk.value('envelope');
		return walk.isCutOff && !isObject && !text.includes('\0') ? walk.output : roughly(text);
	}

	/** `undefined`: it is no JSON. */
	json(text: string, mode: Mode): string | undefined {
		const walk = new Walk(text, this);
		return walk.value(mode) && walk.isAtEnd() ? walk.output : undefined;
	}

	/** @param raw What stands between the quotes. */
	text(raw: string, mode: Mode): string {
		const decoded = decodedText(raw);
		if (/^\s*[{[]/.test(decoded)) {
			const inner = this.json(decoded, mode === 'given' ? 'given' : 'content');
			// Agents write arguments and results as texts that hold JSON.
			if (inner !== undefined) return reencoded(raw, inner);
		}
		const [tag] = /^<\/?[a-z][\w-]*>/.exec(decoded) ?? [];
		if (tag === '<task-notification>') return reencoded(raw, this.notification(decoded));
		if (tag === '<subagent_notification>') {
			const [, json = '', rest = ''] = /^([^]*?)(<\/[^]*)?$/.exec(decoded.slice(tag.length)) ?? [];
			const inner = this.json(json, 'envelope');
			if (inner !== undefined) return reencoded(raw, tag + inner + (rest === '' ? '' : roughly(rest)));
		}
		const kept = tag ?? ownWords.find((words) => decoded.startsWith(words)) ?? (decoded.startsWith('<') ? '<' : '');
		const length = kept === '' || !raw.startsWith(kept) ? 0 : kept.length;
		return raw.slice(0, length) + this.letters(raw.slice(length));
	}

	/** As many letters, with line ends where they were. */
	letters(raw: string): string {
		if (raw === '') return raw;
		const bytes = this.digest(raw);
		let letters = '';
		for (let index = 0; index < raw.length; index++) {
			if (raw.startsWith('\\n', index)) {
				letters += '\\n';
				index++;
			} else {
				letters += raw[index] === '\n' ? '\n' : (alphabet[(bytes[index % bytes.length] ?? 0) % 26] ?? 'x');
			}
		}
		return letters;
	}

	/** Other digits. Nothing and one stay: they count more often than they tell. */
	number(raw: string): string {
		if (raw === '0' || raw === '1') return raw;
		const bytes = this.digest(raw);
		const [mantissa = '', ...exponent] = raw.split(/(?=[eE])/);
		const digits = mantissa.replaceAll(/\d/g, (_, index: number) => {
			const value = (bytes[index % bytes.length] ?? 0) % 9;
			return String(index === 0 || mantissa[index - 1] === '-' ? value + 1 : value);
		});
		// A leading zero is one before a point.
		return (/^-?0/.test(mantissa) ? digits.replace(/^(-?)\d/, '$10') : digits) + exponent.join('');
	}

	/** What a client says of a task that has ended: which and how stay. */
	private notification(text: string): string {
		const end = text.indexOf('<result>');
		const head = end === -1 ? text : text.slice(0, end);
		let tag = '';
		const masked = head.replaceAll(/<\/?([a-z-]+)>|[^<]+|</g, (part: string, name: string | undefined) => {
			if (name !== undefined) {
				tag = part.startsWith('</') ? '' : name;
				return part;
			}
			return notificationFacts.has(tag) && /^[\w.:-]*$/.test(part.trim()) ? part : this.letters(part);
		});
		return end === -1 ? masked : `${masked}<result>${this.letters(text.slice(end + '<result>'.length))}`;
	}
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz';
const notificationFacts: ReadonlySet<string> = new Set(['task-id', 'tool-use-id', 'status']);
/** With which clients begin texts of their own, and by which readers tell them. */
const ownWords = ['[Request interrupted by user', 'Stop hook feedback', 'aborted by user', 'aborted', '# AGENTS.md'];
/** How the records begin that agents write. */
const recordBegin = /\{"(?:parentUuid|type|timestamp|sessionId|uuid)":/g;

/** Words in an envelope that say what kind of thing something is, or which. */
const keptMembers: ReadonlySet<string> = new Set([
	...[
		'type',
		'subtype',
		'kind',
		'subkind',
		'taskKind',
		'role',
		'status',
		'state',
		'phase',
		'level',
		'trigger',
		'operation',
	],
	...['timestamp', 'version', 'cli_version', 'agentVersion', 'model', 'stop_reason', 'stopReason', 'jsonrpc'],
	...['entrypoint', 'sessionKind', 'promptSource', 'turnOrigin', 'wakeupSource', 'toolDenialKind', 'userType'],
	...['originator', 'source', 'origin', 'namespace', 'agent_path', 'agentType', 'agent_type', 'subagent_type'],
	...['agent_role', 'name', 'server', 'tool', 'toolName', 'tool_name', 'method', 'format', 'entry'],
	...['event', 'hook_event_name', 'permissionMode', 'permission_mode', 'direction', 'ending', 'outcome', 'policy'],
	...['intent', 'relation', 'signal', 'evidence', 'reason', 'by', 'unknown', 'digest', 'promptDigest', 'id', 'uuid'],
	...[
		'answeredBy',
		'denial',
		'decision',
		'behavior',
		'at',
		'agent',
		'parent',
		'savedAt',
		'writtenBy',
		'backgroundTaskId',
	],
]);
/** Words of a host's events that say what kind of thing something is, where the member may hold anything in other records. */
const keptWords: ReadonlyMap<string, ReadonlySet<string>> = new Map([
	[
		'cause',
		new Set([
			'exited',
			'unresponsive',
			'requested',
			'lost',
			'timed-out',
			'breakpoint',
			'rule',
			'error',
			'pause',
			'step',
		]),
	],
	['point', new Set(['before', 'after'])],
	[
		'parts',
		new Set(['text', 'thinking', 'tool-use', 'tool-result', 'image', 'document', 'server-tool-result', 'other']),
	],
	['heldBy', new Set(['hook', 'wire'])],
	[
		'how',
		new Set([
			...['continued', 'arguments-edited', 'result-edited', 'answered', 'repeated', 'time-up', 'debugger-gone'],
			...['given-up', 'host-closing'],
		]),
	],
]);
const isIdentity = /(?:Id|ID|Ids|IDs|_id|_ids|[Uu]uid|UUID)$/;
/** What words and ids look like. */
const plainWord = /^[\w.:@+=<>-]{1,200}$/;
const wordWithSlashes = /^[\w.:@+=<>[\]/-]{1,200}$/;
const memberName = /^[A-Za-z_$][\w$-]{0,60}$/;

const modes: Readonly<Record<string, Mode>> = {
	input: 'given',
	arguments: 'given',
	action: 'given',
	tool_input: 'given',
	toolInput: 'given',
	output: 'result',
	tool_response: 'told',
	tool_output: 'result',
	toolUseResult: 'told',
	result: 'results',
	error: 'told',
	structuredContent: 'content',
	mcpMeta: 'content',
	shape: 'content',
	tools: 'content',
	entries: 'content',
	snapshot: 'content',
	dynamic_tools: 'content',
	trackedFileBackups: 'content',
};
const toldMembers: ReadonlySet<string> = new Set([
	...['agentId', 'agentType', 'status', 'isAsync', 'backgroundTaskId', 'totalDurationMs', 'durationMs'],
	...['type', 'is_error', 'isError', 'interrupted', 'code'],
]);

/** Those of MCP's results and of Claude Code's own tools. */
const resultMembers: ReadonlySet<string> = new Set([
	...['text', 'content', 'structuredContent', '_meta', 'data', 'mimeType', 'uri', 'resource', 'prompt', 'tools'],
	...['stdout', 'stderr', 'file', 'filePath', 'message', 'code', 'usage', 'totalTokens', 'totalToolUseCount'],
]);

/** Walks through a text that should be JSON, and writes down what is left of it. */
class Walk {
	output = '';
	/** It was JSON up to its end, and that came too early. */
	isCutOff = false;
	private readonly text: string;
	private readonly bodies: ReplacedBodies;
	private position = 0;
	private depth = 0;

	constructor(text: string, bodies: ReplacedBodies) {
		this.text = text;
		this.bodies = bodies;
	}

	isAtEnd(): boolean {
		this.space();
		return this.position === this.text.length;
	}

	/** @param member Its name; of an element that of its list. */
	value(mode: Mode, member = ''): boolean {
		this.space();
		const { text, position } = this;
		switch (text[position]) {
			case undefined:
				this.isCutOff = true;
				return false;
			case '{':
				return this.nested(() => this.object(mode));
			case '[':
				return this.nested(() => this.array(mode, member));
			case '"': {
				const raw = this.string();
				if (raw === undefined) return false;
				this.output += `"${isKept(mode, member, raw) ? raw : this.bodies.text(raw, mode)}"`;
				return true;
			}
			default: {
				literal.lastIndex = position;
				const [word = ''] = literal.exec(text) ?? [];
				this.position += word.length;
				const isNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(word);
				if (!isNumber && !['true', 'false', 'null'].includes(word)) {
					this.isCutOff = this.position === text.length && word !== '';
					if (this.isCutOff) this.output += word;
					return false;
				}
				const isContent = mode === 'given' || mode === 'content' || mode === 'result' || mode === 'results';
				const isReplaced = isNumber && (isContent || (mode === 'told' && !toldMembers.has(member)));
				this.output += isReplaced ? this.bodies.number(word) : word;
				return true;
			}
		}
	}

	private nested(walk: () => boolean): boolean {
		// Deeper than any agent writes.
		if (++this.depth > 500) return false;
		const isRead = walk();
		this.depth--;
		return isRead;
	}

	private object(mode: Mode): boolean {
		this.take();
		this.space();
		if (this.text[this.position] === '}') return this.take();
		for (;;) {
			this.space();
			if (this.text[this.position] !== '"') return this.fail();
			const name = this.string();
			if (name === undefined) return false;
			this.output += `"${isNameKept(mode, name) ? name : this.bodies.letters(name)}"`;
			this.space();
			if (this.text[this.position] !== ':') return this.fail();
			this.take();
			if (!this.value(modeOf(mode, name), name)) return false;
			this.space();
			const next = this.text[this.position];
			if (next !== ',' && next !== '}') return this.fail();
			this.take();
			if (next === '}') return true;
		}
	}

	private array(mode: Mode, member: string): boolean {
		this.take();
		this.space();
		if (this.text[this.position] === ']') return this.take();
		for (;;) {
			if (!this.value(mode === 'blocks' ? 'block' : mode, member)) return false;
			this.space();
			const next = this.text[this.position];
			if (next !== ',' && next !== ']') return this.fail();
			this.take();
			if (next === ']') return true;
		}
	}

	/** What stands between the quotes; `undefined`: it does not end. */
	private string(): string | undefined {
		const { text, position } = this;
		jsonString.lastIndex = position;
		const [whole] = jsonString.exec(text) ?? [];
		if (whole === undefined) {
			// Cut off in its middle, or with a character that JSON does not let stand there.
			const rest = text.slice(position + 1);
			this.isCutOff = !controlCharacter.test(rest) && !/(?<!\\)(?:\\\\)*"/.test(rest);
			this.output += `"${this.bodies.letters(rest).replaceAll('\\n', 'xx')}`;
			this.position = text.length;
			return undefined;
		}
		this.position += whole.length;
		return whole.slice(1, -1);
	}

	private take(): true {
		this.output += this.text[this.position++];
		return true;
	}

	private fail(): false {
		this.isCutOff = this.position >= this.text.length;
		return false;
	}

	private space(): void {
		for (; isSpace(this.text.charCodeAt(this.position)); this.position++) this.output += this.text[this.position];
	}
}

// eslint-disable-next-line no-control-regex
const controlCharacter = /[\0-\x1f]/;
// eslint-disable-next-line no-control-regex
const jsonString = /"(?:[^"\\\0-\x1f]|\\.)*"/y;
const literal = /[-+.\w]*/y;

function isSpace(code: number): boolean {
	return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
}

function modeOf(mode: Mode, name: string): Mode {
	switch (mode) {
		case 'given':
		case 'content':
			return mode;
		case 'told':
			return name === 'content' || name === 'structuredContent'
				? 'result'
				: toldMembers.has(name)
					? 'told'
					: 'content';
		case 'result':
			return name === 'type' ? 'result' : 'content';
		case 'results':
			return name === 'content' ? 'result' : 'content';
		case 'blocks':
		case 'block':
			if (name === 'content') return 'result';
			return modes[name] ?? 'envelope';
		case 'sidecar':
			return 'sidecar';
		case 'envelope':
			if (name === 'content') return 'blocks';
			// What a client attaches says what it is, and all else of it is content.
			if (name === 'attachment') return 'told';
			return modes[name] ?? 'envelope';
	}
}

function isNameKept(mode: Mode, name: string): boolean {
	switch (mode) {
		case 'content':
			return name === 'agent_id';
		case 'result':
		case 'results':
		case 'told':
			return toldMembers.has(name) || resultMembers.has(name);
		case 'given':
		case 'envelope':
		case 'sidecar':
		case 'block':
		case 'blocks':
			return memberName.test(name);
	}
}

function isKept(mode: Mode, member: string, raw: string): boolean {
	switch (mode) {
		case 'sidecar':
			return member !== 'name' && isKept('envelope', member, raw);
		case 'envelope':
		case 'block':
			if (member === 'model' || member === 'method') return wordWithSlashes.test(raw);
			if (keptWords.get(member)?.has(raw) === true) return true;
			return (keptMembers.has(member) || isIdentity.test(member)) && plainWord.test(raw);
		case 'told':
			return toldMembers.has(member) && plainWord.test(raw);
		case 'result':
		case 'results':
			return member === 'type' && /^[a-z_]{1,30}$/.test(raw);
		case 'content':
			// How a client tells of the agent that a call has started.
			return member === 'agent_id' && /^[0-9a-f-]{36}$/.test(raw);
		case 'given':
			return (member === 'subagent_type' || member === 'agent_type') && plainWord.test(raw);
		case 'blocks':
			return false;
	}
}

function decodedText(raw: string): string {
	try {
		return String(JSON.parse(`"${raw}"`));
	} catch {
		// An escape that JSON does not have.
		return raw;
	}
}

/** As the agent has written it, with spaces behind where it escapes less than that did. */
function reencoded(raw: string, text: string): string {
	const written = JSON.stringify(text).slice(1, -1);
	return written.length < raw.length ? written + ' '.repeat(raw.length - written.length) : written;
}

/** Of what is no JSON only the frame stays. */
function roughly(text: string): string {
	return text.replaceAll(/[^\s{}[\]":,\\\0]/g, 'x');
}
