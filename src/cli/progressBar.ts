import type { CommandIo } from './io.ts';

const width = 30;

/** A bar on stderr for a person who waits at a terminal longer than a second. */
export class ProgressBar {
	private readonly io: CommandIo;
	private readonly total: number;
	private readonly timers: NodeJS.Timeout[] = [];
	private read = 0;
	private isShown = false;

	constructor(io: CommandIo, total: number) {
		this.io = io;
		this.total = total;
		if (!io.stderr.isTerminal || io.environment['TERM'] === 'dumb' || total === 0) return;
		const start = setTimeout(() => {
			this.draw();
			this.timers.push(setInterval(() => this.draw(), 100));
		}, 1000);
		this.timers.push(start);
	}

	add(bytes: number): void {
		this.read += bytes;
	}

	/** Leaves the terminal as it was. */
	end(): void {
		for (const timer of this.timers) clearTimeout(timer);
		if (this.isShown) this.io.stderr.write('\r\u001b[K');
	}

	private draw(): void {
		this.isShown = true;
		// What is appended meanwhile is read too.
		const share = Math.min(this.read / this.total, 1);
		const filled = Math.round(share * width);
		const bar = `${'█'.repeat(filled)}${'░'.repeat(width - filled)}`;
		this.io.stderr.write(`\r\u001b[KReading ${bar} ${Math.floor(share * 100)} % of ${megabytes(this.total)}`);
	}
}

function megabytes(bytes: number): string {
	return `${Math.max(1, Math.round(bytes / 1e6))} MB`;
}
