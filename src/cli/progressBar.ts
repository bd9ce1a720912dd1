import type { CommandIo } from './io.ts';

const width = 30;

export interface ProgressWords {
	/** What is being done. */
	readonly doing: string;
	/** All that there is to do. */
	readonly all: (total: number) => string;
}

const reading: ProgressWords = { doing: 'Reading', all: megabytes };

/** A bar on stderr for a person who waits at a terminal longer than a second. */
export class ProgressBar {
	private readonly io: CommandIo;
	private readonly total: number;
	private readonly words: ProgressWords;
	private readonly timers: NodeJS.Timeout[] = [];
	private finished = 0;
	private isShown = false;

	/** @param total In any unit: bytes, where no words are given. */
	constructor(io: CommandIo, total: number, words = reading) {
		this.io = io;
		this.total = total;
		this.words = words;
		if (!io.stderr.isTerminal || io.environment['TERM'] === 'dumb' || total === 0) return;
		const start = setTimeout(() => {
			this.draw();
			this.timers.push(setInterval(() => this.draw(), 100));
		}, 1000);
		this.timers.push(start);
	}

	add(amount: number): void {
		this.finished += amount;
	}

	/** Leaves the terminal as it was. */
	end(): void {
		for (const timer of this.timers) clearTimeout(timer);
		if (this.isShown) this.io.stderr.write('\r\u001b[K');
	}

	private draw(): void {
		this.isShown = true;
		// What is appended meanwhile is read too.
		const share = Math.min(this.finished / this.total, 1);
		const filled = Math.round(share * width);
		const bar = `${'█'.repeat(filled)}${'░'.repeat(width - filled)}`;
		const { doing, all } = this.words;
		this.io.stderr.write(`\r\u001b[K${doing} ${bar} ${Math.floor(share * 100)} % of ${all(this.total)}`);
	}
}

function megabytes(bytes: number): string {
	return `${Math.max(1, Math.round(bytes / 1e6))} MB`;
}
