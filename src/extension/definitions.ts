import { Range } from 'vscode';
import type { DefinitionProvider, LocationLink, Position, TextDocument } from 'vscode';
import type { Agent, Conversation, Place } from '../core/conversation/index.ts';
import { filePlace, uriOf } from './convert.ts';
import type { OpenTranscripts } from './openTranscripts.ts';
import { pointedAt } from './pointedAt.ts';
import { transcriptLines } from './transcriptLines.ts';

/** From a call to its result and to the agent it started; from a result to its call; from an agent's transcript to the call that started it. */
export class TranscriptDefinitions implements DefinitionProvider {
	private readonly transcripts: OpenTranscripts;

	constructor(transcripts: OpenTranscripts) {
		this.transcripts = transcripts;
	}

	async provideDefinition(document: TextDocument, position: Position): Promise<LocationLink[]> {
		const session = await this.transcripts.sessionOf(document);
		if (session === undefined) return [];
		const { conversation } = session;
		const path = document.uri.fsPath;
		const target = pointedAt(conversation, path, position);
		if (target === undefined) return spawnOf(conversation, path, position.line);
		if (target.kind === 'result') {
			const links = target.call === undefined ? [] : [linkTo(target.call.place, target.range)];
			return present([...links, agentLink(spawnedBy(conversation, target.call?.spawnedAgentId), target.range)]);
		}
		const { call, range } = target;
		const results = [...(call.result === undefined ? [] : [call.result]), ...call.furtherResults];
		return present([
			agentLink(spawnedBy(conversation, call.spawnedAgentId), range),
			...results.map(({ place }) => linkTo(place, range)),
		]);
	}
}

/** On any other line of an agent's transcript: the call that started the agent. */
function spawnOf(conversation: Conversation, path: string, line: number): LocationLink[] {
	const { agents } = transcriptLines(conversation, path);
	// With several agents in one file it is the one whose line it is.
	const own = [...agents.values()].filter(
		({ messages }) =>
			agents.size === 1 ||
			messages.some(({ place }) => place.source.kind === 'transcript' && place.source.line - 1 === line),
	);
	return present(
		own.map(({ agent }) => (agent.spawnCall === undefined ? undefined : linkTo(agent.spawnCall.place, undefined))),
	);
}

function spawnedBy(conversation: Conversation, id: Agent['id'] | undefined): Agent | undefined {
	return id === undefined ? undefined : conversation.agents.get(id);
}

function agentLink(agent: Agent | undefined, origin: Range): LocationLink | undefined {
	const first = agent?.messages[0];
	if (first !== undefined) return linkTo(first.place, origin);
	return agent?.path === undefined
		? undefined
		: { originSelectionRange: origin, targetUri: uriOf(agent.path), targetRange: new Range(0, 0, 0, 0) };
}

function linkTo(place: Place, origin: Range | undefined): LocationLink | undefined {
	const target = filePlace(place);
	if (target === undefined) return undefined;
	return {
		...(origin === undefined ? {} : { originSelectionRange: origin }),
		targetUri: uriOf(target.path),
		targetRange: target.range,
	};
}

function present(links: readonly (LocationLink | undefined)[]): LocationLink[] {
	return links.filter((link) => link !== undefined);
}
