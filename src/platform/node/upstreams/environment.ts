/** What a server inherits from the environment of the host; the list of the MCP SDKs. Everything else it is given by its definition. */
const inherited = {
	posix: ['HOME', 'LOGNAME', 'PATH', 'SHELL', 'TERM', 'USER'],
	windows: [
		'APPDATA',
		'HOMEDRIVE',
		'HOMEPATH',
		'LOCALAPPDATA',
		'PATH',
		'PROCESSOR_ARCHITECTURE',
		'PROGRAMFILES',
		'SYSTEMDRIVE',
		'SYSTEMROOT',
		'TEMP',
		'USERNAME',
		'USERPROFILE',
	],
};

/** The environment of a server. */
export function serverEnvironment(
	own: Readonly<Record<string, string>>,
	host: Readonly<Record<string, string | undefined>>,
	isWindows: boolean,
): Record<string, string> {
	const environment: Record<string, string> = {};
	for (const name of isWindows ? inherited.windows : inherited.posix) {
		const value = variable(host, name, isWindows);
		// A shell function that bash has exported; a shell would run it.
		if (value !== undefined && !value.startsWith('()')) environment[name] = value;
	}
	for (const [name, value] of Object.entries(own)) {
		// Windows takes `Path` and `PATH` for the same, and of two it takes any.
		if (isWindows) delete environment[name.toUpperCase()];
		environment[name] = value;
	}
	return environment;
}

/** The value of a variable; on Windows its name may be written in any case. */
export function variable(
	environment: Readonly<Record<string, string | undefined>>,
	name: string,
	isWindows: boolean,
): string | undefined {
	if (!isWindows || environment[name] !== undefined) return environment[name];
	const key = Object.keys(environment).find((key) => key.toUpperCase() === name);
	return key === undefined ? undefined : environment[key];
}
