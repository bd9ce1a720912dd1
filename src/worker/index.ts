import type { Environment } from './environment.ts';
import { route } from './router.ts';

export { SessionObject } from './sessionObject.ts';

// The runtime asks for it under this name.
// oxlint-disable-next-line import/no-default-export
export default { fetch: route } satisfies ExportedHandler<Environment>;
