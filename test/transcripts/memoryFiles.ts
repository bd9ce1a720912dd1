import { ExpectedError } from '../../src/core/base/errors.ts';
import type { DirectoryEntry, FileStat, OpenFile, TranscriptFiles } from '../../src/core/transcripts/files.ts';

/** A file system in memory, in which a test can do what is hard to time on a disk. */
export class MemoryFiles implements TranscriptFiles {
	readonly separator = '/';
	private readonly contents = new Map<string, { bytes: Uint8Array; identity: number; modifiedAt: number }>();
	private lastModifiedAt = 0;
	private readonly refused = new Map<string, string>();
	private nextIdentity = 1;
	/** Called before each read of an open file. */
	onRead: (path: string) => void = () => undefined;
	/** The most that one read gives; small ones cut lines and characters in two. */
	readLimit = Number.POSITIVE_INFINITY;
	bytesRead = 0;

	get paths(): readonly string[] {
		return [...this.contents.keys()];
	}

	bytes(path: string): Uint8Array {
		return this.contents.get(path)?.bytes ?? new Uint8Array(0);
	}

	/** A new file in the place of whatever was there. */
	write(path: string, content: string | Uint8Array): void {
		const identity = this.nextIdentity++;
		this.contents.set(path, { bytes: bytesOf(content), identity, modifiedAt: ++this.lastModifiedAt });
	}

	append(path: string, content: string | Uint8Array): void {
		const known = this.contents.get(path);
		if (known === undefined) this.write(path, content);
		else this.change(path, Buffer.concat([known.bytes, bytesOf(content)]));
	}

	/** The same file, cut. */
	truncate(path: string, length: number): void {
		this.change(path, this.bytes(path).slice(0, length));
	}

	/** The same file with other bytes. */
	change(path: string, content: string | Uint8Array): void {
		const known = this.contents.get(path);
		if (known === undefined) return;
		known.bytes = bytesOf(content);
		this.touch(path);
	}

	/** The same file with the same bytes, at another time. */
	touch(path: string): void {
		const known = this.contents.get(path);
		if (known !== undefined) known.modifiedAt = ++this.lastModifiedAt;
	}

	/** The same file under another name. */
	rename(path: string, to: string): void {
		const known = this.contents.get(path);
		if (known === undefined) return;
		this.contents.delete(path);
		this.contents.set(to, known);
	}

	remove(path: string): void {
		this.contents.delete(path);
	}

	/** From now on every use of the file or folder fails with this sentence. */
	refuse(path: string, message: string): void {
		this.refused.set(path, message);
	}

	async stat(path: string): Promise<FileStat | undefined> {
		const known = this.contents.get(path);
		if (known !== undefined) {
			const { bytes, identity, modifiedAt } = known;
			return { isDirectory: false, size: bytes.length, modifiedAt, identity: String(identity) };
		}
		return this.isFolder(path) ? { isDirectory: true, size: 0, modifiedAt: 0, identity: path } : undefined;
	}

	async list(path: string): Promise<readonly DirectoryEntry[]> {
		this.check(path);
		const entries = new Map<string, DirectoryEntry>();
		for (const file of this.contents.keys()) {
			if (!file.startsWith(`${path}/`)) continue;
			const [name = '', ...rest] = file.slice(path.length + 1).split('/');
			entries.set(name, { name, isDirectory: rest.length > 0 });
		}
		return [...entries.values()];
	}

	allocate(length: number): Uint8Array {
		// Line ends all over, so that whoever looks beyond what was read is found out.
		return Buffer.alloc(length, '\n');
	}

	async open(path: string): Promise<OpenFile> {
		this.check(path);
		if (!this.contents.has(path)) throw new ExpectedError('The file is no longer there.');
		return {
			read: async (into, offset) => {
				this.onRead(path);
				this.check(path);
				const piece = this.bytes(path).subarray(offset, offset + Math.min(into.length, this.readLimit));
				into.set(piece);
				this.bytesRead += piece.length;
				return piece.length;
			},
			close: async () => undefined,
		};
	}

	private isFolder(path: string): boolean {
		return this.paths.some((file) => file.startsWith(`${path}/`)) || this.refused.has(path);
	}

	private check(path: string): void {
		const message = this.refused.get(path);
		if (message !== undefined) throw new ExpectedError(message);
	}
}

function bytesOf(content: string | Uint8Array): Uint8Array {
	return typeof content === 'string' ? Buffer.from(content) : content;
}
