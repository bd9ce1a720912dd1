// The two ways to keep state on Cloudflare that the session store is compared with, as one would write them in an afternoon.

import { work } from './sessionWork.js';

/** @typedef {import('./sessionWork.js').State} State */

/** A Durable Object that keeps its state in memory and nowhere else. */
export class MemoryActor {
	/** @type {State} */
	state = {};

	/** @param {Request} request */
	async fetch(request) {
		return Response.json(work(this.state, Number(await request.text())));
	}
}

/**
 * @typedef {object} Environment as bench/sessionState.bench.ts binds it
 * @property {{ getByName(name: string): { fetch(request: Request): Promise<Response> } }} ACTORS
 * @property {{ get(key: string, type: 'json'): Promise<State | null>, put(key: string, value: string): Promise<void> }} CONTEXTS
 */

// The runtime asks for it under this name.
// oxlint-disable-next-line import/no-default-export
export default {
	/**
	 * @param {Request} request
	 * @param {Environment} environment
	 */
	async fetch(request, environment) {
		const [, way = '', session = ''] = new URL(request.url).pathname.split('/');
		if (way === 'actor-memory') return environment.ACTORS.getByName(session).fetch(request);
		const salt = Number(await request.text());
		const state = (await environment.CONTEXTS.get(session, 'json')) ?? {};
		const reply = work(state, salt);
		await environment.CONTEXTS.put(session, JSON.stringify(state));
		return Response.json(reply);
	},
};
