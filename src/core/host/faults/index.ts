export { checkFaults, faultText, faultWord, readFault } from './faultDefinition.ts';
export type { FaultDefinition, FaultKind } from './faultDefinition.ts';
export type { FaultStatus, FaultTarget } from './faultBook.ts';
