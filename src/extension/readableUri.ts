import { Uri } from 'vscode';
import { agentName } from '../core/conversation/index.ts';
import type { Agent, Conversation } from '../core/conversation/index.ts';
import { readableScheme } from './ids.ts';
import type { SessionKey } from './sessionInView.ts';
import { shortened } from './words.ts';

/** What a readable view shows. */
export interface ReadableTarget {
	readonly key: SessionKey;
	readonly agentId: string;
}

/** @param toolUseId The call to go to. */
export function readableUri(conversation: Conversation, key: SessionKey, agent: Agent, toolUseId?: string): Uri {
	// The path is what the tab says; the query tells what it is.
	const title = shortened(conversation.title ?? conversation.nativeId, 40);
	const name = `${title} · ${agentName(agent)}`.replaceAll(/[/\\?#:*"<>|]/g, '_');
	const target: ReadableTarget = { key, agentId: agent.id };
	return Uri.from({
		scheme: readableScheme,
		path: `/${name}.md`,
		query: JSON.stringify(target),
		fragment: toolUseId ?? '',
	});
}

export function readableTarget(uri: Uri): ReadableTarget | undefined {
	try {
		const value = JSON.parse(uri.query) as unknown; // anybody can make such an address
		if (typeof value !== 'object' || value === null || !('key' in value) || !('agentId' in value)) return undefined;
		const { key, agentId } = value;
		return typeof key === 'string' && typeof agentId === 'string' ? { key, agentId } : undefined;
	} catch {
		// No address of ours.
		return undefined;
	}
}
