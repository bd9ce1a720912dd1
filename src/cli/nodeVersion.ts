/** As in the manifest's `engines`. */
const oldest = [22, 13] as const;

/** A sentence why this Node cannot run us, `undefined` if it can. @param version As in `process.versions.node`: `22.13.0`. */
export function nodeObstacle(version: string): string | undefined {
	const [major = 0, minor = 0] = version.split('.').map(Number);
	if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return undefined;
	return `Crosstalk needs Node ${oldest.join('.')} or newer; this is Node ${version}.`;
}
