import { sha256 } from '../platform/workerd/durablePlatform.ts';

const prefix = 'session:';

/** Objects are named by it and not by the id itself, which may be of any length and script. */
export function nameOfSession(sessionId: string): string {
	return sha256(sessionId);
}

export function isNameOfSession(text: string): boolean {
	return /^[0-9a-f]{64}$/u.test(text);
}

/** Which sessions there are. It is written once for each and eventually consistent, so nothing but a list rests on it. */
export class SessionIndex {
	private readonly namespace: KVNamespace;

	constructor(namespace: KVNamespace) {
		this.namespace = namespace;
	}

	async add(sessionId: string): Promise<void> {
		await this.namespace.put(prefix + nameOfSession(sessionId), sessionId);
	}

	async names(
		cursor: string | undefined,
		limit: number,
	): Promise<{ readonly names: readonly string[]; readonly cursor: string | undefined }> {
		const listed = await this.namespace.list({ prefix, limit, cursor: cursor ?? null });
		return {
			names: listed.keys.map(({ name }) => name.slice(prefix.length)),
			cursor: listed.list_complete ? undefined : listed.cursor,
		};
	}
}
