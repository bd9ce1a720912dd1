/**
 * The durations of the last calls, for the percentiles that people look at: what a server does now, not what it did an hour ago.
 * Exact over the calls it holds, in memory that does not grow.
 */
export class RecentDurations {
	private readonly ring: Float64Array;
	private count = 0;
	private next = 0;
	/** In order; made when somebody asks, and again only after more calls. */
	private sorted: Float64Array | undefined;

	/** @param capacity Of a thousand calls the 99th percentile still has ten above it. */
	constructor(capacity = 1024) {
		this.ring = new Float64Array(capacity);
	}

	add(milliseconds: number): void {
		this.ring[this.next] = milliseconds;
		this.next = this.next + 1 === this.ring.length ? 0 : this.next + 1;
		if (this.count < this.ring.length) this.count++;
		this.sorted = undefined;
	}

	/** The smallest duration that at least this fraction of the calls did not exceed, to the microsecond; `null` before the first call. */
	quantile(fraction: number): number | null {
		if (this.count === 0) return null;
		this.sorted ??= this.ring.slice(0, this.count).sort();
		const rank = Math.min(this.count - 1, Math.max(0, Math.ceil(fraction * this.count) - 1));
		return Math.round((this.sorted[rank] ?? 0) * 1000) / 1000;
	}

	get p50Ms(): number | null {
		return this.quantile(0.5);
	}

	get p99Ms(): number | null {
		return this.quantile(0.99);
	}
}
