/** JSON of a value that JSON can be, however deeply it is nested: `JSON.stringify` alone runs out of stack after some thousand levels. */
export function jsonText(value: unknown): string {
	try {
		return JSON.stringify(value);
	} catch (error) {
		if (!(error instanceof RangeError)) throw error;
		return written(value);
	}
}

/** The same for people; of what is nested so deeply on one line, since nobody could read its indentation. */
export function indentedJson(value: unknown): string {
	try {
		return JSON.stringify(value, undefined, 2);
	} catch (error) {
		if (!(error instanceof RangeError)) throw error;
		return written(value);
	}
}

function written(root: unknown): string {
	let text = '';
	/** What is still to come, the next one last: values, and what stands between them. */
	const rest: ({ readonly value: unknown } | string)[] = [{ value: root }];
	for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
		if (typeof next === 'string') text += next;
		else if (Array.isArray(next.value)) {
			const items = next.value as readonly unknown[];
			text += '[';
			rest.push(']');
			for (let index = items.length - 1; index >= 0; index--)
				rest.push({ value: items[index] }, index === 0 ? '' : ',');
		} else if (typeof next.value === 'object' && next.value !== null) {
			const members = Object.entries(next.value).filter(([, member]) => member !== undefined);
			text += '{';
			rest.push('}');
			for (const [index, [name, member]] of [...members.entries()].reverse())
				rest.push({ value: member }, `${index === 0 ? '' : ','}${JSON.stringify(name)}:`);
		} else text += JSON.stringify(next.value) ?? 'null';
	}
	return text;
}
