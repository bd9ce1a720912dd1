/** Where the reader of a report stands. */
export interface ReportBase {
	/** Absolute. */
	readonly folder: string;
	/** The system's separator of paths. */
	readonly separator: string;
}

/** The path as seen from the folder when it is below it, else as it is. */
export function pathFrom(base: ReportBase, path: string): string {
	const prefix = base.folder.endsWith(base.separator) ? base.folder : `${base.folder}${base.separator}`;
	return path.startsWith(prefix) ? path.slice(prefix.length) : path;
}

/** The path with slashes and escapes: relative to the folder when it is below it, else a `file:` URI. */
export function uriFrom(base: ReportBase, path: string): { readonly uri: string; readonly isRelative: boolean } {
	const relative = pathFrom(base, path);
	if (relative !== path) return { uri: escaped(relative, base.separator), isRelative: true };
	return { uri: fileUri(path, base.separator), isRelative: false };
}

export function fileUri(path: string, separator: string): string {
	const withSlash = path.startsWith(separator) ? path : `${separator}${path}`;
	return `file://${escaped(withSlash, separator)}`;
}

function escaped(path: string, separator: string): string {
	// A drive's colon stays: `file:///C:/…`.
	return path
		.split(separator)
		.map((part) => (/^[A-Za-z]:$/.test(part) ? part : encodeURIComponent(wellFormed(part))))
		.join('/');
}

/** A text that moves no cursor, breaks no line and turns none around: names of files and words of models may hold anything. */
export function printable(text: string): string {
	// eslint-disable-next-line no-control-regex
	return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, '\ufffd');
}

/** The same of a text whose lines and tabs are meant. */
export function printableLines(text: string): string {
	return text.replaceAll(/(?:(?!\r?\n)[^\t])+/g, printable);
}

/** Half a surrogate pair is no character, and neither URIs nor XML can hold it. */
export function wellFormed(text: string): string {
	return text.replaceAll(/\p{Surrogate}/gu, '\ufffd');
}
