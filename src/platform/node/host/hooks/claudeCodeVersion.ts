import { execFile } from 'node:child_process';
import { agentStart } from '../../agentStart.ts';

/**
 * The oldest Claude Code that was seen to take our hooks. 2.0 and 2.1.69 read nothing of a settings file with an event or a kind of hook that they
 * do not know, a person's own prohibitions in it included; 2.1.109 starts a program without its arguments.
 */
const oldest = [2, 1, 165] as const;

const patienceMs = 3_000;

/** As `2.1.328`; `undefined`: there is no such program, or it does not say. */
export async function claudeCodeVersion(
	command: string,
	environment: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
	const start = agentStart({ command, args: ['--version'] }, environment);
	if (typeof start === 'string') return undefined;
	return new Promise((resolve) => {
		const child = execFile(
			start.file,
			start.args,
			{
				// `undefined` leaves a variable out.
				env: { ...environment },
				timeout: patienceMs,
				windowsHide: true,
				windowsVerbatimArguments: start.isVerbatim,
			},
			(error, stdout) => resolve(error === null ? /^\d+\.\d+\.\d+/.exec(stdout)?.[0] : undefined),
		);
		// Something else of that name may wait for a person to say something.
		child.stdin?.on('error', () => undefined); // it may have ended by now
		child.stdin?.end();
	});
}

/** A sentence why this version cannot have our hooks; `undefined`: it can. */
export function versionObstacle(version: string): string | undefined {
	const parts = version.split('.').map(Number);
	const index = oldest.findIndex((part, at) => parts[at] !== part);
	if (index === -1 || (parts[index] ?? 0) > (oldest[index] ?? 0)) return undefined;
	return `Claude Code ${version} is too old for these hooks: with them it would read nothing of a settings file. It has to be ${oldest.join('.')} or newer.`;
}

export const unknownVersion = `There is no "claude" here that says its version. One older than ${oldest.join('.')} reads nothing of a settings file with these hooks.`;
