// The catalogue of tools as a file of the data directory, which the host writes.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ExpectedError } from '../../../core/base/errors.ts';
import type { CataloguedTool } from '../../../core/events/sessionEvent.ts';
import { MemoryToolCatalogue, readCatalogue } from '../../../core/host/toolCatalogue.ts';
import type { ToolCatalogue } from '../../../core/host/toolCatalogue.ts';
import { catalogueFile } from '../toolCatalogue.ts';
import { codeOf, isErrno } from '../errno.ts';
import { readRegularText } from '../regularFile.ts';
import { writePrivateFile } from './dataDirectory.ts';

/** A host writes less; whatever is longer is not read. */
const mostBytes = 64 * 1024 * 1024;
/** Servers tell of many tools at once. */
const gatherMs = 100;

/** The host's side: what changes is written soon, all at once. */
export class CatalogueFile {
	readonly catalogue: ToolCatalogue;
	private readonly path: string;
	private readonly memory: MemoryToolCatalogue;
	private readonly warn: (sentence: string) => void;
	private timer: NodeJS.Timeout | undefined;
	private writing: Promise<void> = Promise.resolve();
	private isChanged = false;
	private hasFailed = false;

	private constructor(path: string, tools: readonly CataloguedTool[], warn: (sentence: string) => void) {
		this.path = path;
		this.warn = warn;
		this.memory = new MemoryToolCatalogue(tools, () => this.plan());
		this.catalogue = this.memory;
	}

	/** Goes on with what is there. What cannot be read is written anew, and said so. */
	static async open(directory: string, warn: (sentence: string) => void): Promise<CatalogueFile> {
		const path = join(directory, catalogueFile);
		const tools = await readCatalogueFile(path);
		if (typeof tools === 'string') warn(`${tools} It will be written anew.`);
		return new CatalogueFile(path, typeof tools === 'string' ? [] : tools, warn);
	}

	/** Writes what is still to be written. Does not reject. */
	async close(): Promise<void> {
		clearTimeout(this.timer);
		this.timer = undefined;
		this.write();
		await this.writing;
	}

	private plan(): void {
		this.isChanged = true;
		this.timer ??= setTimeout(() => {
			this.timer = undefined;
			this.write();
		}, gatherMs);
	}

	private write(): void {
		this.writing = this.writing.then(async () => {
			if (!this.isChanged) return;
			this.isChanged = false;
			try {
				await writePrivateFile(this.path, `${this.memory.text}\n`);
				this.hasFailed = false;
			} catch (error) {
				if (!(error instanceof ExpectedError)) throw error;
				// Agents are served with or without it; the next change tries again.
				if (!this.hasFailed) this.warn(error.message);
				this.hasFailed = true;
			}
		});
	}
}

/** The tools in it, none where there is no such file; or a sentence that says why it cannot be read. */
export async function readCatalogueFile(path: string): Promise<readonly CataloguedTool[] | string> {
	try {
		if ((await stat(path)).size > mostBytes) return `The catalogue of tools ${path} is too long.`;
		const found = readCatalogue(await readRegularText(path));
		return typeof found === 'string' ? `The catalogue of tools ${path} cannot be used: ${found}` : found;
	} catch (error) {
		if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return [];
		return `The catalogue of tools ${path} cannot be read${codeOf(error)}.`;
	}
}
