import type { CallRequest } from './sessionStore.ts';
import { inSession } from './storable.ts';
import { StoreError } from './storeError.ts';
import type { TurnEnd, TurnRequest } from './turns.ts';

/** In UTF-16 units. Both stand in each row, beside texts that are larger. */
const longestName = 10_000;
const longestSessionId = 65_536;

/** Throws `StoreError` unless a session can have this id. */
export function checkSessionId(sessionId: unknown): asserts sessionId is string {
	const problem = sessionIdProblem(sessionId);
	if (problem !== undefined) throw new StoreError('invalid-session-id', problem, undefined);
}

/** Throws `StoreError`: a caller may have no compiler that would have told. */
export function checkCall(request: unknown, run: unknown, sessionId: string): void {
	const problem =
		typeof request !== 'object' || request === null
			? `A call is an object with key, tool and args, not ${request === null ? 'null' : typeof request}.`
			: typeof run !== 'function'
				? `What a call does is a function, not ${run === null ? 'null' : typeof run}.`
				: typeProblem(request);
	if (problem !== undefined) throw invalid(problem, sessionId);
}

/** Throws `StoreError`: what a database cannot keep as it is must not come near it, and requests come from other processes too. */
export function checkRequest({ sessionId, key, tool, argumentsHash, deadlineMs }: TurnRequest): void {
	checkSessionId(sessionId);
	const problem =
		nameProblem('The name of the tool', tool) ??
		(key === undefined ? undefined : keyProblem(key)) ??
		nameProblem('The hash of the arguments', argumentsHash) ??
		(deadlineMs === undefined ? undefined : deadlineProblem(deadlineMs));
	if (problem !== undefined) throw invalid(problem, sessionId);
}

/** Throws `StoreError`. That the texts are JSON is found out by whoever reads them. */
export function checkEnd({ state, reply }: TurnEnd, sessionId: string): void {
	const isState = typeof state === 'string' && state.startsWith('{') && state.endsWith('}');
	if (!isState) throw invalid('A state is a JSON object.', sessionId);
	if (typeof reply !== 'string') throw invalid('A reply is JSON, or empty.', sessionId);
}

function invalid(problem: string, sessionId: string): StoreError {
	return new StoreError('invalid-request', inSession(problem, sessionId), sessionId);
}

function sessionIdProblem(sessionId: unknown): string | undefined {
	if (typeof sessionId !== 'string')
		return `A session's id is a text, not ${sessionId === null ? 'null' : typeof sessionId}.`;
	if (sessionId === '') return 'A session has an id: there is no default session.';
	if (sessionId.length > longestSessionId)
		return `A session's id has ${longestSessionId} characters at most, not ${sessionId.length}.`;
	return isWellFormed(sessionId) ? undefined : "A session's id is Unicode; half of a surrogate pair is none.";
}

/** Of what may have to go to another process as JSON, which would make something else of it or fail. */
function typeProblem({ key, tool, deadlineMs }: Partial<Record<keyof CallRequest, unknown>>): string | undefined {
	if (typeof tool !== 'string') return nameProblem('The name of the tool', tool);
	if (key !== undefined && typeof key !== 'string') return keyProblem(key);
	return deadlineMs === undefined ? undefined : deadlineProblem(deadlineMs);
}

/** Calls that have none would all have the same one. */
function keyProblem(key: unknown): string | undefined {
	return key === ''
		? 'The key of a call is not empty; undefined says that there is none.'
		: nameProblem('The key of the call', key);
}

function deadlineProblem(deadlineMs: unknown): string | undefined {
	if (typeof deadlineMs !== 'number')
		return `The deadline of a call is a number, not ${deadlineMs === null ? 'null' : typeof deadlineMs}.`;
	return deadlineMs > 0 ? undefined : `A deadline of ${deadlineMs} ms is none.`;
}

function nameProblem(what: string, name: unknown): string | undefined {
	if (typeof name !== 'string') return `${what} is a text, not ${typeof name}.`;
	if (name.length > longestName) return `${what} has ${longestName} characters at most, not ${name.length}.`;
	return isWellFormed(name) ? undefined : `${what} is Unicode; half of a surrogate pair is none.`;
}

/** Text in SQLite is UTF-8, where half of a surrogate pair cannot be. */
function isWellFormed(text: string): boolean {
	return !/\p{Surrogate}/u.test(text);
}
