/** What the reading of transcripts needs of a file system. Paths are absolute and in the system's own notation. */
export interface TranscriptFiles {
	/** The separator of paths. */
	readonly separator: string;
	/** `undefined`: nothing is there. */
	stat(path: string): Promise<FileStat | undefined>;
	/** The entries of a folder in no particular order. Rejects with an `ExpectedError` when it cannot be read. */
	list(path: string): Promise<readonly DirectoryEntry[]>;
	/** Memory to read into, of the kind that this runtime searches fastest; what is in it does not matter. */
	allocate(length: number): Uint8Array;
	/** Opens a file for reading. Rejects with an `ExpectedError` when it cannot be opened. */
	open(path: string): Promise<OpenFile>;
}

export interface FileStat {
	readonly isDirectory: boolean;
	readonly size: number;
	/** Epoch milliseconds. */
	readonly modifiedAt: number;
	/** Another file under the same path has another identity. */
	readonly identity: string;
}

export interface DirectoryEntry {
	readonly name: string;
	readonly isDirectory: boolean;
}

export interface OpenFile {
	/** Fills `into` from `offset` on and gives the number of bytes read; 0 at the end. */
	read(into: Uint8Array, offset: number): Promise<number>;
	close(): Promise<void>;
}

/** The last part of a path. */
export function baseName(files: TranscriptFiles, path: string): string {
	return path.slice(path.lastIndexOf(files.separator) + 1);
}

/** The folder that holds a path. */
export function parentFolder(files: TranscriptFiles, path: string): string {
	const end = path.lastIndexOf(files.separator);
	return end <= 0 ? files.separator : path.slice(0, end);
}

export function joinPath(files: TranscriptFiles, ...parts: readonly string[]): string {
	return parts.join(files.separator);
}

/** A path as VS Code has it of a file's URI, and gives it to what it starts: on Windows with backslashes and a small letter for the drive. */
export function pathOfUri({ separator }: Pick<TranscriptFiles, 'separator'>, path: string): string {
	if (separator === '/') return path;
	return path.replaceAll('/', separator).replace(/^[A-Z]:/, (drive) => drive.toLowerCase());
}
