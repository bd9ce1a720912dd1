import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CataloguedTool } from '../../core/events/sessionEvent.ts';
import type { ToolCatalogueReader } from '../../core/platform.ts';

/** Its name in the data directory. */
export const catalogueFile = 'tools.json';

/** What a host has written down of tools, for whoever reads a transcript. What is read is kept until the file is another. */
export class NodeToolCatalogue implements ToolCatalogueReader {
	private readonly directory: () => string;
	private readonly warn: (sentence: string) => void;
	private known: { readonly stamp: string; readonly tools: readonly CataloguedTool[] } = { stamp: '', tools: [] };

	/**
	 * @param directory The data directory; it may be another the next time.
	 * @param warn Takes a sentence for a person, once for each state of the file.
	 */
	constructor(directory: () => string, warn: (sentence: string) => void) {
		this.directory = directory;
		this.warn = warn;
	}

	async read(): Promise<readonly CataloguedTool[]> {
		const path = join(this.directory(), catalogueFile);
		const stamp = await stampOf(path);
		if (stamp === undefined) return [];
		if (stamp === this.known.stamp) return this.known.tools;
		// Most people have none: what reads one is loaded when there is one.
		const { readCatalogueFile } = await import('./host/catalogueFile.ts');
		const tools = await readCatalogueFile(path);
		if (typeof tools === 'string') this.warn(tools);
		this.known = { stamp, tools: typeof tools === 'string' ? [] : tools };
		return this.known.tools;
	}
}

async function stampOf(path: string): Promise<string | undefined> {
	try {
		const { ino, size, mtimeMs } = await stat(path);
		return `${path} ${ino} ${size} ${mtimeMs}`;
	} catch {
		// No host has written one, or nobody may look there: it is a help only.
		return undefined;
	}
}
