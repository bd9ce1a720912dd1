import { CodeAction, CodeActionKind, ConfigurationTarget, env, window, workspace } from 'vscode';
import type { Diagnostic, TextDocument } from 'vscode';
import type { Conversation } from '../core/conversation/index.ts';
import type { TranscriptFiles } from '../core/transcripts/files.ts';
import type { ToolScopeSettings } from '../core/scope/index.ts';
import { readBody } from './bodies.ts';
import { commandIds, diagnosticSource } from './ids.ts';
import type { OpenTranscripts } from './openTranscripts.ts';
import { pointedAt } from './pointedAt.ts';
import { scopesOf } from './scopes.ts';
import type { CallScopes } from './scopes.ts';
import { scopeSettings, section } from './settings.ts';

const ruleIds: ReadonlySet<unknown> = new Set(['default-scope-query', 'suspiciously-empty-result']);

/** What can be done about a scope that was left out: say which parameters are scopes, say that the default is meant, or take the explicit call along. */
export async function scopeActions(
	transcripts: OpenTranscripts,
	document: TextDocument,
	all: readonly Diagnostic[],
): Promise<CodeAction[]> {
	const diagnostics = all.filter(isOfScope);
	if (diagnostics.length === 0) return [];
	const session = await transcripts.sessionOf(document);
	if (session === undefined) return [];
	const actions: CodeAction[] = [];
	const seen = new Set<string>();
	for (const diagnostic of diagnostics) {
		const target = pointedAt(session.conversation, document.uri.fsPath, diagnostic.range.start);
		const call = target?.call;
		const scopes = call && scopesOf(session.conversation, call, scopeSettings());
		if (scopes === undefined || seen.has(scopes.call.id)) continue;
		seen.add(scopes.call.id);
		actions.push(...actionsFor(document, diagnostic, scopes));
	}
	return actions;
}

/** What a command gets: it may be asked for long after the row it was offered on was computed. */
interface Target {
	readonly uri: string;
	readonly line: number;
	readonly character: number;
}

function actionsFor(document: TextDocument, diagnostic: Diagnostic, { call, missing }: CallScopes): CodeAction[] {
	const { line, character } = diagnostic.range.start;
	const target: Target = { uri: document.uri.toString(), line, character };
	const action = (title: string, command: string, ...values: readonly unknown[]) => {
		const made = new CodeAction(title, CodeActionKind.QuickFix);
		made.diagnostics = [diagnostic];
		made.command = { title, command, arguments: [target, ...values] };
		return made;
	};
	return [
		...missing.map(({ path }) => action(`Copy the call with "${path}"`, commandIds.copyExplicitCall, path)),
		...missing.map(({ path }) =>
			action(`The default of "${path}" is intended…`, commandIds.acceptScopeDefault, path),
		),
		action(`Declare the scopes of ${call.name} in the settings…`, commandIds.declareScopes),
	];
}

/** What the commands behind the actions do. @param target What an action has given them. */
export async function runScopeCommand(
	id: string,
	files: TranscriptFiles,
	transcripts: OpenTranscripts,
	target: unknown,
	path: unknown,
): Promise<void> {
	const found = await findCall(transcripts, target);
	if (found === undefined) return;
	const parameter = typeof path === 'string' ? path : '';
	if (id === commandIds.copyExplicitCall) await copyExplicit(files, found, parameter);
	else if (id === commandIds.acceptScopeDefault) await acceptDefault(found, parameter);
	else await declare(found);
}

interface Found {
	readonly conversation: Conversation;
	readonly scopes: CallScopes;
}

async function findCall(transcripts: OpenTranscripts, value: unknown): Promise<Found | undefined> {
	if (typeof value !== 'object' || value === null || !('uri' in value)) return undefined;
	// Made by `actionsFor`.
	const { uri, line, character } = value as Target;
	const document = workspace.textDocuments.find((candidate) => candidate.uri.toString() === uri);
	if (document === undefined) return undefined;
	const session = await transcripts.sessionOf(document);
	if (session === undefined) return undefined;
	const position = document.validatePosition(document.positionAt(0).with(line, character));
	const call = pointedAt(session.conversation, document.uri.fsPath, position)?.call;
	const scopes = call && scopesOf(session.conversation, call, scopeSettings());
	return scopes === undefined ? undefined : { conversation: session.conversation, scopes };
}

const bodyLimitBytes = 1024 * 1024;

async function copyExplicit(files: TranscriptFiles, { conversation, scopes }: Found, path: string): Promise<void> {
	const { call } = scopes;
	const body = await readBody(files, call.place, call.arguments, bodyLimitBytes);
	const { value } = body;
	if (body.cut !== undefined || typeof value !== 'object' || value === null || Array.isArray(value)) {
		void window.showWarningMessage(
			`The arguments of this call cannot be completed: ${body.cut ?? 'they are no object.'}`,
		);
		return;
	}
	const chosen = await chooseValue(knownValues(conversation, scopes, path), path);
	if (chosen === undefined) return;
	const explicit = withValue(value as Record<string, unknown>, path.split('.'), chosen);
	await env.clipboard.writeText(JSON.stringify({ name: call.name, arguments: explicit }, undefined, 2));
	window.setStatusBarMessage(`Copied the call to ${call.name} with ${path}.`, 5000);
}

/** Of this scope: what its schema allows, and what others passed. As JSON. */
function knownValues(conversation: Conversation, { call, tool }: CallScopes, path: string): string[] {
	const values = new Set(tool.parameters.find((parameter) => parameter.path === path)?.allowed ?? []);
	for (const agent of conversation.agents.values()) {
		for (const other of agent.toolCalls) {
			if (other.server !== tool.server) continue;
			for (const given of other.given?.values ?? []) {
				// Of a tool of another name the same parameter means the same thing on the same server.
				if (given.path === path && other.id !== call.id) values.add(given.value);
			}
		}
	}
	return [...values].filter(isWhole).slice(0, 50);
}

/** Long values are cut off where they were noted down. */
function isWhole(value: string): boolean {
	try {
		JSON.parse(value);
		return true;
	} catch {
		return false;
	}
}

async function chooseValue(values: readonly string[], path: string): Promise<unknown> {
	const other = 'Another value…';
	const picked =
		values.length === 0
			? other
			: await window.showQuickPick([...values, other], { placeHolder: `Where to look: the value of ${path}` });
	if (picked === undefined) return undefined;
	if (picked !== other) return JSON.parse(picked) as unknown; // written by the schema, or by another call
	return window.showInputBox({ prompt: `The value of ${path}, as text`, ignoreFocusOut: true });
}

function withValue(value: Record<string, unknown>, names: readonly string[], chosen: unknown): Record<string, unknown> {
	const [name = '', ...rest] = names;
	const isList = name.endsWith('[]');
	const key = isList ? name.slice(0, -2) : name;
	const present = value[key];
	if (rest.length === 0) return { ...value, [key]: isList ? [chosen] : chosen };
	const inner = (object: unknown) =>
		withValue(
			typeof object === 'object' && object !== null ? (object as Record<string, unknown>) : {},
			rest,
			chosen,
		);
	if (!isList) return { ...value, [key]: inner(present) };
	return { ...value, [key]: Array.isArray(present) && present.length > 0 ? present.map(inner) : [inner({})] };
}

async function acceptDefault({ scopes }: Found, path: string): Promise<void> {
	const reason = await window.showInputBox({
		prompt: `Why ${scopes.call.name} is meant to be called without "${path}"`,
		placeHolder: 'Each agent works in its own tab only.',
		ignoreFocusOut: true,
		validateInput: (text) => (text.trim() === '' ? 'Say why, for whoever reads the settings next.' : undefined),
	});
	if (reason === undefined || reason.trim() === '') return;
	await change(scopes, (tool) => ({ ...tool, intended: { ...tool.intended, [path]: reason.trim() } }));
}

async function declare({ scopes }: Found): Promise<void> {
	const items = scopes.tool.parameters.map(({ path, description, evidence }) => ({
		label: path,
		description: description ?? '',
		detail: evidence[0]?.sentence ?? '',
		picked: true,
	}));
	const picked = await window.showQuickPick(items, {
		canPickMany: true,
		placeHolder: `Which parameters say where ${scopes.call.name} looks? None: it has no scope.`,
	});
	if (picked === undefined) return;
	await change(scopes, (tool) => ({ ...tool, parameters: picked.map(({ label }) => label) }));
}

/** Into the settings of the workspace, or of the person where no folder is open. Everything else in them stays. */
async function change(
	{ call, tool: { server } }: CallScopes,
	edit: (tool: ToolScopeSettings) => ToolScopeSettings,
): Promise<void> {
	const isInFolder = workspace.workspaceFolders !== undefined;
	const configuration = workspace.getConfiguration(section);
	const present = configuration.inspect<unknown>('scope');
	const own = record(isInFolder ? present?.workspaceValue : present?.globalValue);
	const servers = record(own[server]);
	const edited = edit(record(servers[call.name])); // as far as a person has written it rightly
	await configuration.update(
		'scope',
		{ ...own, [server]: { ...servers, [call.name]: edited } },
		isInFolder ? ConfigurationTarget.Workspace : ConfigurationTarget.Global,
	);
}

function record(value: unknown): Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
		? (value as Readonly<Record<string, unknown>>) // what JSON calls an object
		: {};
}

function isOfScope({ source, code }: Diagnostic): boolean {
	return source === diagnosticSource && typeof code === 'object' && ruleIds.has(code.value);
}
