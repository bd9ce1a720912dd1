// Names that the manifest uses too; test/vscode/suite/manifest.test.ts holds the two together.

export const viewIds = {
	agents: 'crosstalk.agents',
	inFlight: 'crosstalk.inFlight',
	conversation: 'crosstalk.conversation',
	servers: 'crosstalk.servers',
} as const;

export const commandIds = {
	refreshSessions: 'crosstalk.refreshSessions',
	filterSessions: 'crosstalk.filterSessions',
	clearFilter: 'crosstalk.clearFilter',
	openSession: 'crosstalk.openSession',
	saveSession: 'crosstalk.saveSession',
	compareSessions: 'crosstalk.compareSessions',
	showConversation: 'crosstalk.showConversation',
	openReadableView: 'crosstalk.openReadableView',
	revealTranscript: 'crosstalk.revealTranscript',
	revealProblems: 'crosstalk.revealProblems',
	revealInAgents: 'crosstalk.revealInAgents',
	revealPlace: 'crosstalk.revealPlace',
	copyId: 'crosstalk.copyId',
	showMore: 'crosstalk.showMore',
	showLog: 'crosstalk.showLog',
	openHomesSetting: 'crosstalk.openHomesSetting',
	startHost: 'crosstalk.startHost',
	stopHost: 'crosstalk.stopHost',
	reconnectServer: 'crosstalk.reconnectServer',
	cancelCall: 'crosstalk.cancelCall',
	revealCall: 'crosstalk.revealCall',
	showServerOutput: 'crosstalk.showServerOutput',
	copyServerAddress: 'crosstalk.copyServerAddress',
	importServers: 'crosstalk.importServers',
	restoreServers: 'crosstalk.restoreServers',
	installHooks: 'crosstalk.installHooks',
	removeHooks: 'crosstalk.removeHooks',
	runAgent: 'crosstalk.runAgent',
	openEventLog: 'crosstalk.openEventLog',
	injectFault: 'crosstalk.injectFault',
	disarmAllFaults: 'crosstalk.disarmAllFaults',
	reproduceBug: 'crosstalk.reproduceBug',
	showSessionState: 'crosstalk.showSessionState',
	compareCheckpoints: 'crosstalk.compareCheckpoints',
	connectRemoteStore: 'crosstalk.connectRemoteStore',
	disconnectRemoteStore: 'crosstalk.disconnectRemoteStore',
	refreshRemoteStore: 'crosstalk.refreshRemoteStore',
	showCoverage: 'crosstalk.showCoverage',
	copyExplicitCall: 'crosstalk.copyExplicitCall',
	acceptScopeDefault: 'crosstalk.acceptScopeDefault',
	declareScopes: 'crosstalk.declareScopes',
	debugAgent: 'crosstalk.debugAgent',
	attachDebugger: 'crosstalk.attachDebugger',
	replayTranscript: 'crosstalk.replayTranscript',
	breakOnTool: 'crosstalk.breakOnTool',
	pauseAgents: 'crosstalk.pauseAgents',
	pauseAgent: 'crosstalk.pauseAgent',
	continueCall: 'crosstalk.continueCall',
	editArguments: 'crosstalk.editArguments',
	answerCall: 'crosstalk.answerCall',
} as const;

export const contextKeys = {
	isFiltered: 'crosstalk.isFiltered',
	hasSearched: 'crosstalk.hasSearched',
	hasOwnHomes: 'crosstalk.hasOwnHomes',
	hasConversation: 'crosstalk.hasConversation',
	/** `none`, `starting`, `running` or `failed`. */
	hostState: 'crosstalk.hostState',
	/** Something is armed to go wrong on purpose. */
	hasFaults: 'crosstalk.hasFaults',
} as const;

export const languageId = 'agent-transcript';

export const readableScheme = 'crosstalk-conversation';

/** What a server has printed, read-only. */
export const outputScheme = 'crosstalk-server-output';

/** The state of a session in the store, as of one checkpoint. */
export const stateScheme = 'crosstalk-session-state';

/** Who looked where, in one session. */
export const coverageScheme = 'crosstalk-coverage';

/** What differs between two sessions. */
export const comparisonScheme = 'crosstalk-comparison';

/** Files as they would be. */
export const plannedScheme = 'crosstalk-planned';

/** Shows what a session file is, where an editor would show bytes. */
export const savedEditorId = 'crosstalk.savedSession';

export const mcpProviderId = 'crosstalk.host';

export const diagnosticSource = 'Crosstalk';

export const taskType = 'crosstalk';

export const debugType = 'crosstalk';
