// "npm ci" must work for everybody, on every platform and from every registry.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

interface Locked {
	readonly resolved?: string;
	readonly link?: boolean;
	readonly optionalDependencies?: Readonly<Record<string, string>>;
}

describe('the lock file', () => {
	// Written by npm.
	const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
		packages: Readonly<Record<string, Locked>>;
	};

	it('has the binaries of every platform', () => {
		// npm leaves out, without a word, what it could not find when the lock file was written.
		const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
			Object.keys(optionalDependencies).filter((name) => !isLocked(path, name)),
		);
		assert.deepEqual(missing, []);
	});

	it('names no registry', () => {
		const named = Object.entries(packages).filter(
			([, { resolved, link }]) => resolved !== undefined && link !== true,
		);
		assert.deepEqual(named, []);
	});

	it('has exact versions for everything that the manifest asks for', () => {
		const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Record<
			string,
			Record<string, string> | undefined
		>;
		const inexact = ['dependencies', 'devDependencies']
			.flatMap((kind) => Object.entries(manifest[kind] ?? {}))
			.filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version));
		assert.deepEqual(inexact, []);
	});

	/** A package finds another in its own node_modules or in one further up. */
	function isLocked(from: string, name: string): boolean {
		if (`${from}/node_modules/${name}` in packages) return true;
		const parent = from.lastIndexOf('/node_modules/');
		return parent === -1 ? `node_modules/${name}` in packages : isLocked(from.slice(0, parent), name);
	}
});
