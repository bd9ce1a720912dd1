// JSON-RPC over one socket, as both sides of the control socket need it.

import type { Socket } from 'node:net';
import { StreamMessageReader, StreamMessageWriter, createMessageConnection } from 'vscode-jsonrpc/node';
import type { DataCallback, Disposable, MessageConnection } from 'vscode-jsonrpc/node';

/** Far more than a status of thousands of calls. Whoever sends more without an end is not one of us. */
const longestMessage = 64 * 1024 * 1024;

/** @param onBroken The other side has sent what cannot be understood. The socket is closed. */
export function connectionOver(socket: Socket, onBroken: (error: Error) => void): MessageConnection {
	const reader = new BoundedReader(socket, () => broken(new Error('A message is longer than any may be.')));
	const connection = createMessageConnection(reader, new StreamMessageWriter(socket));
	connection.onError(([error]) => broken(error));
	connection.onClose(() => connection.dispose());
	return connection;

	function broken(error: Error): void {
		socket.destroy();
		onBroken(error);
	}
}

/** The package's own reader waits for the end of a message for as long as memory lasts. */
class BoundedReader extends StreamMessageReader {
	private readonly socket: Socket;
	private readonly onTooLong: () => void;
	private unread = 0;

	constructor(socket: Socket, onTooLong: () => void) {
		super(socket);
		this.socket = socket;
		this.onTooLong = onTooLong;
	}

	override listen(callback: DataCallback): Disposable {
		this.socket.on('data', ({ length }: Buffer) => {
			this.unread += length;
			if (this.unread > longestMessage) this.onTooLong();
		});
		return super.listen((message) => {
			this.unread = 0;
			callback(message);
		});
	}
}
