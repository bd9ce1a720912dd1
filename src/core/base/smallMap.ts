/** More are kept in a `Map`. */
const mostSmall = 32;

/**
 * A map of what is in flight: few entries that come and go with each call, the longest kept first. A `Map` makes itself a new table every few
 * calls when entries come and go, and each table names the next one; where one has become old, V8 keeps all those after it, and what they
 * held, until it looks through everything.
 */
export class SmallMap<Key extends string | number, Value> {
	private readonly names: Key[] = [];
	private readonly held: Value[] = [];
	/** Everything, as long as it is more than a few. */
	private large: Map<Key, Value> | undefined;

	get size(): number {
		return this.large?.size ?? this.names.length;
	}

	get(key: Key): Value | undefined {
		if (this.large !== undefined) return this.large.get(key);
		const index = this.names.indexOf(key);
		return index < 0 ? undefined : this.held[index];
	}

	has(key: Key): boolean {
		return this.large?.has(key) ?? this.names.includes(key);
	}

	set(key: Key, value: Value): void {
		if (this.large !== undefined) {
			this.large.set(key, value);
			return;
		}
		const index = this.names.indexOf(key);
		if (index >= 0) this.held[index] = value;
		else if (this.names.length < mostSmall) {
			this.names.push(key);
			this.held.push(value);
		} else {
			const large = new Map(this.entries());
			this.clear();
			this.large = large.set(key, value);
		}
	}

	/** Gives whether it was there. */
	delete(key: Key): boolean {
		if (this.large !== undefined) {
			const wasThere = this.large.delete(key);
			if (this.large.size === 0) this.large = undefined;
			return wasThere;
		}
		const { names, held } = this;
		const index = names.indexOf(key);
		if (index < 0) return false;
		if (index < names.length - 1) {
			names.splice(index, 1);
			held.splice(index, 1);
		} else {
			names.pop();
			held.pop();
		}
		return true;
	}

	clear(): void {
		this.large = undefined;
		this.names.length = 0;
		this.held.length = 0;
	}

	/** Of the one that is kept for longest. */
	oldest(): Key | undefined {
		if (this.large === undefined) return this.names[0];
		const [first] = this.large.keys();
		return first;
	}

	/** As they are now, whatever is deleted meanwhile. */
	entries(): readonly (readonly [Key, Value])[] {
		if (this.large !== undefined) return [...this.large];
		// The two are of the same length.
		return this.names.map((key, index) => [key, this.held[index] as Value] as const);
	}
}
