import type { Disposable, ExtensionContext } from 'vscode';
import { createCore } from '../core/core.ts';
import { createNodePlatform } from '../platform/node/platform.ts';
import { registerAgentsView } from './agentsView.ts';
import type { AgentsView } from './agentsView.ts';
import { registerCommand } from './commands.ts';
import { registerComparisonView } from './comparisonView.ts';
import { registerCoverageView } from './coverageView.ts';
import { registerConversationView } from './conversationView.ts';
import type { ConversationView } from './conversationView.ts';
import { registerDebug } from './debug.ts';
import type { DebugFeature } from './debug.ts';
import { registerHost } from './host.ts';
import type { HostFeature } from './host.ts';
import { commandIds } from './ids.ts';
import { Log } from './log.ts';
import { OpenTranscripts } from './openTranscripts.ts';
import { registerProblems } from './problems.ts';
import { registerReadableView } from './readableView.ts';
import { registerReveal } from './reveal.ts';
import { registerSavedSessions } from './savedSessions.ts';
import { Sessions } from './sessions.ts';
import { hostDirectory } from './settings.ts';
import { registerTasks } from './tasks.ts';
import { nameThisWindow } from './thisWindow.ts';
import { registerTranscriptFeatures } from './transcriptFeatures.ts';

/** What the suites in VS Code look at. Nobody else may rely on it. */
export interface TestApi {
	readonly sessions: Sessions;
	readonly transcripts: OpenTranscripts;
	readonly agents: AgentsView | undefined;
	readonly conversation: ConversationView | undefined;
	readonly host: HostFeature | undefined;
	readonly debug: DebugFeature | undefined;
	/** How long `activate` took. */
	readonly activationMs: number;
}

export function activate(context: ExtensionContext): TestApi {
	const startedAt = performance.now();
	const log = new Log();
	context.subscriptions.push(log);
	const platform = createNodePlatform(false, {
		directory: () => hostDirectory(platform.files),
		warn: (sentence) => log.channel.warn(sentence),
	});
	const sessions = new Sessions(createCore(platform), platform, log);
	const transcripts = new OpenTranscripts(sessions, log);
	context.subscriptions.push(sessions, transcripts, nameThisWindow());

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
	const conversation =
		agents &&
		register('The view of a conversation', () => registerConversationView(sessions, transcripts, agents, log));
	register('Problems', () => registerProblems(context.extensionUri, sessions, transcripts));
	register('Transcripts in editors', () => registerTranscriptFeatures(platform.files, transcripts, log));
	if (agents !== undefined && conversation !== undefined) {
		register('The readable view', () =>
			registerReadableView({ extension: context.extensionUri, sessions, transcripts, agents, conversation, log }),
		);
	}
	if (agents !== undefined)
		register('Who looked where', () => registerCoverageView({ sessions, transcripts, agents, log }));
	if (agents !== undefined) {
		// The manifest is our own.
		const { version } = context.extension.packageJSON as { readonly version: string };
		register('Session files', () => registerSavedSessions({ version, sessions, transcripts, agents, log }));
		register('Comparing sessions', () => registerComparisonView({ sessions, transcripts, agents, log }));
	}
	register('Tasks', () => registerTasks(context.extensionUri));
	register('Links', () => registerReveal(log, platform.files));
	const host = register('The host', () =>
		registerHost({
			extension: context.extensionUri,
			sessions,
			secrets: context.secrets,
			markedViews: [agents, conversation].flatMap((feature) => feature?.marked ?? []),
			log,
		}),
	);
	const debug =
		agents &&
		conversation &&
		host &&
		register('The debugger', () =>
			registerDebug({
				extension: context.extensionUri,
				sessions,
				transcripts,
				agents,
				conversation,
				host,
				log,
			}),
		);

	return { sessions, transcripts, agents, conversation, host, debug, activationMs: performance.now() - startedAt };
}
