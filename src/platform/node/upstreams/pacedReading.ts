import type { Readable } from 'node:stream';

/** What is read from one stream before everything else in the process has its turn: a server that floods us harms nobody else. */
const BYTES_PER_TURN = 64 * 1024;

/** Hands on what a stream brings, in turns. The stream gives buffers: it has no encoding set. */
export function readInTurns(stream: Readable, onChunk: (chunk: Buffer) => void): void {
	let read = 0;
	const goOn = (): void => {
		read = 0;
		stream.resume();
	};
	stream.on('data', (chunk: Buffer) => {
		onChunk(chunk);
		read += chunk.length;
		if (read < BYTES_PER_TURN) return;
		stream.pause();
		setImmediate(goOn);
	});
}
