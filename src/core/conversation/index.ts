// What other stages may use of the conversation. The state behind it is nobody else's. Who replays one asks `replay.ts` for it: what all load at
// once should not bring it.
export { callState, inheritedCall, isActiveResult, refusalsAfter, turnsBetween } from './callState.ts';
export { conflictsOf, seenWords } from './conflicts.ts';
export { CataloguedTools, nameForAgents } from './cataloguedTools.ts';
export { createConversation, fold, foldWhole, laterTurn } from './fold.ts';
export type { Changes } from './fold.ts';
export type {
	Agent,
	BranchReturn,
	CallState,
	Compaction,
	Conversation,
	Damage,
	HookCall,
	HostCall,
	Message,
	OrphanCause,
	Place,
	Result,
	ServerChange,
	ToolCall,
	ToolDescription,
} from './model.ts';
export { unnamedAgentId } from './hostCalls.ts';
export { holdWords } from './holds.ts';
export { hostCallWords, serverChangeWords } from './hostWords.ts';
export { notificationWords } from './notificationWords.ts';
export {
	activeDuplicates,
	agentName,
	agentsInOrder,
	callsOf,
	durationOf,
	serverChangesOf,
	serverOf,
	toolOf,
} from './queries.ts';
