import type { CataloguedTool } from './events/sessionEvent.ts';
import type { SessionFiles } from './transcripts/sessionFiles.ts';
import type { TranscriptFiles } from './transcripts/files.ts';

/** What core asks of the world. Each port is declared by the stage that needs it; an implementation carries its runtime's name. */
export interface Platform {
	readonly files: TranscriptFiles;
	readonly liveness: LivenessProbe;
	readonly clock: Clock;
	/** Where there is none, only transcripts tell of tools. */
	readonly toolCatalogue?: ToolCatalogueReader | undefined;
}

/** What MCP servers have said last of their tools to a host of this person. */
export interface ToolCatalogueReader {
	/** The same list again as long as nothing has changed. It never rejects: what cannot be read is no catalogue. */
	read(): Promise<readonly CataloguedTool[]>;
}

export interface Clock {
	/** Epoch milliseconds. */
	now(): number;
}

/** Finds out whether the process that writes a session still runs. */
export interface LivenessProbe {
	/** What the system tells about the session's processes. */
	probe(session: SessionFiles, facts: SessionFacts): Promise<ProcessEvidence>;
}

/** What is known of a session from its files. */
export interface SessionFacts {
	readonly agentVersion: string | undefined;
	/** Epoch milliseconds. */
	readonly lastEventAt: number | undefined;
	/** Its transcripts. */
	readonly paths: readonly string[];
	/** Where its agent says that it writes, of a session whose transcript was not found there. */
	readonly transcriptPath?: string | undefined;
}

export interface ProcessEvidence {
	readonly state: 'live' | 'ended' | 'unknown';
	/** A sentence: how this is known. */
	readonly evidence: string;
	/** When the process began that is alive. */
	readonly since?: number | undefined;
	readonly pid?: number | undefined;
}
