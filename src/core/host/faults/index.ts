export { checkFaults, faultKinds, faultText, readFault } from './faultDefinition.ts';
export type { FaultDefinition, FaultKind, FaultProblem } from './faultDefinition.ts';
export type { FaultStatus, FaultTarget } from './faultBook.ts';
