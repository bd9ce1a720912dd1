/** Numbers that look random and are the same for the same seed. Core has no randomness of its own, and a table must be reproducible. */
export class SeededRandom {
	// The state of sfc32 (Chris Doty-Humphrey, PractRand): 128 bits, passes the usual test batteries, and fast on 32-bit integers.
	private a: number;
	private b: number;
	private c: number;
	private counter = 1;
	/** Normal numbers come in pairs. */
	private spare: number | undefined;

	/** @param seed Two streams with different seeds have nothing to do with each other. */
	constructor(seed: string) {
		[this.a, this.b, this.c] = hashed(seed);
		for (let round = 0; round < 12; round++) this.next();
	}

	/** From 0 (included) to 1 (not included). */
	next(): number {
		const sum = (this.a + this.b + this.counter) | 0;
		this.counter = (this.counter + 1) | 0;
		this.a = this.b ^ (this.b >>> 9);
		this.b = (this.c + (this.c << 3)) | 0;
		this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
		return (sum >>> 0) / 0x1_0000_0000;
	}

	isTrue(probability: number): boolean {
		return this.next() < probability;
	}

	uniform(from: number, to: number): number {
		return from + (to - from) * this.next();
	}

	exponential(mean: number): number {
		return -mean * Math.log(1 - this.next());
	}

	logNormal({ median, sigma }: LogNormal): number {
		return median * Math.exp(sigma * this.normal());
	}

	private normal(): number {
		if (this.spare !== undefined) {
			const { spare } = this;
			this.spare = undefined;
			return spare;
		}
		const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
		const angle = 2 * Math.PI * this.next();
		this.spare = radius * Math.sin(angle);
		return radius * Math.cos(angle);
	}
}

export interface LogNormal {
	readonly median: number;
	readonly sigma: number;
}

export function meanOf({ median, sigma }: LogNormal): number {
	return median * Math.exp((sigma * sigma) / 2);
}

/** Three words of FNV-1a over the text, each begun differently. */
function hashed(text: string): [number, number, number] {
	return [word(0x811c_9dc5), word(0x9e37_79b9), word(0x85eb_ca6b)];

	function word(start: number): number {
		let hash = start;
		for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x0100_0193);
		return hash | 0;
	}
}
