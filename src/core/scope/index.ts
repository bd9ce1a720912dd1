export { isEverythingWord } from './fallback.ts';
export { scopeParametersOf } from './findScopes.ts';
export { isHarmless, leftOut } from './leftOut.ts';
export {
	fallsBack,
	isAtHand,
	isChoosing,
	isLaterPage,
	isPlainlyChoosing,
	lastName,
	mattering,
	mayChoose,
	nounOf,
	wordsOf,
} from './narrowing.ts';
export type {
	DescribedTool,
	ScopeParameter,
	ScopePolicies,
	ScopePolicy,
	ScopeSettings,
	SeenCall,
	ToolScopeSettings,
	UnknownScopes,
} from './scopeParameter.ts';
export { shapeOf } from './toolShape.ts';
export { checkScopeSettings, checkSettingsAgainst, settingsFor } from './settings.ts';
