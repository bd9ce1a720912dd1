// Names that the manifest uses too; test/vscode/suite/manifest.test.ts holds the two together.

export const viewIds = {
	agents: 'crosstalk.agents',
	conversation: 'crosstalk.conversation',
} as const;

export const commandIds = {
	refreshSessions: 'crosstalk.refreshSessions',
	filterSessions: 'crosstalk.filterSessions',
	clearFilter: 'crosstalk.clearFilter',
	openSession: 'crosstalk.openSession',
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
} as const;

export const contextKeys = {
	isFiltered: 'crosstalk.isFiltered',
	hasSearched: 'crosstalk.hasSearched',
	hasOwnHomes: 'crosstalk.hasOwnHomes',
	hasConversation: 'crosstalk.hasConversation',
} as const;

export const languageId = 'agent-transcript';

export const readableScheme = 'crosstalk-conversation';

export const diagnosticSource = 'Crosstalk';

export const taskType = 'crosstalk';
