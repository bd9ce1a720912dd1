import { NodeUpstreams } from '../../../../src/platform/node/upstreams/nodeUpstreams.ts';
import type {
	OutgoingRequest,
	RequestFailure,
	TransportExit,
	TransportListener,
	UpstreamTransport,
} from '../../../../src/core/host/ports.ts';
import type { ServerTransport } from '../../../../src/core/host/serverDefinition.ts';

/** A connection with everything it has told so far, in order and as text, so that a test can compare it as a whole. */
export class Observed implements TransportListener {
	readonly told: string[] = [];
	readonly messages: Buffer[] = [];
	readonly failures = new Map<number, RequestFailure>();
	stderr = '';
	exit: TransportExit | undefined;
	readonly transport: UpstreamTransport;
	private readonly waiting = new Set<() => void>();

	constructor(transport: ServerTransport) {
		this.transport = new NodeUpstreams().open(transport, this);
	}

	/** Sends a request, or with `id` undefined a notification. */
	send(id: number | undefined, method: string, more: Partial<OutgoingRequest> & { params?: object } = {}): void {
		const { params, ...rest } = more;
		const message = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
		const request = { name: undefined, headers: undefined, protocolVersion: undefined, ...rest };
		this.transport.send(message, id === undefined ? undefined : { id, method, ...request });
	}

	/** Resolves when `isTrue`, which is asked again after everything that is told. */
	async until(isTrue: () => boolean, milliseconds = 30_000): Promise<void> {
		const deadline = Date.now() + milliseconds;
		while (!isTrue()) {
			const left = deadline - Date.now();
			if (left <= 0) throw new Error(`It did not come to this in ${milliseconds} ms:\n${this.told.join('\n')}`);
			await new Promise<void>((resolve) => {
				const timer = setTimeout(resolve, Math.min(left, 1000));
				this.waiting.add(() => {
					clearTimeout(timer);
					resolve();
				});
			});
		}
	}

	onOpened(): void {
		this.tell('opened');
	}

	onMessage(message: Uint8Array, relatedTo: number | undefined): void {
		this.messages.push(Buffer.from(message));
		const text = Buffer.from(message.subarray(0, 200)).toString();
		this.tell(`message ${text}${relatedTo === undefined ? '' : ` for ${relatedTo}`}`);
	}

	onNoise(text: string): void {
		this.tell(`noise ${text.slice(0, 200).trimEnd()}`);
	}

	onStderr(text: string): void {
		this.stderr += text;
		this.wake();
	}

	onRequestFailed(id: number, failure: RequestFailure): void {
		this.failures.set(id, failure);
		const mayHaveRun = failure.mayHaveRun ? 'may have run' : 'has not run';
		this.tell(`failed ${id} (${mayHaveRun}${failure.isSessionLost ? ', session lost' : ''}): ${failure.reason}`);
	}

	onClosed(exit: TransportExit): void {
		this.exit = exit;
		const how = exit.signal ?? exit.code;
		this.tell(`closed${how === null ? '' : ` ${how}`}${exit.isHopeless ? ' (hopeless)' : ''}: ${exit.reason}`);
	}

	private tell(what: string): void {
		this.told.push(what);
		this.wake();
	}

	private wake(): void {
		for (const resolve of this.waiting) resolve();
		this.waiting.clear();
	}
}
