import assert from 'node:assert/strict';
import { MemoryIo } from './memoryIo.ts';
import { main } from '../../src/cli/main.ts';
import { DebugInput } from '../../src/cli/debugInput.ts';

function message(body: string): string {
	return `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

const initialize = message(
	JSON.stringify({ seq: 1, type: 'request', command: 'initialize', arguments: { adapterID: 'crosstalk' } }),
);

describe('crosstalk debug', () => {
	const wrong: readonly [title: string, input: string, why: string][] = [
		['a line of text', 'garbage\n', 'it has no header'],
		['text that never ends', 'x'.repeat(5000), 'it has no header'],
		['a header of something else', 'GET / HTTP/1.1\r\n\r\n', 'it has no header'],
		['JSON without a header', '{"seq":1}\n', 'it has no header'],
		['a header without a length', 'Content-Type: x\r\n\r\n{}', 'its header has no Content-Length'],
		['a length that is none', 'Content-Length: many\r\n\r\n{}', 'its header has no Content-Length'],
		['a body that is no JSON', 'Content-Length: 5\r\n\r\nabcde', 'it is no JSON object'],
		['a body that is no object', message('[1]'), 'it is no JSON object'],
		['null', message('null'), 'it is no JSON object'],
		['a message beyond all measure', 'Content-Length: 999999999\r\n\r\n{', 'it would be 999999999 bytes long'],
		['noise after messages', `${initialize}\u0000\u0001\n`, 'it has no header'],
	];
	for (const [title, input, why] of wrong) {
		it(`ends with one sentence for ${title}`, async () => {
			const io = new MemoryIo();
			const ended = main(['debug'], io);
			// The other side keeps its end open.
			io.pipe.input.write(input);
			assert.equal(await ended, 2);
			assert.equal(
				io.stderr.text,
				`crosstalk: What has come on stdin is no message of the Debug Adapter Protocol: ${why}. This command is for editors that start it.\n`,
			);
		});
	}

	it('says that the input was cut off', async () => {
		const io = new MemoryIo();
		const ended = main(['debug'], io);
		io.pipe.input.end(initialize.slice(0, -3));
		assert.equal(await ended, 2);
		assert.match(io.stderr.text, /^crosstalk: [^\n]*: it is cut off\.[^\n]*\n$/);
	});

	it('has nothing to say of a client that goes', async () => {
		for (const input of ['', initialize]) {
			const io = new MemoryIo();
			const ended = main(['debug'], io);
			io.pipe.input.end(input);
			assert.equal(await ended, 0);
			assert.equal(io.stderr.text, '');
		}
	});

	it('takes messages in whatever pieces they come', () => {
		const input = new DebugInput();
		const text = `${initialize}Content-Type: a\r\n${message('{"text":"ä"}')}${initialize}`;
		for (const byte of Buffer.from(text)) assert.equal(input.push(Uint8Array.of(byte)), undefined);
		assert.equal(input.end(), undefined);
	});
});
