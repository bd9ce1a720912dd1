import { assertNever } from '../../../core/base/errors.ts';
import type { TransportListener, UpstreamTransport, UpstreamTransports } from '../../../core/host/ports.ts';
import type { ServerTransport } from '../../../core/host/serverDefinition.ts';
import { HttpUpstream } from './httpUpstream.ts';
import { SseUpstream } from './sseUpstream.ts';
import { StdioUpstream } from './stdioUpstream.ts';

/** Connections to MCP servers, as Node makes them. */
export class NodeUpstreams implements UpstreamTransports {
	open(transport: ServerTransport, listener: TransportListener): UpstreamTransport {
		switch (transport.kind) {
			case 'stdio':
				return new StdioUpstream(transport, listener);
			case 'http':
				return new HttpUpstream(transport, listener);
			case 'sse':
				return new SseUpstream(transport, listener);
			default:
				return assertNever(transport);
		}
	}
}
