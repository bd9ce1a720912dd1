import { closeCodes, objectProtocol, storePath } from '../core/store/objectMessages.ts';
import type { ObjectStoreGreeting, SessionPage } from '../core/store/objectMessages.ts';
import type { StoreErrorRecord } from '../core/store/createTurns.ts';
import { isAuthorized } from './authentication.ts';
import type { Environment } from './environment.ts';
import { SessionIndex, isNameOfSession } from './sessionIndex.ts';

/** Each of them is woken for it, and the runtime allows a request only so many. */
const sessionsPerPage = 50;

/** Lets in whoever has the token, and brings each to the object of its session. */
export async function route(request: Request, environment: Environment): Promise<Response> {
	// Before anything else: whoever has no token learns nothing, not even which paths there are.
	if (!(await isAuthorized(request, environment.TOKEN))) {
		return new Response(null, { status: 401, headers: { 'www-authenticate': 'Bearer' } });
	}
	const { pathname, searchParams } = new URL(request.url);
	if (pathname === storePath && request.method === 'GET') {
		return Response.json({ store: 'crosstalk', protocol: objectProtocol } satisfies ObjectStoreGreeting);
	}
	if (pathname === `${storePath}/sessions` && request.method === 'GET') {
		return pageOf(environment, searchParams.get('cursor') ?? undefined);
	}
	const name = pathname.startsWith(`${storePath}/sessions/`) ? pathname.slice(`${storePath}/sessions/`.length) : '';
	if (!isNameOfSession(name)) return new Response(null, { status: 404 });
	if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket') {
		return new Response(null, { status: 426, headers: { upgrade: 'websocket' } });
	}
	try {
		return await environment.SESSIONS.getByName(name).fetch(request);
	} catch (error) {
		return closedSocket(error);
	}
}

async function pageOf(environment: Environment, cursor: string | undefined): Promise<Response> {
	const page = await new SessionIndex(environment.INDEX).names(cursor, sessionsPerPage);
	try {
		const summaries = await Promise.all(
			page.names.map(async (name) => environment.SESSIONS.getByName(name).summary()),
		);
		return Response.json({
			sessions: summaries.filter((summary) => summary !== undefined),
			cursor: page.cursor,
		} satisfies SessionPage);
	} catch (error) {
		const failure: StoreErrorRecord = {
			code: isOverloaded(error) ? 'overloaded' : 'owner-lost',
			message: `An object did not tell about its session: ${error instanceof Error ? error.message : String(error)}`,
			sessionId: undefined,
		};
		return Response.json(failure, { status: 503 });
	}
}

/** A client of a WebSocket is not told the status of a refusal, but how a WebSocket was closed. */
function closedSocket(error: unknown): Response {
	const { 0: theirs, 1: ours } = new WebSocketPair();
	ours.accept();
	if (isOverloaded(error)) ours.close(closeCodes.overloaded, 'overloaded');
	// Whatever else it is, the object may be another by the next attempt.
	else ours.close(1012, 'the object was lost');
	return new Response(null, { status: 101, webSocket: theirs });
}

function isOverloaded(error: unknown): boolean {
	return typeof error === 'object' && error !== null && 'overloaded' in error && error.overloaded === true;
}
