// One target per runtime. `--production` minifies, `--tests` adds the suites for the VS Code host, `--watch` builds again on every change.

import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, context, transform } from 'esbuild';

const root = dirname(fileURLToPath(import.meta.url));

/**
 * @typedef {object} Target
 * @property {string} name
 * @property {Record<string, string>} entries what it writes, without extension, and from which file
 * @property {string} outdir
 * @property {string} chunks the folder below outdir that is this target's alone
 * @property {boolean} isCommonJs
 * @property {readonly string[]} external
 */

/** @type {readonly Target[]} */
const shippedTargets = [
	{
		name: 'extension',
		entries: { extension: 'src/extension/extension.ts' },
		outdir: 'dist',
		chunks: 'extension',
		isCommonJs: true,
		external: ['vscode'],
	},
	{
		name: 'cli',
		entries: { cli: 'src/cli/bin.ts' },
		outdir: 'dist',
		chunks: 'cli',
		isCommonJs: false,
		external: [],
	},
	{
		name: 'sessionStore',
		entries: { sessionStore: 'src/platform/node/sessionStore.ts' },
		outdir: 'dist',
		chunks: 'sessionStore',
		isCommonJs: false,
		external: [],
	},
];

/** @returns {Target} */
function testTarget() {
	const folder = 'test/vscode/suite';
	const suites = readdirSync(join(root, folder)).filter((name) => name.endsWith('.test.ts'));
	return {
		name: 'vscodeTests',
		entries: {
			index: 'test/vscode/index.ts',
			...Object.fromEntries(suites.map((name) => [`suite/${name.slice(0, -'.ts'.length)}`, `${folder}/${name}`])),
		},
		outdir: 'out/vscode',
		chunks: 'chunks',
		isCommonJs: true,
		// Mocha loads its reporters and interfaces by file name, so it stays where npm put it.
		external: ['vscode', 'mocha'],
	};
}

/**
 * @param {{ production?: boolean, tests?: boolean, write?: boolean, plugins?: readonly import('esbuild').Plugin[] }} [options]
 * @returns {Promise<import('esbuild').BuildContext[]>}
 */
export async function createBuilds({ production = false, tests = false, write = true, plugins = [] } = {}) {
	const targets = tests ? [...shippedTargets, testTarget()] : shippedTargets;
	return Promise.all(targets.map((target) => context(buildOptions(target, { production, write, plugins }))));
}

/**
 * @param {Target} target
 * @param {{ production: boolean, write: boolean, plugins: readonly import('esbuild').Plugin[] }} settings
 * @returns {import('esbuild').BuildOptions}
 */
function buildOptions(target, { production, write, plugins }) {
	return {
		absWorkingDir: root,
		entryPoints: Object.entries(target.entries).map(([output, input]) => ({ in: input, out: output })),
		outdir: target.outdir,
		chunkNames: `${target.chunks}/[name]-[hash]`,
		bundle: true,
		platform: 'node',
		target: 'node22',
		external: [...target.external],
		// What is imported dynamically becomes a file of its own, loaded when it is first needed; what is shared is shared by all of them.
		format: 'esm',
		splitting: true,
		// A package in CommonJS asks for Node's own modules with `require`, which an ES module does not have.
		banner: target.isCommonJs
			? {}
			: {
					js: "import { createRequire as createRequireOf } from 'node:module';const require = createRequireOf(import.meta.url);",
				},
		outExtension: { '.js': target.isCommonJs ? '.cjs' : '.js' },
		// Some packages' "main" hides its requires from bundlers; their "module" does not.
		mainFields: ['module', 'main'],
		minify: production,
		sourcemap: production ? false : 'linked',
		sourcesContent: false,
		legalComments: 'none',
		metafile: true,
		logLevel: 'silent',
		plugins: [
			sqliteWorker(production),
			...(target.isCommonJs ? [commonJs()] : []),
			...(write ? [writeFiles(target)] : []),
			...plugins,
		],
		// The plugins write, after they have converted.
		write: false,
	};
}

/**
 * A thread starts with a program of its own. It goes into the bundle as text, so that no bundle, nor one made of it, has to find a file.
 * @param {boolean} isMinified
 * @returns {import('esbuild').Plugin}
 */
export function sqliteWorker(isMinified) {
	return {
		name: 'sqliteWorker',
		setup(outer) {
			outer.onLoad({ filter: /[\\/]sqliteWorkerEntry\.ts$/ }, async ({ path }) => {
				const { outputFiles, metafile } = await build({
					absWorkingDir: root,
					entryPoints: [join(dirname(path), 'sqliteWorker.ts')],
					bundle: true,
					platform: 'node',
					target: 'node22',
					// What a thread is given as text runs as a script.
					format: 'cjs',
					minify: isMinified,
					legalComments: 'none',
					metafile: true,
					logLevel: 'silent',
					write: false,
				});
				const entry = { source: outputFiles[0]?.text, isProgram: true };
				return {
					contents: `export const sqliteWorkerEntry = ${JSON.stringify(entry)};`,
					watchFiles: Object.keys(metafile.inputs).map((input) => join(root, input)),
				};
			});
		},
	};
}

/**
 * esbuild splits ES modules only, and the extension host wants CommonJS: so the finished files are converted one by one.
 * @returns {import('esbuild').Plugin}
 */
function commonJs() {
	return {
		name: 'commonJs',
		setup(build) {
			const { minify = false, sourcemap } = build.initialOptions;
			build.onEnd(async (result) => {
				for (const file of result.outputFiles ?? []) {
					if (!file.path.endsWith('.cjs')) continue;
					const map = result.outputFiles?.find((other) => other.path === `${file.path}.map`);
					/** @type {import('esbuild').TransformOptions} */
					const options = {
						format: 'cjs',
						// For Node it would name the exports once more, for ES modules that import such a file: there are none.
						platform: 'neutral',
						target: 'node22',
						supported: { 'dynamic-import': false },
						sourcemap: map !== undefined && sourcemap !== false ? 'external' : false,
						sourcesContent: false,
					};
					const converted = await transform(withInlineMap(file.text, map?.text), options);
					const code = withoutCopiedExports(converted.code);
					const minified = minify
						? await transform(code, { ...options, minify, treeShaking: true })
						: undefined;
					const link =
						map === undefined
							? ''
							: `//# sourceMappingURL=${file.path.slice(dirname(file.path).length + 1)}.map\n`;
					replaceContents(file, (minified?.code ?? code) + link);
					if (map !== undefined) replaceContents(map, converted.map);
				}
			});
		},
	};
}

/**
 * What a file exports is defined on an object that is copied then, and what copies it weighs more than many a file. It can be defined where it
 * belongs at once. No line moves, so that maps stay true.
 * @param {string} code
 */
function withoutCopiedExports(code) {
	return code
		.replace('var stdin_exports = {};', 'var stdin_exports = __defProp(exports, "__esModule", { value: true });')
		.replace('module.exports = __toCommonJS(stdin_exports);', '');
}

/**
 * @param {string} code
 * @param {string | undefined} map
 */
function withInlineMap(code, map) {
	const bare = code.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n');
	if (map === undefined) return bare;
	return `${bare}//# sourceMappingURL=data:application/json;base64,${Buffer.from(map).toString('base64')}\n`;
}

/**
 * @param {import('esbuild').OutputFile} file
 * @param {string} text
 */
function replaceContents(file, text) {
	const contents = Buffer.from(text);
	Object.defineProperties(file, { contents: { value: contents }, text: { value: text } });
}

/**
 * Files of earlier builds go only after the new ones are there, so that a window that is running keeps what it may still load.
 * @param {Target} target
 * @returns {import('esbuild').Plugin}
 */
function writeFiles(target) {
	return {
		name: 'writeFiles',
		setup(build) {
			build.onEnd(async (result) => {
				if (result.errors.length > 0) return;
				const files = result.outputFiles ?? [];
				for (const file of files) {
					await mkdir(dirname(file.path), { recursive: true });
					await writeFile(file.path, file.contents, { mode: file.text.startsWith('#!') ? 0o755 : 0o644 });
					if (build.initialOptions.sourcemap === false) await rm(`${file.path}.map`, { force: true });
				}
				const chunks = join(root, target.outdir, target.chunks);
				const current = new Set(files.map((file) => file.path));
				for (const name of existsSync(chunks) ? await readdir(chunks) : []) {
					if (!current.has(join(chunks, name))) await rm(join(chunks, name), { force: true });
				}
				const metafile = join(root, 'out', 'meta', `${target.name}.json`);
				await mkdir(dirname(metafile), { recursive: true });
				await writeFile(metafile, JSON.stringify(result.metafile));
			});
		},
	};
}

/**
 * The types of the library, and of what they mention.
 * @param {string} outdir
 * @returns {Promise<string>} what is wrong with them
 */
export async function writeTypes(outdir) {
	const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
	const project = join(root, 'tsconfig.types.json');
	await rm(outdir, { recursive: true, force: true });
	/** @type {string} */
	const output = await new Promise((resolve) => {
		execFile(process.execPath, [compiler, '--project', project, '--outDir', outdir], (error, stdout, stderr) =>
			resolve(error === null ? '' : stdout + stderr),
		);
	});
	if (output !== '') return output;
	/** @type {Set<string>} */
	const mentioned = new Set();
	const queue = [join(outdir, 'platform', 'node', 'sessionStore.d.ts')];
	for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
		if (mentioned.has(path)) continue;
		mentioned.add(path);
		const text = await readFile(path, 'utf8');
		const folder = dirname(path);
		const imported = /(\bfrom '\.[^']*)\.ts';/g;
		for (const [, start = ''] of text.matchAll(imported)) {
			queue.push(join(folder, `${start.slice(start.indexOf("'") + 1)}.d.ts`));
		}
		// A user's compiler finds the types of a file by the name that the file would have.
		await writeFile(path, text.replace(imported, "$1.js';"));
	}
	for (const entry of await readdir(outdir, { recursive: true, withFileTypes: true })) {
		const path = join(entry.parentPath, entry.name);
		if (entry.isFile() && !mentioned.has(path)) await rm(path);
	}
	return '';
}

/**
 * Prints what the problem matchers for esbuild in VS Code read. The targets build side by side; for the reader it is one build.
 * @returns {import('esbuild').Plugin}
 */
function watchLines() {
	let running = 0;
	return {
		name: 'watchLines',
		setup(build) {
			build.onStart(() => {
				if (running++ === 0) console.log('[watch] build started');
			});
			build.onEnd((result) => {
				printMessages(result);
				if (--running === 0) console.log('[watch] build finished');
			});
		},
	};
}

/** @param {Pick<import('esbuild').BuildResult, 'errors' | 'warnings'>} result */
function printMessages({ errors, warnings }) {
	for (const [kind, messages] of /** @type {const} */ ([
		['ERROR', errors],
		['WARNING', warnings],
	])) {
		for (const { text, location } of messages) {
			console.error(`✘ [${kind}] ${text}`);
			// A missing entry point or a failing plugin has no location.
			if (location !== null) {
				console.error(
					`    ${relative(process.cwd(), join(root, location.file))}:${location.line}:${location.column}:`,
				);
			}
		}
	}
}

/** @param {readonly string[]} arguments_ */
async function main(arguments_) {
	const isWatch = arguments_.includes('--watch');
	const builds = await createBuilds({
		production: arguments_.includes('--production'),
		tests: arguments_.includes('--tests'),
		plugins: isWatch ? [watchLines()] : [],
	});
	if (isWatch) {
		await Promise.all(builds.map((build) => build.watch()));
		return;
	}
	let hasFailed = false;
	for (const build of builds) {
		// A failed build rejects with the very result whose messages are to be printed.
		const result = await build.rebuild().catch((/** @type {import('esbuild').BuildFailure} */ failure) => failure);
		printMessages(result);
		hasFailed ||= result.errors.length > 0;
		await build.dispose();
	}
	const wrongTypes = await writeTypes(join(root, 'dist', 'types'));
	if (wrongTypes !== '') console.error(wrongTypes);
	if (hasFailed || wrongTypes !== '') process.exitCode = 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
