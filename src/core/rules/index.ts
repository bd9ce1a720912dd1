import type { Rule } from './rule.ts';
import compactionMidCall from './compaction-mid-call.ts';
import concurrentWriters from './concurrent-writers.ts';
import damagedLine from './damaged-line.ts';
import defaultScopeQuery from './default-scope-query.ts';
import duplicateExecution from './duplicate-execution.ts';
import duplicateToolResult from './duplicate-tool-result.ts';
import duplicateToolUseId from './duplicate-tool-use-id.ts';
import incompleteParallelResults from './incomplete-parallel-results.ts';
import lateToolResult from './late-tool-result.ts';
import lostUpdate from './lost-update.ts';
import missingSubagentTranscript from './missing-subagent-transcript.ts';
import orphanedToolResult from './orphaned-tool-result.ts';
import orphanedToolUse from './orphaned-tool-use.ts';
import outcomeUnknown from './outcome-unknown.ts';
import reconnectCascade from './reconnect-cascade.ts';
import resultLostToCompaction from './result-lost-to-compaction.ts';
import sessionContextLost from './session-context-lost.ts';
import stalledCall from './stalled-call.ts';
import suspiciouslyEmptyResult from './suspiciously-empty-result.ts';
import toolResultNotFirst from './tool-result-not-first.ts';
import unlinkedSubagent from './unlinked-subagent.ts';
import unresolvedServerToolUse from './unresolved-server-tool-use.ts';

/** Every rule there is, by id. */
export const rules: readonly Rule[] = [
	compactionMidCall,
	concurrentWriters,
	damagedLine,
	defaultScopeQuery,
	duplicateExecution,
	duplicateToolResult,
	duplicateToolUseId,
	incompleteParallelResults,
	lateToolResult,
	lostUpdate,
	missingSubagentTranscript,
	orphanedToolResult,
	orphanedToolUse,
	outcomeUnknown,
	reconnectCascade,
	resultLostToCompaction,
	sessionContextLost,
	stalledCall,
	suspiciouslyEmptyResult,
	toolResultNotFirst,
	unlinkedSubagent,
	unresolvedServerToolUse,
];
