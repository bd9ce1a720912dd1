// The same job as a virtual object of Restate: node restateService.ts SDK PORT

import { pathToFileURL } from 'node:url';
import { advance } from '../storeJob.ts';
import type { JobState } from '../storeJob.ts';

/** The part of Restate's SDK that is used here. It is installed for the bench alone. */
interface RestateSdk {
	object(definition: object): object;
	endpoint(): { bind(object: object): { listen(port: number): Promise<number> } };
}

interface ObjectContext {
	get(name: string): Promise<JobState | null>;
	set(name: string, value: JobState): void;
}

const [sdk = '', port = ''] = process.argv.slice(2);
const restate = (await import(pathToFileURL(sdk).href)) as RestateSdk; // whoever starts this says where it is

const session = restate.object({
	name: 'session',
	handlers: {
		advance: async (context: ObjectContext, bytes: number) => {
			const state = (await context.get('state')) ?? {};
			const count = advance(state, bytes);
			context.set('state', state);
			return count;
		},
	},
});

await restate.endpoint().bind(session).listen(Number(port));
console.log('ready');
