export type * from './debugControl.ts';
