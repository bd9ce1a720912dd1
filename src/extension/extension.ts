import type { Disposable, ExtensionContext } from 'vscode';
import { createCore } from '../core/core.ts';
import { createNodePlatform } from '../platform/node/platform.ts';
import { registerAgentsView } from './agentsView.ts';
import type { AgentsView } from './agentsView.ts';
import { registerCommand } from './commands.ts';
import { commandIds } from './ids.ts';
import { Log } from './log.ts';
import { OpenTranscripts } from './openTranscripts.ts';
import { registerProblems } from './problems.ts';
import { registerReveal } from './reveal.ts';
import { Sessions } from './sessions.ts';

/** What the suites in VS Code look at. Nobody else may rely on it. */
export interface TestApi {
	readonly sessions: Sessions;
	readonly transcripts: OpenTranscripts;
	readonly agents: AgentsView | undefined;
	/** How long `activate` took. */
	readonly activationMs: number;
}

export function activate(context: ExtensionContext): TestApi {
	const startedAt = performance.now();
	const log = new Log();
	context.subscriptions.push(log);
	const platform = createNodePlatform(false);
	const sessions = new Sessions(createCore(platform), platform, log);
	const transcripts = new OpenTranscripts(sessions, log);
	context.subscriptions.push(sessions, transcripts);

	/** One feature that fails does not take the others with it. */
	const register = <T extends Disposable>(name: string, create: () => T): T | undefined => {
		try {
			const feature = create();
			context.subscriptions.push(feature);
			return feature;
		} catch (error) {
			log.failure(`${name} could not be started`, error);
			return undefined;
		}
	};

	register('The log', () =>
		registerCommand(log, commandIds.showLog, 'The log could not be shown', () => log.channel.show(true)),
	);
	const agents = register('The view of agents', () => registerAgentsView(sessions, log));
	register('Problems', () => registerProblems(context.extensionUri, sessions, transcripts));
	register('Links', () => registerReveal(log));

	return { sessions, transcripts, agents, activationMs: performance.now() - startedAt };
}
