// What transcripts say of MCP servers' tools: some agents write down what they offer to the model.

import { MemberTable, OPEN_BRACE } from '../base/jsonScanner.ts';
import type { JsonScanner, Span } from '../base/jsonScanner.ts';
import { digest } from './fields.ts';
import { splitMcpName } from './toolNames.ts';

/** One tool, as `ToolDescribed` has it. */
export interface DescribedTool {
	readonly server: string;
	readonly tool: string;
	readonly description: string | undefined;
	readonly inputSchema: string | undefined;
}

const mostDescriptionLength = 4096;
const mostSchemaBytes = 64 * 1024;
/** Whoever lists more tools than that is not followed. */
const mostTools = 10_000;

/** Tells of each tool once, and again when it has changed: an agent writes the same list with many of its requests. */
export class ToolDescriptions {
	private readonly known = new Map<string, string>();

	/**
	 * Reads a list of tools at the scanner's cursor: `{name, description, input_schema}` as Anthropic's interface has them,
	 * `{type: "function", name, description, parameters}` as OpenAI's has, and `{type: "namespace", name, tools}` around such. Tools that
	 * are no MCP server's are passed over.
	 * @param tell Called for each tool that is new or other than before.
	 */
	read(scanner: JsonScanner, tell: (tool: DescribedTool) => void): void {
		this.readList(scanner, '', tell);
	}

	private readList(scanner: JsonScanner, namespace: string, tell: (tool: DescribedTool) => void): void {
		scanner.readArray(() => {
			if (scanner.peek() !== OPEN_BRACE) {
				scanner.skipValue();
				return;
			}
			const found = newTool();
			if (!scanner.readObject(toolMembers, found)) return;
			const end = scanner.position;
			if (found.tools.start !== -1 && namespace === '' && found.name.startsWith('mcp__')) {
				scanner.position = found.tools.start;
				this.readList(scanner, found.name, tell);
				scanner.position = end;
				return;
			}
			const { name, server } =
				namespace === '' ? splitMcpName(found.name) : { name: found.name, server: namespace.slice(5) };
			if (server !== undefined && name !== '') this.tell(scanner, server, name, found, tell);
		}, undefined);
	}

	private tell(
		scanner: JsonScanner,
		server: string,
		tool: string,
		found: Tool,
		tell: (tool: DescribedTool) => void,
	): void {
		const { bytes } = scanner;
		const { description, schema } = found;
		const key = `${server} ${tool}`;
		const state = `${mark(bytes, description)} ${mark(bytes, schema)}`;
		if (this.known.get(key) === state || this.known.size >= mostTools) return;
		this.known.set(key, state);
		const behind = scanner.position;
		scanner.position = description.start;
		const words = description.start === -1 ? '' : scanner.readText();
		scanner.position = behind;
		const isKept =
			schema.start !== -1 && bytes[schema.start] === OPEN_BRACE && schema.end - schema.start <= mostSchemaBytes;
		tell({
			server,
			tool,
			description: words === '' ? undefined : words.slice(0, mostDescriptionLength),
			inputSchema: isKept ? decoder.decode(bytes.subarray(schema.start, schema.end)) : undefined,
		});
	}
}

function mark(bytes: Uint8Array, { start, end }: Span): string {
	return start === -1 ? '' : digest(bytes, start, end);
}

interface Tool {
	name: string;
	readonly description: Span;
	readonly schema: Span;
	readonly tools: Span;
}

function newTool(): Tool {
	const none = (): Span => ({ start: -1, end: -1 });
	return { name: '', description: none(), schema: none(), tools: none() };
}

/** Of a tool within a tool: Claude Code's snapshots have what they send to the model as `schema`. */
const innerMembers = new MemberTable<Tool>({
	input_schema: (scanner, tool) => scanner.passValue(tool.schema),
});

const toolMembers = new MemberTable<Tool>({
	name: (scanner, tool) => void (tool.name = scanner.readText()),
	description: (scanner, tool) => scanner.passValue(tool.description),
	input_schema: (scanner, tool) => scanner.passValue(tool.schema),
	parameters: (scanner, tool) => scanner.passValue(tool.schema),
	schema: (scanner, tool) => void scanner.readObject(innerMembers, tool),
	tools: (scanner, tool) => scanner.passValue(tool.tools),
});

const decoder = new TextDecoder();
