/**
 * What a client does with a broken history when it sends the next request, and what the provider answers if it is sent as it is.
 * Texts of errors are the providers' own, copied from their documentation and from reports that quote them.
 */
export interface Client {
	/** How requests pair calls with results: in neighbouring messages (Anthropic Messages), or by id wherever they stand (OpenAI Responses). */
	readonly pairing: 'adjacent' | 'by-id';
	/** What happens to a call without a result. A finished sentence. */
	unanswered(toolUseId: string): string;
	/** What happens to a result without a call. */
	unasked(toolUseId: string): string;
	/** What happens to a second call with the same id. */
	duplicateCall(toolUseId: string): string;
	/** What happens to a second result for one call. */
	duplicateResult(toolUseId: string): string;
	/** What happens to a result that comes after the next response. */
	late(toolUseId: string): string;
	/** What happens to content before a result in one message. */
	notFirst(toolUseId: string): string;
}

/** Anthropic's own words. Backticks are part of them. */
export const anthropicErrors = {
	unanswered: (id: string) =>
		`\`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${id}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
	unasked: (id: string) =>
		`unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${id}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
	duplicateCall: () => '`tool_use` ids must be unique',
	duplicateResult: (id: string) =>
		`each tool_use must have a single result. Found multiple \`tool_result\` blocks with id: ${id}`,
	unresolvedServerTool: (name: string, id: string) =>
		`\`${name}\` tool use with id \`${id}\` was found without a corresponding \`${name}_tool_result\` block`,
} as const;

const openAiErrors = {
	unanswered: (id: string) => `No tool output found for function call ${id}.`,
	unasked: (id: string) => `No tool call found for function call output with call_id ${id}.`,
} as const;

/**
 * @param agentVersion The version that wrote the transcript, when known. Claude Code 2.1.49, 2.1.150 and 2.1.328 were measured: each
 * mends most of what it loads, silently, at the cost of what the model then does not know. The reports of refused requests are of
 * versions before, and nothing is known of those in between.
 */
export function clientOf(format: string, agentVersion: string | undefined): Client {
	return format === 'codex' ? codexClient : claudeCodeClient(agentVersion ?? '');
}

const dropsOrphansSince = [2, 1, 49] as const;
const dropsDuplicatesSince = [2, 1, 150] as const;
const answersTailSince = [2, 1, 328] as const;

function claudeCodeClient(version: string): Client {
	const isAtLeast = (wanted: readonly number[]) => version !== '' && compareVersions(version, wanted) >= 0;
	const mended = (wanted: readonly number[], what: string, error: string) =>
		isAtLeast(wanted)
			? `Claude Code ${version} ${what} Sent as it is, the API would refuse it: "${error}"`
			: willBeRefused(error);
	return {
		pairing: 'adjacent',
		unanswered: (id) =>
			mended(
				dropsOrphansSince,
				isAtLeast(answersTailSince)
					? 'leaves the call out of what the model sees, or answers it as interrupted when it was the last.'
					: 'leaves the call out of what the model sees.',
				anthropicErrors.unanswered(id),
			),
		unasked: (id) =>
			mended(dropsOrphansSince, 'leaves the result out of what the model sees.', anthropicErrors.unasked(id)),
		duplicateCall: () =>
			mended(
				dropsDuplicatesSince,
				'leaves the second call and its result out of what the model sees.',
				anthropicErrors.duplicateCall(),
			),
		duplicateResult: (id) =>
			mended(dropsDuplicatesSince, 'sends only one of them.', anthropicErrors.duplicateResult(id)),
		late: (id) =>
			mended(dropsOrphansSince, 'loses the result: the model does not see it.', anthropicErrors.unanswered(id)),
		// The one shape that every measured version sends as it is.
		notFirst: (id) => willBeRefused(anthropicErrors.unanswered(id)),
	};
}

/** A finished sentence. */
export function willBeRefused(error: string): string {
	return `The API refuses the next request that holds it: "${error}"`;
}

const codexClient: Client = {
	pairing: 'by-id',
	unanswered: (id) =>
		`Codex tells the model "aborted" in its place when it resumes. Sent as it is, the API would refuse it: "${openAiErrors.unanswered(id)}"`,
	unasked: (id) =>
		`Codex leaves the output out of what the model sees. Sent as it is, the API would refuse it: "${openAiErrors.unasked(id)}"`,
	duplicateCall: () => 'Codex sends both as they are.',
	duplicateResult: () => 'Codex sends both as they are.',
	late: () => '',
	notFirst: () => '',
};

function compareVersions(version: string, wanted: readonly number[]): number {
	const parts = version.split('.').map((part) => Number.parseInt(part, 10));
	for (const [index, minimum] of wanted.entries()) {
		const difference = (parts[index] ?? 0) - minimum;
		if (difference !== 0) return difference;
	}
	return 0;
}
