import { epochMilliseconds } from './fields.ts';
import { MemberTable, QUOTE } from '../base/jsonScanner.ts';
import type { Span } from '../base/jsonScanner.ts';

/** What one line of a rollout says. The payload's members are read whatever its type; each type uses its own few. */
export class CodexLine {
	type = '';
	at: number | undefined;
	ordinal = -1;
	payloadType = '';
	payload: Span = { start: -1, end: -1 };
	id = '';
	role = '';
	name = '';
	namespace = '';
	callId = '';
	sessionId = '';
	cwd = '';
	version = '';
	originator = '';
	/** A session's source when it is a plain word: `cli`, `exec`, `vscode`. */
	sourceWord = '';
	parentThreadId = '';
	nickname = '';
	agentRole = '';
	agentPath = '';
	depth = -1;
	historyStart = -1;
	/** The rollout begins where this one was forked, reverted or left, before the line of that ordinal: what came before stands there. */
	baseRollout = '';
	baseEnd = -1;
	newThreadId = '';
	turnCount = -1;
	readonly arguments: Span = { start: -1, end: -1 };
	readonly output: Span = { start: -1, end: -1 };
	readonly item: Span = { start: -1, end: -1 };
	/** The first text of a message's content, with its quotes. */
	readonly text: Span = { start: -1, end: -1 };
	hasImage = false;

	static readonly members = new MemberTable<CodexLine>({
		type: (scanner, line) => void (line.type = scanner.readText()),
		timestamp: (scanner, line) =>
			void (line.at = scanner.readString()
				? epochMilliseconds(scanner.bytes, scanner.stringStart, scanner.stringEnd)
				: undefined),
		ordinal: (scanner, line) => void (line.ordinal = scanner.readNumber()),
		payload(scanner, line) {
			scanner.peek();
			line.payload.start = scanner.position;
			scanner.readObject(payloadMembers, line);
			line.payload.end = scanner.position;
		},
	});
}

const threadSpawnMembers = new MemberTable<CodexLine>({
	parent_thread_id: (scanner, line) => void (line.parentThreadId = scanner.readText()),
	depth: (scanner, line) => void (line.depth = scanner.readNumber()),
	agent_nickname: (scanner, line) => void (line.nickname = scanner.readText()),
	agent_role: (scanner, line) => void (line.agentRole = scanner.readText()),
	agent_path: (scanner, line) => void (line.agentPath = scanner.readText()),
});
const subagentMembers = new MemberTable<CodexLine>({
	thread_spawn: (scanner, line) => void scanner.readObject(threadSpawnMembers, line),
});
const sourceMembers = new MemberTable<CodexLine>({
	subagent: (scanner, line) => void scanner.readObject(subagentMembers, line),
});

const baseMembers = new MemberTable<CodexLine>({
	thread_id: (scanner, line) => void (line.baseRollout = scanner.readText()),
	end_ordinal_exclusive: (scanner, line) => void (line.baseEnd = scanner.readNumber()),
});

const contentMembers = new MemberTable<CodexLine>({
	text(scanner, line) {
		if (line.text.start === -1) scanner.passValue(line.text);
		else scanner.skipValue();
	},
	// What one agent tells another is marked as encrypted; with a provider of one's own it is plain.
	encrypted_content(scanner, line) {
		if (line.text.start === -1) scanner.passValue(line.text);
		else scanner.skipValue();
	},
	image_url(scanner, line) {
		line.hasImage = true;
		scanner.skipValue();
	},
});

const payloadMembers = new MemberTable<CodexLine>({
	type: (scanner, line) => void (line.payloadType = scanner.readText()),
	id: (scanner, line) => void (line.id = scanner.readText()),
	role: (scanner, line) => void (line.role = scanner.readText()),
	name: (scanner, line) => void (line.name = scanner.readText()),
	namespace: (scanner, line) => void (line.namespace = scanner.readText()),
	call_id: (scanner, line) => void (line.callId = scanner.readText()),
	session_id: (scanner, line) => void (line.sessionId = scanner.readText()),
	cwd: (scanner, line) => void (line.cwd = scanner.readText()),
	cli_version: (scanner, line) => void (line.version = scanner.readText()),
	originator: (scanner, line) => void (line.originator = scanner.readText()),
	source(scanner, line) {
		if (scanner.peek() === QUOTE) line.sourceWord = scanner.readText();
		else scanner.readObject(sourceMembers, line);
	},
	parent_thread_id(scanner, line) {
		const parent = scanner.readText();
		if (parent !== '') line.parentThreadId = parent;
	},
	agent_nickname(scanner, line) {
		const nickname = scanner.readText();
		if (nickname !== '') line.nickname = nickname;
	},
	agent_role(scanner, line) {
		const role = scanner.readText();
		if (role !== '') line.agentRole = role;
	},
	agent_path(scanner, line) {
		const path = scanner.readText();
		if (path !== '') line.agentPath = path;
	},
	subagent_history_start_ordinal: (scanner, line) => void (line.historyStart = scanner.readNumber()),
	history_base: (scanner, line) => void scanner.readObject(baseMembers, line),
	new_thread_id: (scanner, line) => void (line.newThreadId = scanner.readText()),
	num_turns: (scanner, line) => void (line.turnCount = scanner.readNumber()),
	arguments: (scanner, line) => scanner.passValue(line.arguments),
	input: (scanner, line) => scanner.passValue(line.arguments),
	action: (scanner, line) => scanner.passValue(line.arguments),
	output: (scanner, line) => scanner.passValue(line.output),
	tools: (scanner, line) => scanner.passValue(line.output),
	item: (scanner, line) => scanner.passValue(line.item),
	content: (scanner, line) =>
		void scanner.readArray((element) => void element.readObject(contentMembers, line), line),
});

/** One item of `item_completed`: what the client itself says of a call. */
export interface CodexItem {
	type: string;
	id: string;
	status: string;
	kind: string;
	threadId: string;
	receivers: string[];
}

export const codexItemMembers = new MemberTable<CodexItem>({
	type: (scanner, item) => void (item.type = scanner.readText()),
	id: (scanner, item) => void (item.id = scanner.readText()),
	status: (scanner, item) => void (item.status = scanner.readText()),
	kind: (scanner, item) => void (item.kind = scanner.readText()),
	agent_thread_id: (scanner, item) => void (item.threadId = scanner.readText()),
	receiver_thread_ids: (scanner, item) =>
		void scanner.readArray((element, target: CodexItem) => {
			if (element.readString()) target.receivers.push(element.string());
		}, item),
});

/** `started_at_ms` and `completed_at_ms` stand beside the item. */
export const codexTimesMembers = new MemberTable<{ startedAt: number; completedAt: number }>({
	started_at_ms: (scanner, times) => void (times.startedAt = scanner.readNumber()),
	completed_at_ms: (scanner, times) => void (times.completedAt = scanner.readNumber()),
});
