import { rules } from '../rules/index.ts';
import { formatJson } from './json.ts';
import type { LintResult, ReportedDiagnostic } from './lintResult.ts';
import { fileUri, uriFrom } from './paths.ts';
import type { ReportBase } from './paths.ts';

export interface SarifOptions {
	readonly base: ReportBase;
	/** The version of the program. */
	readonly version: string;
	/** The page that tells about a rule, an absolute URI. */
	readonly helpUriOf: (ruleId: string) => string;
}

/** SARIF 2.1.0, as code scanning reads it. What could not be read, and what is inconclusive, is told as notifications of the run. */
export function formatSarif(result: LintResult, { base, version, helpUriOf }: SarifOptions): string {
	const location = (path: string, region: object, more: object = {}) => {
		const { uri, isRelative } = uriFrom(base, path);
		return {
			physicalLocation: { artifactLocation: isRelative ? { uri, uriBaseId: baseId } : { uri }, region },
			...more,
		};
	};
	const log = {
		$schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
		version: '2.1.0',
		runs: [
			{
				tool: {
					driver: {
						name: 'Crosstalk',
						version,
						rules: rules.map(({ id, meta }) => ({
							id,
							shortDescription: { text: meta.description },
							helpUri: helpUriOf(id),
							defaultConfiguration: { level: meta.severity },
							properties: { tags: [meta.family] },
						})),
					},
				},
				columnKind: 'utf16CodeUnits',
				originalUriBaseIds: {
					[baseId]: { uri: `${fileUri(base.folder, base.separator).replace(/\/$/, '')}/` },
				},
				invocations: [
					{
						executionSuccessful: true,
						toolExecutionNotifications: [
							...result.files.flatMap(({ path, problems }) =>
								problems.map(({ line, kind, message }) => ({
									descriptor: { id: kind },
									level: 'warning',
									message: { text: message },
									locations: [location(path, { startLine: line })],
								})),
							),
							...result.inconclusive.map(({ ruleId, path, line, message }) => ({
								descriptor: { id: 'inconclusive' },
								associatedRule: { id: ruleId, index: ruleIndex(ruleId) },
								level: 'note',
								message: { text: message },
								locations: [location(path, { startLine: line })],
							})),
						],
					},
				],
				results: result.diagnostics.map((diagnostic) => ({
					ruleId: diagnostic.ruleId,
					ruleIndex: ruleIndex(diagnostic.ruleId),
					level: diagnostic.severity,
					message: { text: diagnostic.message },
					locations: [
						location(diagnostic.path, regionOf(diagnostic), {
							logicalLocations: logicalLocations(diagnostic),
						}),
					],
					relatedLocations: diagnostic.related.map(({ path, line, column, message }, index) =>
						location(
							path,
							{ startLine: line, startColumn: column },
							{ id: index + 1, message: { text: message } },
						),
					),
					properties: propertiesOf(diagnostic),
				})),
			},
		],
	};
	return formatJson(log);
}

const baseId = 'WORKINGFOLDER';

function ruleIndex(ruleId: string): number {
	return rules.findIndex((rule) => rule.id === ruleId);
}

function regionOf({ line, column, endLine, endColumn }: ReportedDiagnostic): object {
	return { startLine: line, startColumn: column, endLine, endColumn };
}

function logicalLocations({ sessionId, agentId }: ReportedDiagnostic): object[] {
	return [
		{ kind: 'session', name: sessionId },
		...(agentId === undefined
			? []
			: [{ kind: 'agent', name: agentId, fullyQualifiedName: `${sessionId}/${agentId}` }]),
	];
}

function propertiesOf({ sessionId, agentId, toolUseId, toolName, cause }: ReportedDiagnostic): object {
	return { sessionId, agentId, toolUseId, toolName, cause };
}
