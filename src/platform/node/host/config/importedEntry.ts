import type { ConfigMember, PlainValue } from '../../../../core/host/config/configValue.ts';
import { parseJsonConfig } from './jsonConfig.ts';

/** An entry that was kept as a plain value, as if it stood in a file. */
export function entryFromPlain(name: string, entry: PlainValue): ConfigMember {
	const { root } = parseJsonConfig(JSON.stringify(entry));
	return { name, offset: 0, value: root ?? { kind: 'scalar', offset: 0, end: 0, value: null } };
}
