/** Members that may be absent in place of those that may be `undefined`. */
type Present<Fields> = {
	[Name in keyof Fields as undefined extends Fields[Name] ? never : Name]: Fields[Name];
} & {
	[Name in keyof Fields as undefined extends Fields[Name] ? Name : never]?: Exclude<Fields[Name], undefined>;
};

/** Leaves out what is `undefined`: the protocol knows members that are absent, and none that are there without a value. */
export function present<Fields extends object>(fields: Fields): Present<Fields> {
	// Exactly the members that the type makes optional are left out.
	return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<Fields>;
}
