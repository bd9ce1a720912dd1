// What the tests of the documentation read of a page.

import { readFileSync } from 'node:fs';
import { posix } from 'node:path';

/** A link of a page to a file of the repository. */
export interface Link {
	/** From the root of the repository on; the page's own for a link within it. */
	readonly path: string;
	/** Behind the `#`. */
	readonly anchor: string | undefined;
}

/** Every link and picture of the page that leads to no other site. @param page Its path from the root of the repository on. */
export function linksIn(page: string): readonly Link[] {
	const prose = withoutCode(readFileSync(page, 'utf8')).replaceAll(/`[^`\n]*`/g, '');
	return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
		.map(([, target = '']) => target)
		.filter((target) => !/^[a-z]+:/.test(target))
		.map((target) => {
			const [path = '', anchor] = target.split('#');
			return { path: path === '' ? page : posix.join(posix.dirname(page), path), anchor };
		});
}

/** What links within a page can lead to: its headings as GitHub and VS Code name them. */
export function anchorsOf(page: string): ReadonlySet<string> {
	const anchors = new Set<string>();
	for (const [, heading = ''] of withoutCode(readFileSync(page, 'utf8')).matchAll(/^#+ +(.+)$/gm)) {
		const name = heading
			.toLowerCase()
			.replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
			.trim()
			.replaceAll(/\s/g, '-');
		let anchor = name;
		for (let count = 1; anchors.has(anchor); count++) anchor = `${name}-${count}`;
		anchors.add(anchor);
	}
	return anchors;
}

function withoutCode(text: string): string {
	return text.replaceAll(/^```[\s\S]*?^```/gm, '');
}
