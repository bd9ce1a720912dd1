import { scopeParametersOf } from '../src/core/scope/index.ts';
import { partOf, readCorpus } from '../test/scope/corpus.ts';
import { report } from './measure.ts';

// How much of what real servers call a scope is found, and how much of what is found is one: test/scope/corpus/README.md. The rules were
// made on one part of the servers and are held to their measure on the other. `--misses` lists what is wrong in the part to tune on, and
// in no other: who has seen the misses of the test part has no test any more.

const isListing = process.argv.includes('--misses');
const corpus = readCorpus();

for (const part of ['tune', 'test'] as const) {
	const servers = corpus.filter((server) => partOf(server.server) === part);
	const tally = { tools: 0, labelled: 0, found: 0, paths: 0, kinds: 0 };
	for (const { server, tools } of servers) {
		const described = tools.map(({ name, description, inputSchema }) => ({
			server,
			name,
			description: description ?? undefined,
			inputSchema: JSON.stringify(inputSchema),
		}));
		for (const [index, { name, expected }] of tools.entries()) {
			const own = described[index];
			if (own === undefined) continue;
			const answer = scopeParametersOf(own, undefined, undefined, described);
			// What lies deeper is not labelled, so that nothing can be said of it.
			const found = 'reason' in answer ? [] : answer.filter(({ path }) => path.split('.').length <= 3);
			const kinds = new Map(expected.map(({ path, kind }) => [path, kind]));
			const right = found.filter(({ path }) => kinds.has(path));
			tally.tools++;
			tally.labelled += expected.length;
			tally.found += found.length;
			tally.paths += right.length;
			tally.kinds += right.filter(({ path, kind }) => kinds.get(path) === kind).length;
			if (!isListing || part === 'test') continue;
			const tool = `${server} ${name}`;
			if ('reason' in answer) console.log(`unknown     ${tool}: ${answer.reason}`);
			for (const { path, kind } of expected) {
				if (!found.some((one) => one.path === path)) console.log(`not found   ${tool} ${path} (${kind})`);
			}
			for (const { path, kind, evidence } of found) {
				const label = kinds.get(path);
				const why = evidence.map(({ sentence }) => sentence).join(' ');
				if (label === undefined) console.log(`not a scope ${tool} ${path} (${kind}): ${why}`);
				else if (label !== kind) console.log(`other kind  ${tool} ${path} is ${label}, not ${kind}: ${why}`);
			}
		}
	}
	const bound = part === 'test' ? ({ at: 'least', value: 0.9 } as const) : undefined;
	console.log(`${part} part: ${servers.length} servers, ${tally.tools} tools, ${tally.labelled} labelled parameters`);
	report(`${part} part: precision by path`, tally.paths / tally.found, '', bound);
	report(`${part} part: recall by path`, tally.paths / tally.labelled, '', bound);
	// Whether a parameter is a scope is what is promised; which kind of one is a matter of words (`namespace`).
	report(`${part} part: precision by path and kind`, tally.kinds / tally.found, '');
	report(`${part} part: recall by path and kind`, tally.kinds / tally.labelled, '');
}
report('servers in both parts', corpus.length, '', { at: 'least', value: 60 });
