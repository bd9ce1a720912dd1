// What of Node's modules the runtime has too and we use. The types of Node itself would let in all the rest.

declare module 'node:crypto' {
	export function createHash(algorithm: 'sha256'): {
		update(utf8: string): { digest(encoding: 'hex'): string };
	};
}
