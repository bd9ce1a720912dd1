// crosstalk import: routes the servers of clients through the host, first as a plan, then for good.

import { writeFile } from 'node:fs/promises';
import { ExpectedError } from '../../../../core/base/errors.ts';
import { canonical, lineAt, plainOf, valueAt } from '../../../../core/host/config/configValue.ts';
import type { ConfigMember, ConfigObject, PlainValue } from '../../../../core/host/config/configValue.ts';
import { masked, masksOf } from '../../../../core/host/config/masking.ts';
import { resolveServer } from '../../../../core/host/config/resolveServer.ts';
import { readServerEntry } from '../../../../core/host/config/serverEntry.ts';
import type { UnresolvedServer } from '../../../../core/host/config/serverEntry.ts';
import { unifiedDiff } from '../../../../core/host/config/unifiedDiff.ts';
import { codeOf, isErrno } from '../../errno.ts';
import { readRegularFile } from '../../regularFile.ts';
import { readAddress } from '../dataDirectory.ts';
import { resolveContext } from '../serverConfigs.ts';
import { decodeConfig, formatOf, parseConfig } from './clientConfig.ts';
import type { ConfigFormat } from './clientConfig.ts';
import { clientFiles } from './clientFiles.ts';
import type { Client, ClientContainer, ClientFile, ClientSurroundings } from './clientFiles.ts';
import { spliced } from './entryEdits.ts';
import { entryFromPlain } from './importedEntry.ts';
import {
	backupPath,
	prepareBackups,
	pruned,
	readBackup,
	readImportRecord,
	sha256Of,
	writeImportRecord,
} from './importStore.ts';
import type { ImportRecord, ImportStep, ImportedEntry, ImportedServer } from './importStore.ts';
import { replaceFile } from './replaceFile.ts';
import { isOnlyChange, isRouted, plainAt, routed } from './routing.ts';
import type { Launcher, Route, RoutedEntry } from './routing.ts';

export interface ImportOptions extends ClientSurroundings {
	readonly clients: readonly Client[];
	/** Absolute. */
	readonly dataDirectory: string;
	/** Where `connect` would look if nobody told it. */
	readonly defaultDataDirectory: string;
	readonly launcher: Launcher;
}

export interface ImportPlan {
	readonly files: readonly PlannedFile[];
	readonly problems: readonly ImportProblem[];
	/** As it was when the plan was made. */
	readonly record: ImportRecord;
	readonly recordText: string;
	readonly imported: Readonly<Record<string, ImportedServer>>;
}

export interface ImportProblem {
	readonly path: string;
	/** 1-based, where it is about a place in the file. */
	readonly line?: number | undefined;
	/** A finished sentence. */
	readonly message: string;
}

/** A file that has servers in it. */
export interface PlannedFile {
	readonly client: Client;
	readonly path: string;
	readonly servers: readonly PlannedServer[];
	/** What would change, without a secret in it; empty: nothing would. */
	readonly diff: string;
	readonly before: Buffer;
	readonly after: Buffer;
	readonly entries: readonly ImportedEntry[];
}

export interface PlannedServer {
	/** As the client calls it. */
	readonly name: string;
	readonly line: number;
	/** `route`: would go through the host; `routed`: does so already; `leave`: stays as it is. */
	readonly action: 'route' | 'routed' | 'leave';
	/** The name that the host knows it by. */
	readonly server?: string | undefined;
	/** Why it is left, or what to know about it: a finished sentence. */
	readonly remark?: string | undefined;
}

/** Looks at every configuration file and changes none. */
export async function planImport(options: ImportOptions): Promise<ImportPlan> {
	const { record, text: recordText } = await readImportRecord(options.dataDirectory);
	const address = await readAddress(options.dataDirectory);
	const hostUrl = address === undefined ? undefined : `${address.url}/${address.token}/`;
	const naming = new Naming(record.imported);
	const files: PlannedFile[] = [];
	const problems: ImportProblem[] = [];
	for (const client of options.clients) {
		for (const file of await clientFiles(client, options)) {
			const planned = await planFile(file, options, naming, hostUrl, problems);
			if (planned !== undefined) files.push(planned);
		}
	}
	return { files, problems, record, recordText, imported: naming.imported };
}

/** Does what was planned. Files that have changed meanwhile are left alone and reported. */
export async function writeImport(plan: ImportPlan, options: ImportOptions): Promise<readonly ImportProblem[]> {
	const changed = plan.files.filter(({ diff }) => diff !== '');
	if (changed.length === 0) return [];
	const { dataDirectory } = options;
	const problems: ImportProblem[] = [];
	await prepareBackups(dataDirectory);
	if ((await readImportRecord(dataDirectory)).text !== plan.recordText)
		throw new ExpectedError('Another import is at work. Nothing was written; run the command again.');
	let { record } = plan;
	for (const file of changed) {
		const step: ImportStep = {
			importedAt: new Date().toISOString(),
			originalSha256: sha256Of(file.before),
			writtenSha256: sha256Of(file.after),
			entries: file.entries,
		};
		await keepBackup(dataDirectory, step.originalSha256, file.before);
		const earlier = record;
		// First the way back, then the change.
		record = withStep({ ...record, imported: { ...record.imported, ...usedBy(step, plan.imported) } }, file, step);
		await writeImportRecord(dataDirectory, record);
		let failure: string | undefined;
		try {
			if (!(await replaceFile(file.path, file.before, file.after)))
				failure =
					'Somebody has changed it since it was read, as clients that run do. Nothing was written to it; run the command again.';
		} catch (error) {
			failure = `It cannot be written${codeOf(error)}.`;
		}
		if (failure === undefined) continue;
		problems.push({ path: file.path, message: failure });
		record = earlier;
		await writeImportRecord(dataDirectory, pruned(record));
	}
	return problems;
}

async function planFile(
	file: ClientFile,
	options: ImportOptions,
	naming: Naming,
	hostUrl: string | undefined,
	problems: ImportProblem[],
): Promise<PlannedFile | undefined> {
	const { path } = file;
	let before: Buffer;
	try {
		before = await readRegularFile(path);
	} catch (error) {
		if (!isErrno(error, 'ENOENT') && !isErrno(error, 'ENOTDIR'))
			problems.push({ path, message: `It cannot be read${codeOf(error)}.` });
		return undefined;
	}
	const decoded = decodeConfig(before);
	if (typeof decoded === 'string') {
		problems.push({ path, line: 1, message: decoded });
		return undefined;
	}
	const { text, mark } = decoded;
	// Clients make such files and fill them later.
	if (text.trim() === '') return undefined;
	const format = formatOf(path);
	const { root, problems: syntax } = parseConfig(text, format);
	const [problem] = syntax;
	if (problem !== undefined || root?.kind !== 'object') {
		problems.push({
			path,
			line: lineAt(text, problem?.offset ?? 0),
			message: `${problem?.message ?? 'It must hold an object.'} The file is left alone.`,
		});
		return undefined;
	}
	const planner = new FilePlanner(file, options, naming, hostUrl, text, format);
	for (const container of file.containers) planner.planContainer(root, container);
	if (planner.servers.length === 0) return undefined;
	const after = planner.text;
	return {
		client: file.client,
		path,
		servers: planner.servers,
		diff: maskedDiff(path, text, after, format, file.containers),
		before,
		after: Buffer.from(mark + after),
		entries: planner.entries,
	};
}

class FilePlanner {
	readonly servers: PlannedServer[] = [];
	readonly entries: ImportedEntry[] = [];
	/** In TOML, whose entries are scattered, one change follows the other. */
	private changed: string;
	private readonly edits: { offset: number; end: number; text: string }[] = [];
	private readonly original: string;
	private readonly file: ClientFile;
	private readonly options: ImportOptions;
	private readonly naming: Naming;
	private readonly hostUrl: string | undefined;
	private readonly format: ConfigFormat;

	constructor(
		file: ClientFile,
		options: ImportOptions,
		naming: Naming,
		hostUrl: string | undefined,
		text: string,
		format: ConfigFormat,
	) {
		this.file = file;
		this.options = options;
		this.naming = naming;
		this.hostUrl = hostUrl;
		this.changed = text;
		this.original = text;
		this.format = format;
	}

	/** With everything that is planned. */
	get text(): string {
		let text = this.changed;
		for (const edit of this.edits.toSorted((one, other) => other.offset - one.offset))
			text = spliced(text, edit.offset, edit.end, edit.text);
		return text;
	}

	planContainer(root: ConfigObject, container: ClientContainer): void {
		const servers = valueAt(root, container.path);
		if (servers?.kind !== 'object') return;
		for (const member of servers.members) {
			const line = lineAt(this.original, member.offset);
			const isTwice = servers.members.filter(({ name }) => name === member.name).length > 1;
			const planned: Omit<PlannedServer, 'name' | 'line'> = isTwice
				? { action: 'leave', remark: 'Its name is there twice.' }
				: this.planServer(member, container);
			this.servers.push({ name: member.name, line, ...planned });
		}
	}

	private planServer(member: ConfigMember, container: ClientContainer): Omit<PlannedServer, 'name' | 'line'> {
		const { dialect } = this.file;
		const original = plainOf(member.value);
		if (isRouted(original)) return { action: 'routed' };
		const reports: string[] = [];
		const server = readServerEntry(member, dialect, (_offset, message) => reports.push(message));
		if (server === undefined || member.value.kind !== 'object')
			return { action: 'leave', remark: reports.at(-1) ?? 'There is no server in it.' };
		const { transport } = server;
		if (transport.kind !== 'stdio' && this.hostUrl !== undefined && transport.url.startsWith(this.hostUrl))
			return { action: 'routed' };
		if (server.boundToClient !== undefined)
			return { action: 'leave', remark: `The host cannot stand in: ${server.boundToClient}.` };
		const resolved = resolveServer(server, resolveContext(dialect, container.folder, this.options));
		if ('problems' in resolved) return { action: 'leave', remark: resolved.problems.join(' ') };
		const path = [...container.path, member.name];
		const { dataDirectory, defaultDataDirectory, launcher } = this.options;
		const name = this.naming.nameFor(member.name, server, { dialect, folder: container.folder, entry: original });
		const changed = this.routed(
			path,
			member.value,
			{ server, dialect, keys: member.value.members.map(({ name: key }) => key) },
			{
				launcher,
				server: name,
				dataDirectory: dataDirectory === defaultDataDirectory ? undefined : dataDirectory,
			},
		);
		if (changed === undefined)
			return { action: 'leave', remark: 'It is written in a way that cannot be changed safely.' };
		this.naming.take(name, { dialect, folder: container.folder, entry: original });
		this.entries.push({ server: name, path, original, written: changed });
		return { action: 'route', server: name, remark: remarkOn(server) };
	}

	/** Changes the text; gives the entry as it stands there now. */
	private routed(
		path: readonly string[],
		{ offset, end }: ConfigObject,
		entry: RoutedEntry,
		route: Route,
	): PlainValue | undefined {
		if (this.format === 'json') {
			// An object stands for itself: what is around it, megabytes at times, need not be read for each server.
			const text = routed(this.original.slice(offset, end), this.format, [], entry, route);
			const written = text === undefined ? undefined : plainAt(text, this.format, []);
			if (text === undefined || written === undefined || !isRouted(written)) return undefined;
			this.edits.push({ offset, end, text });
			return written;
		}
		const text = routed(this.changed, this.format, path, entry, route);
		const written = text === undefined ? undefined : plainAt(text, this.format, path);
		if (text === undefined || written === undefined || !isRouted(written)) return undefined;
		if (!isOnlyChange(this.changed, text, this.format, path, written)) return undefined;
		this.changed = text;
		return written;
	}
}

/** What could be different when the host connects in place of the client. */
function remarkOn({ transport, isEnabled }: UnresolvedServer): string | undefined {
	if (!isEnabled) return 'It is switched off in the client, and stays so.';
	if (transport.kind === 'stdio') return undefined;
	const isLocal = /^https?:\/\/(?:localhost|127\.|\[::1\])/i.test(transport.url);
	const hasHeaders =
		transport.tokenVariable !== undefined ||
		Object.keys(transport.headers).length + Object.keys(transport.headerVariables).length > 0;
	return isLocal || hasHeaders
		? undefined
		: 'If the client has signed in to it, leave it out: the host has nothing to sign in with.';
}

/** Gives each server a name that nobody else in the host has; what is the same in two files is one server. */
class Naming {
	private readonly known: Map<string, ImportedServer>;
	private readonly identities = new Map<string, string>();

	constructor(imported: Readonly<Record<string, ImportedServer>>) {
		this.known = new Map(Object.entries(imported));
		for (const [name, server] of Object.entries(imported)) {
			const known = readServerEntry(entryFromPlain(name, server.entry), server.dialect, () => undefined);
			if (known !== undefined) this.identities.set(name, identityOf(known, server));
		}
	}

	get imported(): Readonly<Record<string, ImportedServer>> {
		return Object.fromEntries(this.known);
	}

	nameFor(wanted: string, server: UnresolvedServer, origin: ImportedServer): string {
		const identity = identityOf(server, origin);
		for (let number = 1; ; number++) {
			const name = number === 1 ? wanted : `${wanted}-${number}`;
			if (!this.known.has(name)) {
				this.identities.set(name, identity);
				return name;
			}
			if (this.identities.get(name) === identity) return name;
		}
	}

	take(name: string, server: ImportedServer): void {
		if (!this.known.has(name)) this.known.set(name, server);
	}
}

/** What makes two entries one server: how it is reached, in whose folder, by whose rules, with what options. */
function identityOf(server: UnresolvedServer, { dialect, folder }: ImportedServer): string {
	const { transport, sharing, limits, redactedArguments } = server;
	// Positions and undefined members gone.
	const plain = JSON.parse(JSON.stringify({ transport, sharing, limits, redactedArguments })) as PlainValue;
	const text = canonical(plain);
	const hasVariables = text.includes('${');
	return [text, hasVariables ? dialect : '', transport.kind === 'stdio' || hasVariables ? folder : ''].join('\n');
}

function withStep(record: ImportRecord, { client, path }: PlannedFile, step: ImportStep): ImportRecord {
	const known = record.files.find((file) => file.path === path);
	// A step that was never done: the file still is what it was before it.
	const steps = (known?.steps ?? []).filter(({ originalSha256 }) => originalSha256 !== step.originalSha256);
	return pruned({
		...record,
		files: [...record.files.filter((file) => file.path !== path), { client, path, steps: [...steps, step] }],
	});
}

function usedBy(step: ImportStep, imported: Readonly<Record<string, ImportedServer>>): Record<string, ImportedServer> {
	return Object.fromEntries(
		step.entries.flatMap(({ server }) => {
			const found = imported[server];
			return found === undefined ? [] : [[server, found]];
		}),
	);
}

async function keepBackup(directory: string, sha256: string, bytes: Uint8Array): Promise<void> {
	if ((await readBackup(directory, sha256)) !== undefined) return;
	const path = backupPath(directory, sha256);
	try {
		await writeFile(path, bytes, { mode: 0o600, flush: true });
	} catch (error) {
		throw new ExpectedError(`The backup ${path} cannot be written${codeOf(error)}. Nothing was changed.`, {
			cause: error,
		});
	}
}

/** A unified diff that shows how servers are reached, and of everything else only that it is there. */
export function maskedDiff(
	path: string,
	before: string,
	after: string,
	format: ConfigFormat,
	containers: readonly { readonly path: readonly string[] }[],
): string {
	const show = (text: string) => {
		const parsed = parseConfig(text, format);
		const paths = containers.map((container) => container.path);
		return parsed.root === undefined ? '' : masked(text, masksOf(text, parsed.root, paths, parsed.comments()));
	};
	return before === after ? '' : unifiedDiff(path, before, after, show(before), show(after));
}
