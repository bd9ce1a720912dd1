import { sessionStoreContract } from '../contract/sessionStore.ts';
import { memoryEngine } from './memoryEngine.ts';

sessionStoreContract('in memory', memoryEngine);
