// What `import … from 'crosstalk/session-store'` gives.

export { connectSessionStore } from './store/connectSessionStore.ts';
export type { ConnectOptions } from './store/connectSessionStore.ts';
export { openSessionStore } from './store/openSessionStore.ts';
export type { SessionStoreOptions } from './store/openSessionStore.ts';
export { StoreError } from '../../core/store/storeError.ts';
export type { StoreErrorCode } from '../../core/store/storeError.ts';
export type {
	CallContext,
	CallRequest,
	CheckpointMade,
	CheckpointSummary,
	DamageFound,
	EvictionPolicy,
	Session,
	SessionEvicted,
	SessionRehydrated,
	SessionState,
	SessionStore,
	SessionSummary,
	StoreLimits,
	StoredState,
	TakenOver,
} from '../../core/store/sessionStore.ts';
