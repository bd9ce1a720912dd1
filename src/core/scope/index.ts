export { scopeParametersOf } from './findScopes.ts';
export { isHarmless, leftOut } from './leftOut.ts';
export type {
	DescribedTool,
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
export { checkScopeSettings, checkSettingsAgainst, settingsFor } from './settings.ts';
