/** Gives numbers for things, as the protocol wants them, and the things for the numbers. From 1 on; 0 stands for nothing there. */
export class Numbers<Thing> {
	private readonly things = new Map<number, Thing>();
	private next = 1;

	add(thing: Thing): number {
		const number = this.next++;
		this.things.set(number, thing);
		return number;
	}

	/** In the place of what had this number. */
	put(number: number, thing: Thing): void {
		this.things.set(number, thing);
	}

	get(number: number): Thing | undefined {
		return this.things.get(number);
	}

	/** A number is never given twice: who still asks for it gets nothing. */
	remove(isGone: (thing: Thing) => boolean): void {
		for (const [number, thing] of this.things) if (isGone(thing)) this.things.delete(number);
	}
}

/** The same number for the same text, for as long as the session lasts. */
export class Names {
	private readonly numbers = new Map<string, number>();
	private readonly texts: string[] = [];

	numberOf(text: string): number {
		let number = this.numbers.get(text);
		if (number === undefined) {
			number = this.texts.push(text);
			this.numbers.set(text, number);
		}
		return number;
	}

	textOf(number: number): string | undefined {
		return this.texts[number - 1];
	}
}
