// The labelled tools of real servers: see corpus/README.md.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const folder = join(import.meta.dirname, 'corpus');

const CorpusServer = z.strictObject({
	server: z.string(),
	/** The package on npm that the schemas are from. */
	package: z.string(),
	version: z.string(),
	licence: z.string(),
	tools: z.array(
		z.strictObject({
			name: z.string(),
			description: z.string().nullable(),
			inputSchema: z.looseObject({}),
			expected: z.array(
				z.strictObject({
					path: z.string(),
					kind: z.enum(['context', 'project', 'place', 'tenant', 'environment', 'database', 'time', 'page']),
				}),
			),
		}),
	),
});
export type CorpusServer = z.infer<typeof CorpusServer>;

/** Every server of the corpus, in the order of the names of their files. Throws on a file that is not of the form. */
export function readCorpus(): CorpusServer[] {
	return readdirSync(folder)
		.filter((file) => file.endsWith('.json'))
		.sort()
		.map((file) => {
			const server = CorpusServer.parse(JSON.parse(readFileSync(join(folder, file), 'utf8')));
			if (`${server.server}.json` !== file) throw new Error(`${file} is about "${server.server}".`);
			return server;
		});
}

/** The part that a server belongs to, by its name alone: nobody chooses it. */
export function partOf(server: string): 'tune' | 'test' {
	let sum = 0;
	for (const character of server) sum += character.charCodeAt(0);
	return sum % 2 === 0 ? 'tune' : 'test';
}
