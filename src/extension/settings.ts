import { ConfigurationTarget, Uri, workspace } from 'vscode';
import { defaultDataDirectory } from '../platform/node/host/defaultDataDirectory.ts';
import { userHome } from '../platform/node/userHome.ts';
import type { RuleSettings } from '../core/rules/linter.ts';
import { checkScopeSettings } from '../core/scope/index.ts';
import type { ScopeSettings } from '../core/scope/index.ts';
import { agentHomes } from '../core/transcripts/homes.ts';
import type { TranscriptFiles } from '../core/transcripts/files.ts';

/** A folder to search and to watch. */
export interface SearchedFolder {
	readonly path: string;
	/** An agent keeps it, so that names tell what its files are. */
	readonly isHome: boolean;
}

export const section = 'crosstalk';

export type DiagnosticsScope = 'open' | 'project' | 'found';

/** As a person set them, checked: a settings file holds anything. */
export function searchedFolders(files: TranscriptFiles): readonly SearchedFolder[] {
	const own = ownHomes();
	// What is found is compared with documents and changed files, and VS Code writes the letter of a drive small.
	const known = (path: string) => (files.separator === '/' ? path : Uri.file(path).fsPath);
	if (own.length > 0) return own.map((path) => ({ path: known(withHome(path, files)), isHome: false }));
	return agentHomes(files, userHome(), process.env).map(({ path }) => ({ path: known(path), isHome: true }));
}

export function ownHomes(): readonly string[] {
	const value = workspace.getConfiguration(section).get<unknown>('homes');
	return Array.isArray(value)
		? value.filter((path): path is string => typeof path === 'string' && path.trim() !== '')
		: [];
}

function ruleSettings(): RuleSettings {
	const value = workspace.getConfiguration(section).get<unknown>('rules');
	if (typeof value !== 'object' || value === null) return {};
	return Object.fromEntries(
		Object.entries(value).filter((entry): entry is [string, RuleSettings[string]] => isLevel(entry[1])),
	);
}

/** What the rules go by. */
export interface LintSettings {
	readonly rules: RuleSettings;
	readonly scope: ScopeSettings;
}

export function lintSettings(): LintSettings {
	return { rules: ruleSettings(), scope: scopeSettings() };
}

interface CheckedScopes {
	readonly text: string;
	readonly settings: ScopeSettings;
	/** What is wrong with it, a sentence each. */
	readonly problems: readonly string[];
}

let checkedScopes: CheckedScopes | undefined;

/** What a person says of tools' scopes. The same object for as long as the setting is the same: what is computed from it can be kept. */
export function scopeSettings(): ScopeSettings {
	return scopesAsChecked().settings;
}

export function scopeProblems(): readonly string[] {
	return scopesAsChecked().problems;
}

function scopesAsChecked(): CheckedScopes {
	const value = workspace.getConfiguration(section).get<unknown>('scope') ?? {};
	const text = JSON.stringify(value);
	if (checkedScopes?.text !== text) {
		const { settings, problems } = checkScopeSettings(value);
		const sentences = problems.map(({ path, message }) =>
			path.length === 0 ? message : `${path.map((name) => JSON.stringify(name)).join(' › ')}: ${message}`,
		);
		checkedScopes = { text, settings, problems: sentences };
	}
	return checkedScopes;
}

export function diagnosticsScope(): DiagnosticsScope {
	const value = workspace.getConfiguration(section).get<unknown>('diagnostics.scope');
	return value === 'open' || value === 'found' ? value : 'project';
}

/** Where the host of this person keeps its data, and is to be found. */
export function hostDirectory(files: TranscriptFiles): string {
	const value = workspace.getConfiguration(section).get<unknown>('host.dataDirectory');
	return typeof value === 'string' && value.trim() !== '' ? withHome(value, files) : defaultHostDirectory();
}

export function defaultHostDirectory(): string {
	return defaultDataDirectory({ platform: process.platform, environment: process.env, homeFolder: userHome() });
}

/** How long a host that this window has started goes on with nothing to do. */
export function hostIdleSeconds(): number {
	const value = workspace.getConfiguration(section).get<unknown>('host.idleSeconds');
	return typeof value === 'number' && Number.isFinite(value) ? Math.max(10, Math.round(value)) : 300;
}

/** Where a remote session store is, as somebody wrote it; empty: there is none. */
export function remoteStoreSetting(): string {
	const value = workspace.getConfiguration(section).get<unknown>('store.remote');
	return typeof value === 'string' ? value.trim() : '';
}

/** For this person on this machine: no workspace may choose where a token is sent. @param address `undefined`: none. */
export async function setRemoteStore(address: string | undefined): Promise<void> {
	await workspace.getConfiguration(section).update('store.remote', address, ConfigurationTarget.Global);
}

/** Whether VS Code's own agents are offered the servers of the host. */
export function isProvidingServers(): boolean {
	return workspace.getConfiguration(section).get<unknown>('mcp.provideServers') === true;
}

function isLevel(value: unknown): boolean {
	return value === 'off' || value === 'note' || value === 'warning' || value === 'error';
}

function withHome(path: string, files: TranscriptFiles): string {
	const trimmed = path.trim();
	const expanded =
		trimmed === '~' || trimmed.startsWith('~/') || trimmed.startsWith('~\\')
			? `${userHome()}${trimmed.slice(1)}`
			: trimmed;
	return expanded.length > 1 && expanded.endsWith(files.separator) ? expanded.slice(0, -1) : expanded;
}
