// JSON-RPC over one socket, as both sides of the control socket need it.

import type { Socket } from 'node:net';
import { StreamMessageReader, StreamMessageWriter, createMessageConnection } from 'vscode-jsonrpc/node';
import type { DataCallback, Disposable, MessageConnection } from 'vscode-jsonrpc/node';

export interface ConnectionOptions {
	/** In bytes. Whoever sends more without an end is not one of us. */
	readonly longestMessage: number;
	/** The other side has sent what cannot be understood. The socket is closed. */
	readonly onBroken: (error: Error) => void;
}

export function connectionOver(socket: Socket, { longestMessage, onBroken }: ConnectionOptions): MessageConnection {
	const reader = new WaryReader(socket, longestMessage, (sentence) => broken(new Error(sentence)));
	const connection = createMessageConnection(reader, new StreamMessageWriter(socket));
	connection.onError(([error]) => broken(error));
	connection.onClose(() => connection.dispose());
	return connection;

	function broken(error: Error): void {
		if (socket.destroyed) return;
		socket.destroy();
		onBroken(error);
	}
}

/** Every message begins with a header of this name. */
const beginning = 'content-';

/** The package's own reader looks for the end of a message for as long as memory lasts, and from the beginning with every piece. */
class WaryReader extends StreamMessageReader {
	private readonly socket: Socket;
	private readonly longestMessage: number;
	private readonly onBroken: (sentence: string) => void;
	private isFirst = true;
	private unread = 0;

	constructor(socket: Socket, longestMessage: number, onBroken: (sentence: string) => void) {
		super(socket);
		// Its timer for half a message would start again for ever, and keep the process after the socket is gone.
		this.partialMessageTimeout = 0;
		this.socket = socket;
		this.longestMessage = longestMessage;
		this.onBroken = onBroken;
	}

	override listen(callback: DataCallback): Disposable {
		this.socket.on('data', (chunk: Buffer) => {
			const first = chunk.toString('latin1', 0, beginning.length).toLowerCase();
			if (this.isFirst && !beginning.startsWith(first)) this.onBroken('It speaks another protocol.');
			this.isFirst = false;
			this.unread += chunk.length;
			if (this.unread > this.longestMessage) this.onBroken('A message is longer than any may be.');
		});
		return super.listen((message) => {
			this.unread = 0;
			callback(message);
		});
	}
}
