export { scopeParametersOf } from './findScopes.ts';
export type { DescribedTool } from './findScopes.ts';
export { isHarmless, leftOut } from './leftOut.ts';
export type {
	ScopeEvidence,
	ScopeFallback,
	ScopeKind,
	ScopeParameter,
	ScopePolicies,
	ScopePolicy,
	ScopeSettings,
	ScopeSettingsProblem,
	SeenCall,
	SeenValues,
	ToolScopeSettings,
	UnknownScopes,
} from './scopeParameter.ts';
export { checkScopeSettings, settingsFor } from './settings.ts';
