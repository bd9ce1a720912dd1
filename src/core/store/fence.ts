// What every engine does to claim the database and to keep out whoever claimed it before: the same statements, run by each in its own way.

/** Before the first claim. */
export const createMeta = 'CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID';

/** A claim, in one transaction with reading what it gave. */
export const raiseGeneration =
	"INSERT INTO meta (name, value) VALUES ('generation', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1";

/** Column `value`. In each transaction before it writes, compared with the generation of whoever writes; no row: nobody has claimed it yet. */
export const readGeneration = "SELECT value FROM meta WHERE name = 'generation'";
