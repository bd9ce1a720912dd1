import { win32 } from 'node:path';
import { variable } from './environment.ts';

/** What is handed to the system to start a process. */
export interface StartCommand {
	readonly file: string;
	readonly args: readonly string[];
	/** Windows: the arguments are a command line already. */
	readonly isVerbatim: boolean;
}

export interface WindowsFiles {
	isFile(path: string): boolean;
}

/**
 * Windows starts programs by a whole path, and batch files (`npx.cmd`, `uvx.bat`) only through `cmd.exe`. So the command is looked up
 * as `cmd.exe` would, but never in the current folder, and only a batch file goes through `cmd.exe`, with arguments that it can take for
 * nothing but arguments.
 * @returns A sentence when it cannot be started.
 */
export function windowsStartCommand(
	server: { readonly command: string; readonly args: readonly string[]; readonly cwd?: string | undefined },
	environment: Readonly<Record<string, string>>,
	files: WindowsFiles,
): StartCommand | string {
	const file = findOnWindows(server.command, server.cwd, environment, files);
	if (file === undefined) return notFound(server.command);
	if (!/\.(?:cmd|bat)$/i.test(file)) return { file, args: server.args, isVerbatim: false };
	if ([file, ...server.args].some((text) => /[\r\n\0]/.test(text))) {
		return `The arguments of "${server.command}" have a line break, which a batch file cannot be given.`;
	}
	const system = variable(environment, 'SYSTEMROOT', true) ?? 'C:\\Windows';
	const line = [`"${file}"`, ...server.args.map(batchArgument)].join(' ');
	return {
		file: win32.join(system, 'System32', 'cmd.exe'),
		// Extensions on, delayed expansion off, no AutoRun; of the outer quotes `cmd.exe` takes one pair away.
		args: ['/e:ON', '/v:OFF', '/d', '/s', '/c', `"${line}"`],
		isVerbatim: true,
	};
}

export function notFound(command: string): string {
	return /[\\/]/.test(command)
		? `There is no file "${command}" to start.`
		: `The command "${command}" was not found on the PATH: install it, or configure its whole path.`;
}

function findOnWindows(
	command: string,
	cwd: string | undefined,
	environment: Readonly<Record<string, string>>,
	files: WindowsFiles,
): string | undefined {
	const extensions = (variable(environment, 'PATHEXT', true) ?? '.COM;.EXE;.BAT;.CMD').split(';').filter(Boolean);
	const isWhole = extensions.some((extension) => command.toLowerCase().endsWith(extension.toLowerCase()));
	const names = isWhole ? [command] : extensions.map((extension) => command + extension.toLowerCase());
	const folders = /[\\/:]/.test(command)
		? [cwd ?? '']
		: (variable(environment, 'PATH', true) ?? '')
				.split(';')
				.map((folder) => folder.replaceAll('"', ''))
				.filter((folder) => win32.isAbsolute(folder));
	for (const folder of folders) {
		for (const name of names) {
			const path = win32.isAbsolute(name) ? name : win32.resolve(folder, name);
			if (files.isFile(path)) return path;
		}
	}
	return undefined;
}

/**
 * An argument on the command line of a batch file, which `cmd.exe` reads first and the program behind `%*` again. The way of Rust's
 * standard library since CVE-2024-24576: quotes doubled, backslashes in front of them too, and `%` followed by a variable that is
 * always empty, so that no `%NAME%` is ever whole.
 */
function batchArgument(argument: string): string {
	let escaped = '';
	let backslashes = 0;
	for (const character of argument) {
		if (character === '\\') {
			backslashes++;
		} else {
			if (character === '"') escaped += `${'\\'.repeat(backslashes)}"`;
			else if (character === '%') escaped += '%%cd:~,';
			backslashes = 0;
		}
		escaped += character;
	}
	const isSafe = /^[\w#$*+\-./:?@\\\u00a0-\uffff]+$/.test(argument) && !argument.endsWith('\\');
	return isSafe ? escaped : `"${escaped}${'\\'.repeat(backslashes)}"`;
}
