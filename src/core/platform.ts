import type { SessionFiles } from './transcripts/sessionFiles.ts';
import type { TranscriptFiles } from './transcripts/files.ts';

/** What core asks of the world. Each port is declared by the stage that needs it; an implementation carries its runtime's name. */
export interface Platform {
	readonly files: TranscriptFiles;
	readonly liveness: LivenessProbe;
	readonly clock: Clock;
}

export interface Clock {
	/** Epoch milliseconds. */
	now(): number;
}

/** Finds out whether the process that writes a session still runs. */
export interface LivenessProbe {
	/**
	 * What the system tells about the session's processes.
	 * @param facts What its transcript says: the agent's version, and the time of the last event.
	 */
	probe(
		session: SessionFiles,
		facts: { readonly agentVersion: string | undefined; readonly lastEventAt: number | undefined },
	): Promise<ProcessEvidence>;
}

export interface ProcessEvidence {
	readonly state: 'live' | 'ended' | 'unknown';
	/** A sentence: how this is known. */
	readonly evidence: string;
	/** When the process began that is alive. */
	readonly since?: number | undefined;
	readonly pid?: number | undefined;
}
