import { checkScopeSettings, settingsFor } from '../../scope/index.ts';
import type { ScopePolicies, ScopePolicy, ScopeSettings, ToolScopeSettings } from '../../scope/index.ts';
import { matches } from '../../scope/settings.ts';

/** Whom the settings of a source are for: every caller of the host, or those alone that have come with that source. */
export type ScopeReach = 'everybody' | 'own';

/** What people have said of scopes, from every source: a configuration file, a file of its own, one run of an agent. */
export class ScopeBook {
	private readonly sources = new Map<string, { readonly settings: ScopeSettings; readonly reach: ScopeReach }>();
	/** Another number: what was looked up before may be otherwise. */
	revision = 0;

	/** Nobody has said anything. */
	isEmpty = true;

	/** @param settings Takes the place of what this source has said before; without anything in it the source is forgotten. */
	put(source: string, settings: ScopeSettings, reach: ScopeReach): void {
		this.revision++;
		// A source for everybody keeps its place: which of two counts does not depend on which was changed last. Runs come and go.
		if (reach === 'own' && isNothing(settings)) this.sources.delete(source);
		else this.sources.set(source, { settings, reach });
		this.isEmpty = [...this.sources.values()].every((one) => isNothing(one.settings));
	}

	/**
	 * What is said of a tool, member by member. Of two sources for everybody the later one counts, and more than these the caller's own.
	 * @param names The names that people have for the server.
	 * @param source With which the caller has come; `undefined`: with none.
	 */
	lookUp(names: readonly string[], tool: string, source: string | undefined): ToolScopeSettings {
		let found: ToolScopeSettings = {};
		const own = source === undefined ? undefined : this.sources.get(source);
		const shared = [...this.sources.values()].filter(({ reach }) => reach === 'everybody');
		for (const { settings } of own?.reach === 'own' ? [...shared, own] : shared) {
			for (const name of names) {
				const { parameters, intended, policy, values } = settingsFor(settings, name, tool);
				found = {
					parameters: parameters ?? found.parameters,
					intended: intended === undefined ? found.intended : { ...found.intended, ...intended },
					policy:
						policy === undefined ? found.policy : { ...policiesOf(found.policy), ...policiesOf(policy) },
					values: values === undefined ? found.values : { ...found.values, ...values },
				};
			}
		}
		return found;
	}

	/** Whether a policy is set for this very tool, by its name. As for `lookUp`. */
	isNamed(names: readonly string[], tool: string, source: string | undefined): boolean {
		return [...this.sources].some(
			([own, { settings, reach }]) =>
				(reach === 'everybody' || own === source) &&
				Object.entries(settings).some(
					([server, tools]) =>
						names.some((name) => matches(server, name)) &&
						Object.hasOwn(tools, tool) &&
						tools[tool]?.policy !== undefined,
				),
		);
	}

	/** The names of tools, and the patterns for such, that a server has settings for, by source: `undefined` for those that hold for everybody. */
	*toolsOf(names: readonly string[]): Generator<{ readonly source: string | undefined; readonly tool: string }> {
		for (const [own, { settings, reach }] of this.sources) {
			const source = reach === 'own' ? own : undefined;
			for (const [server, tools] of Object.entries(settings)) {
				if (!names.some((name) => matches(server, name))) continue;
				for (const tool of Object.keys(tools)) yield { source, tool };
			}
		}
	}
}

function isNothing(settings: ScopeSettings): boolean {
	return Object.keys(settings).length === 0;
}

/** Settings that have come over a socket, from a program of another version perhaps: what is wrong in them is left out. */
export function settingsIn(value: unknown): ScopeSettings {
	return checkScopeSettings(value).settings;
}

export function policiesOf(policy: ScopePolicy | ScopePolicies | undefined): ScopePolicies {
	return typeof policy === 'string' ? { interactive: policy, headless: policy } : (policy ?? {});
}
