/** What is to happen, by time: a binary heap. What falls on the same time happens in the order in which it was added. */
export class EventQueue<T> {
	private readonly heap: Entry<T>[] = [];
	private added = 0;

	add(at: number, event: T): void {
		const entry = { at, order: this.added++, event };
		let place = this.heap.length;
		this.heap.push(entry);
		while (place > 0) {
			const parent = (place - 1) >> 1;
			const above = this.heap[parent];
			if (above === undefined || !isBefore(entry, above)) break;
			this.heap[place] = above;
			place = parent;
		}
		this.heap[place] = entry;
	}

	take(): { readonly at: number; readonly event: T } | undefined {
		const [first] = this.heap;
		const last = this.heap.pop();
		if (first === undefined || last === undefined || first === last) return first;
		let place = 0;
		for (;;) {
			const left = this.heap[2 * place + 1];
			const right = this.heap[2 * place + 2];
			const isRight = right !== undefined && left !== undefined && isBefore(right, left);
			const below = isRight ? right : left;
			if (below === undefined || !isBefore(below, last)) break;
			this.heap[place] = below;
			place = 2 * place + (isRight ? 2 : 1);
		}
		this.heap[place] = last;
		return first;
	}
}

interface Entry<T> {
	readonly at: number;
	readonly order: number;
	readonly event: T;
}

function isBefore(one: Entry<unknown>, other: Entry<unknown>): boolean {
	return one.at < other.at || (one.at === other.at && one.order < other.order);
}
