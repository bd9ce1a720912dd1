import type { ConfigDialect } from './serverEntry.ts';

/** What `${…}` can stand for. */
export interface VariableScope {
	readonly dialect: ConfigDialect;
	readonly environment: Readonly<Record<string, string | undefined>>;
	/** The project that the configuration belongs to; for a configuration of the user the home folder. Absolute. */
	readonly folder: string;
	readonly homeFolder: string;
	/** `/` or `\`. */
	readonly separator: string;
}

export interface Expanded {
	readonly text: string;
	/** What came out of the environment. */
	readonly fromEnvironment: readonly string[];
	/** Finished sentences: what keeps the text from being what its author meant. */
	readonly problems: readonly string[];
}

/** Replaces `${…}` by the rules of the client that the configuration is written for. */
export function expandVariables(text: string, scope: VariableScope): Expanded {
	const fromEnvironment: string[] = [];
	const problems: string[] = [];
	// Codex has no variables in texts.
	if (scope.dialect === 'codex') return { text, fromEnvironment, problems };
	// Behind the last brace each `${` would look for its own to the end.
	const end = text.lastIndexOf('}') + 1;
	const expanded = text
		.slice(0, end)
		.replaceAll(/\$\{([^}]*)\}/g, (whole, inner: string) =>
			scope.dialect === 'claude' ? claude(whole, inner) : editor(whole, inner),
		);
	return { text: expanded + text.slice(end), fromEnvironment, problems };

	/** `${VAR}` and `${VAR:-default}`. */
	function claude(whole: string, inner: string): string {
		const [, name = '', fallback] = /^([^:]*)(?::-([\s\S]*))?$/.exec(inner) ?? [];
		if (name === '') {
			const [, meant] = /^env:(\w+)$/.exec(inner) ?? [];
			problems.push(
				meant === undefined
					? `${whole} is no variable: write \${NAME} or \${NAME:-default}.`
					: `${whole} is how other clients write a variable: in this file it is \${${meant}}.`,
			);
			return whole;
		}
		const value = variable(name) ?? (name === 'CLAUDE_PROJECT_DIR' ? scope.folder : undefined);
		if (value !== undefined) return value;
		if (fallback !== undefined) return fallback;
		problems.push(`The variable ${name} is not set: set it, or write a default as \${${name}:-…}.`);
		return whole;
	}

	/** What VS Code and Cursor have in common. */
	function editor(whole: string, inner: string): string {
		const [, kind = '', argument = ''] = /^([^:]*)(?::([\s\S]*))?$/.exec(inner) ?? [];
		switch (kind) {
			case 'env':
				// An editor takes a variable that is not set for an empty one.
				return variable(argument) ?? '';
			case 'workspaceFolder':
			case 'workspaceRoot':
			case 'cwd':
				return scope.folder;
			case 'workspaceFolderBasename':
				return scope.folder.split(/[\\/]/).findLast((part) => part !== '') ?? '';
			case 'userHome':
				return scope.homeFolder;
			case 'pathSeparator':
			case '/':
				return scope.separator;
			case 'input':
				problems.push(
					`${whole} is asked for by the editor and kept in its secret storage, where nobody else can read it: use \${env:…} or an envFile.`,
				);
				return whole;
			case 'command':
			case 'config':
				problems.push(`${whole} is known to the editor alone: use \${env:…} or write the value.`);
				return whole;
			default:
				return whole;
		}
	}

	function variable(name: string): string | undefined {
		const value = variableOf(scope, name);
		if (value !== undefined) fromEnvironment.push(value);
		return value;
	}
}

/** The value of a variable of the environment; on Windows case does not count. */
export function variableOf(scope: VariableScope, name: string): string | undefined {
	const value = Object.hasOwn(scope.environment, name) ? scope.environment[name] : undefined;
	if (value !== undefined || scope.separator === '/') return value;
	const lower = name.toLowerCase();
	return Object.entries(scope.environment).find(([key]) => key.toLowerCase() === lower)?.[1];
}
