/** The database of a data directory. */
export const storeFile = 'sessions.sqlite';
