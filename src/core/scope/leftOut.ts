import type { GivenArguments } from '../events/sessionEvent.ts';
import type { ScopeParameter } from './scopeParameter.ts';

/**
 * Those of the parameters that a call was made without. A value that the schema's words call the same as none (`null`, `""`, `[]`) counts
 * as none. What cannot be known of a call (`undefined`, or it is known in part) is not said to be left out.
 */
export function leftOut(
	parameters: readonly ScopeParameter[],
	given: GivenArguments | undefined,
): readonly ScopeParameter[] {
	if (given === undefined || given.isPartial) return [];
	return parameters.filter((parameter) => !isGiven(parameter, given));
}

/** Leaving it out loses nothing: it says which part of an answer, or without it the tool looks everywhere. */
export function isHarmless(parameter: ScopeParameter): boolean {
	return parameter.kind === 'page' || (parameter.fallback?.isEverything ?? false);
}

function isGiven(parameter: ScopeParameter, given: GivenArguments): boolean {
	return given.values.some((value) => value.path === parameter.path && !parameter.blanks.includes(value.value));
}
