import { scopeParametersOf } from '../../scope/index.ts';
import type { DescribedTool, ScopeParameter, UnknownScopes } from '../../scope/index.ts';
import { decide } from '../scopes/scopeDecision.ts';
import type { ScopeBook } from '../scopes/scopeBook.ts';

/** Finds what `default-scope-query` would find in a call, before it is made. */
export class LeftOutScopes {
	private readonly book: ScopeBook;
	/** By tool, for as long as neither the tools nor the settings are others. */
	private readonly known = new Map<string, readonly ScopeParameter[] | UnknownScopes>();
	private revision = -1;

	constructor(book: ScopeBook) {
		this.book = book;
	}

	/** The tools of the server are others, or may be. */
	forget(): void {
		this.known.clear();
	}

	/**
	 * @param names Every name of the server.
	 * @param tools All that the server has listed, this one among them.
	 * @returns A sentence; `null`: nothing is left out; `undefined`: that is not known.
	 */
	of(
		names: readonly string[],
		tool: string,
		tools: () => readonly DescribedTool[],
		args: unknown,
	): string | null | undefined {
		if (this.revision !== this.book.revision) {
			this.known.clear();
			this.revision = this.book.revision;
		}
		const settings = this.book.lookUp(names, tool, undefined);
		let scopes = this.known.get(tool);
		if (scopes === undefined) {
			const all = tools();
			const described = all.find(({ name }) => name === tool);
			if (described === undefined) return undefined;
			const own = { [described.server]: { [tool]: settings } };
			const found = scopeParametersOf(described, own, undefined, all);
			// As the rule: without them the tool takes something of its own choice.
			scopes = 'reason' in found ? found : found.filter(isNarrowing);
			this.known.set(tool, scopes);
		}
		const answer = decide({ policy: 'report', settings, isNamed: false, scopes, args, unfit: new Map() });
		if (answer.outcome === 'explicit') return null;
		return answer.outcome === 'reported' ? answer.reason : undefined;
	}
}

function isNarrowing({ fallback, evidence }: ScopeParameter): boolean {
	return fallback !== undefined || evidence.some(({ source }) => source === 'settings');
}
