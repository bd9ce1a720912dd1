import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCore } from '../../src/core/core.ts';
import type { SavedSession } from '../../src/core/runs/saveSession.ts';
import { pathsOf } from '../../src/core/transcripts/sessionFiles.ts';
import type { SessionFiles } from '../../src/core/transcripts/sessionFiles.ts';
import { PackedWriter } from '../../src/platform/node/packed/packedWriter.ts';
import { createNodePlatform } from '../../src/platform/node/platform.ts';

export const platform = createNodePlatform(true);
export const core = createCore(platform);
const savedAt = Date.UTC(2026, 10, 21, 12);

/** A folder of its own, gone with `remove`. */
export class SavingFolder {
	readonly path = mkdtempSync(join(tmpdir(), 'crosstalk-saved-'));

	of(name: string): string {
		return join(this.path, name);
	}

	remove(): void {
		rmSync(this.path, { recursive: true, force: true });
	}
}

/** Every session of the fixtures and the examples. */
export async function everySession(): Promise<readonly SessionFiles[]> {
	const sessions: SessionFiles[] = [];
	for (const folder of ['test/fixtures/transcripts', 'test/fixtures/cli/projects', 'examples/recorded'])
		sessions.push(...(await core.findSessions(join(process.cwd(), folder))).sessions);
	return sessions;
}

export async function saveAs(
	path: string,
	session: SessionFiles,
	bodies: 'whole' | 'replaced' = 'whole',
	by = core,
): Promise<SavedSession> {
	const writer = await PackedWriter.create(path, true);
	try {
		const saved = await by.saveSession(session, writer, {
			writtenBy: 'crosstalk test',
			savedAt,
			replacing: bodies === 'whole' ? undefined : digest,
		});
		await writer.finish();
		return saved;
	} catch (error) {
		await writer.discard();
		throw error;
	}
}

/** With a secret that everybody knows, so that a test gives the same each time. */
function digest(text: string): Uint8Array {
	return createHmac('sha256', 'a test').update(text).digest();
}

/** What a session is called in a test's name. */
export function nameOf(session: SessionFiles): string {
	return (pathsOf(session)[0] ?? '').slice(process.cwd().length + 1);
}
