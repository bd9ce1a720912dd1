import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { sessionId } from '../../src/core/base/ids.ts';
import type { SessionEvent } from '../../src/core/events/sessionEvent.ts';
import { createConversation } from '../../src/core/conversation/index.ts';
import type { Conversation } from '../../src/core/conversation/index.ts';
import { findSessions } from '../../src/core/transcripts/sessionFiles.ts';
import type { SessionFiles } from '../../src/core/transcripts/sessionFiles.ts';
import { readSession } from '../../src/core/transcripts/readSession.ts';
import { NodeFiles } from '../../src/platform/node/files.ts';

const folder = 'test/fixtures/transcripts';

/** One folder a shape: `<format>/<shape>`. */
export const shapes: readonly string[] = readdirSync(folder, { withFileTypes: true })
	.filter((entry) => entry.isDirectory())
	.flatMap((format) =>
		readdirSync(join(folder, format.name), { withFileTypes: true })
			.filter((entry) => entry.isDirectory())
			.map((entry) => `${format.name}/${entry.name}`),
	)
	.sort();

export const nodeFiles = new NodeFiles();

export interface ReadFixture {
	readonly session: SessionFiles;
	readonly events: readonly SessionEvent[];
}

/** Every session of a shape with all its events, in the order in which files are read. */
export async function readShape(shape: string): Promise<readonly ReadFixture[]> {
	return readFolder(`${folder}/${shape}`);
}

export async function readFolder(path: string): Promise<readonly ReadFixture[]> {
	const { sessions } = await findSessions(nodeFiles, path);
	const read: ReadFixture[] = [];
	for (const session of sessions) {
		const events: SessionEvent[] = [];
		await readSession(nodeFiles, session, (batch) => void events.push(...batch), { withPreviews: true });
		read.push({ session, events });
	}
	return read;
}

export function emptyConversation(session: SessionFiles): Conversation {
	return createConversation(sessionId(session.format, session.nativeId));
}
