// One agent's stream to its MCP server at the host: an HTTP request that becomes lines in both directions.

import { request } from 'node:http';
import type { Socket } from 'node:net';
import { ExpectedError } from '../../core/base/errors.ts';
import type { DeclaredIntent } from '../../core/host/agentIdentity.ts';
import type { HostAddress } from '../../core/host/control.ts';

export interface StreamTarget {
	readonly server: string;
	/** What the calls are to be attributed to; `undefined`: nobody in particular. */
	readonly agent: string | undefined;
	readonly sessionId: string | undefined;
	/** What the caller declares itself to be. */
	readonly intent: DeclaredIntent | undefined;
	/** The source whose settings of scopes are for these calls. */
	readonly source: string | undefined;
}

/** The host has no server of that name, or none yet: whoever makes it known may be about to. */
export class UnknownServerError extends ExpectedError {}

/** It has ended since it was found: there may be another by now. */
export class HostGoneError extends ExpectedError {}

/** For a host that is there and does nothing. */
const answerMs = 10_000;

/** Rejects with an `ExpectedError` when the host refuses or is gone. */
export async function openStream(address: HostAddress, target: StreamTarget): Promise<Socket> {
	const { server, agent, sessionId, intent, source } = target;
	const route = agent === undefined ? '' : `/agent/${encodeURIComponent(agent)}`;
	return new Promise((resolve, reject) => {
		const upgrade = request(`${address.url}/${address.token}${route}/mcp/${encodeURIComponent(server)}`, {
			agent: false,
			headers: {
				connection: 'Upgrade',
				upgrade: 'mcp-stdio',
				...(sessionId === undefined ? {} : { 'x-crosstalk-session': sessionId }),
				...(intent === undefined ? {} : { 'x-crosstalk-intent': intent }),
				...(source === undefined ? {} : { 'x-crosstalk-source': source }),
			},
		});
		upgrade.once('upgrade', (_response, socket, head) => {
			socket.setTimeout(0);
			socket.setNoDelay(true);
			// Its end is what tells.
			socket.on('error', () => socket.destroy());
			if (head.length > 0) socket.unshift(head);
			resolve(socket);
		});
		upgrade.setTimeout(answerMs, () => {
			reject(new ExpectedError(`The host does not answer: nothing came in ${answerMs / 1000} s.`));
			upgrade.destroy();
		});
		upgrade.once('response', (response) => {
			response.resume();
			const { statusCode } = response;
			reject(
				statusCode === 404
					? new UnknownServerError(`The host has no MCP server "${server}".`)
					: new ExpectedError(`The host refuses the connection to "${server}" (HTTP status ${statusCode}).`),
			);
		});
		upgrade.once('error', (error) =>
			reject(new HostGoneError(`The host does not answer: ${error.message}.`, { cause: error })),
		);
		upgrade.end();
	});
}
