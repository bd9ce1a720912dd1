import { counted } from '../core/base/text.ts';
import { agentName } from '../core/conversation/index.ts';
import type { ReadSession } from '../core/core.ts';
import { formatJson, printable } from '../core/report/index.ts';
import { coverageOf } from '../core/rules/coverage.ts';
import type { Look, ParameterCoverage, ToolCoverage } from '../core/rules/coverage.ts';
import type { ScopeSettings } from '../core/scope/index.ts';
import { mainPlace, sourceOf } from './findings.ts';
import { summaryOf } from './summary.ts';
import { table } from './table.ts';

const sources = {
	schema: 'allowed by the schema',
	result: 'named in an answer',
	call: 'passed to another tool',
} as const;

/** Who looked where, for people: one row for each agent and value. */
export function coverageText({ conversation }: ReadSession, settings: ScopeSettings): string {
	const coverage = coverageOf(conversation, settings);
	if (coverage.length === 0) return 'No call to a tool of an MCP server, or nothing is known of what was passed.\n';
	const rows: string[][] = [];
	const notes: string[] = [];
	for (const tool of coverage) {
		const name = printable(`${tool.server}/${tool.tool}`);
		if (tool.unknown !== undefined)
			notes.push(
				`${name}: ${printable(tool.unknown)}${tool.parameters.length > 0 ? ' Its scopes are told by the names of what was passed.' : ''}`,
			);
		else if (tool.parameters.length === 0) notes.push(`${name}: it has no scope.`);
		for (const covered of tool.parameters) rows.push(...rowsOf(name, tool, covered));
	}
	const head = ['TOOL', 'PARAMETER', 'VALUE', 'LOOKED AT BY', 'CALLS', 'ENTRIES'];
	const tables = rows.length === 0 ? '' : table(head, rows);
	return `${tables}${tables === '' || notes.length === 0 ? '' : '\n'}${notes.map((note) => `${note}\n`).join('')}`;
}

function rowsOf(name: string, tool: ToolCoverage, { parameter, looks, missed }: ParameterCoverage): string[][] {
	const path = printable(parameter.path);
	const rows = looks.map((look) => [
		name,
		path,
		valueText(look),
		printable(agentName(look.agent)),
		String(look.calls.length),
		look.items === undefined ? '' : String(look.items),
	]);
	if (looks.length === 0) rows.push([name, path, '', `nobody, in ${counted(tool.calls, 'call')}`, '', '']);
	return rows.concat(
		missed.map(({ value, source }) => [name, path, printable(value), `nobody (${sources[source]})`, '', '']),
	);
}

function valueText({ value, taken }: Look): string {
	if (value !== undefined) return printable(value);
	return taken === undefined ? '(left out)' : `(left out: ${printable(taken)})`;
}

/** The same for programs. */
export function coverageJson(read: ReadSession, settings: ScopeSettings): string {
	const { conversation } = read;
	const main = mainPlace(read.files);
	const tools = coverageOf(conversation, settings).map(({ server, tool, calls, unknown, parameters }) => ({
		server,
		tool,
		calls,
		unknown,
		parameters: parameters.map(({ parameter, looks, missed }) => ({
			path: parameter.path,
			kind: parameter.kind,
			required: parameter.isRequired,
			fallback: parameter.fallback,
			evidence: parameter.evidence,
			looks: looks.map((look) => ({
				agentId: look.agent.id,
				agent: agentName(look.agent),
				value: look.value ?? null,
				taken: look.taken,
				items: look.items,
				calls: look.calls.map((call) => {
					const { path, line } = sourceOf(call.place, main);
					return { id: call.id, path, line };
				}),
			})),
			missed,
		})),
	}));
	return formatJson({ version: 1, session: summaryOf(read.files, conversation), tools });
}
