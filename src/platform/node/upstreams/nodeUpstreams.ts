import { assertNever } from '../../../core/base/errors.ts';
import type { TransportListener, UpstreamTransport, UpstreamTransports } from '../../../core/host/ports.ts';
import type { ServerTransport } from '../../../core/host/serverDefinition.ts';
import { HttpUpstream } from './httpUpstream.ts';
import { SseUpstream } from './sseUpstream.ts';
import { StdioUpstream } from './stdioUpstream.ts';

/** Connections to MCP servers, as Node makes them. */
export class NodeUpstreams implements UpstreamTransports {
	private readonly onStarted: (pid: number) => void;

	/** @param onStarted Told of every process that is started. */
	constructor(onStarted: (pid: number) => void = () => undefined) {
		this.onStarted = onStarted;
	}

	open(transport: ServerTransport, listener: TransportListener): UpstreamTransport {
		switch (transport.kind) {
			case 'stdio': {
				const upstream = new StdioUpstream(transport, listener);
				if (upstream.pid !== undefined) this.onStarted(upstream.pid);
				return upstream;
			}
			case 'http':
				return new HttpUpstream(transport, listener);
			case 'sse':
				return new SseUpstream(transport, listener);
			default:
				return assertNever(transport);
		}
	}
}
