/**
 * Where events are kept: JSON lines. A line is `head`, then the raw message as the member `message`, then a closing brace, so that a
 * message is never encoded a second time and whoever reads the log finds its body at a place in the log's own file.
 */
export interface EventLog {
	/** A longer message is let go before anybody looks into it. */
	readonly maximumMessageBytes: number;
	/**
	 * Takes one event. Returns at once and never throws; the writing comes later. Of a disk that is too slow the bodies are let go
	 * first: the event then says how many bytes are missing, as `droppedBytes` in place of `message`.
	 * @param head One JSON object without its closing brace and without line ends.
	 * @param message One JSON value without line ends. The bytes must not change any more.
	 * @returns Whether the event was taken. The log says to a person when and why it takes none.
	 */
	append(head: string, message: Uint8Array | undefined): boolean;
}
