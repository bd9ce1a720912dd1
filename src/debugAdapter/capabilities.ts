import type { DebugProtocol } from '@vscode/debugprotocol';
import { rules } from '../core/rules/index.ts';
import { toolErrorFilter } from './breakpointBook.ts';
import type { Abilities } from './debugTarget.ts';

const conditionDescription = 'An expression over the call, such as tool == "query" or arguments.limit > 100';

/** What the adapter can do for one target or another; which of it a target cannot do, it tells when it is there. */
export const capabilities: DebugProtocol.Capabilities = {
	supportsConfigurationDoneRequest: true,
	supportsFunctionBreakpoints: true,
	supportsConditionalBreakpoints: true,
	supportsHitConditionalBreakpoints: true,
	supportsLogPoints: true,
	supportsDataBreakpoints: true,
	supportsBreakpointLocationsRequest: true,
	supportsExceptionFilterOptions: true,
	supportsExceptionInfoRequest: true,
	exceptionBreakpointFilters: [
		{
			filter: toolErrorFilter,
			label: 'Tool errors',
			description: 'Stops at a result that is an error.',
			default: false,
			supportsCondition: true,
			conditionDescription,
		},
		...rules.map(({ id, meta }) => ({
			filter: id,
			label: id,
			description: `Stops where this does not hold: ${meta.description}`,
			default: false,
			supportsCondition: true,
			conditionDescription,
		})),
	],
	supportsEvaluateForHovers: true,
	supportsClipboardContext: true,
	supportsCompletionsRequest: true,
	completionTriggerCharacters: ['.'],
	supportsSetVariable: true,
	supportsSetExpression: true,
	supportsStepBack: true,
	supportsRestartFrame: true,
	supportsRestartRequest: true,
	supportsTerminateRequest: true,
	supportTerminateDebuggee: true,
	supportsSingleThreadExecutionRequests: true,
	supportsCancelRequest: true,
	supportsDelayedStackTraceLoading: true,
};

export function targetCapabilities({
	canGoBack,
	hasDataBreakpoints,
	canRepeat,
}: Abilities): DebugProtocol.Capabilities {
	return {
		supportsStepBack: canGoBack,
		supportsDataBreakpoints: hasDataBreakpoints,
		supportsRestartFrame: canRepeat,
	};
}
