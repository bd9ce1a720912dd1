/** The revisions of MCP that begin with a handshake, newest first; `2024-11-05` is the one of HTTP+SSE, still spoken by many clients. */
export const legacyRevisions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const;
export const LATEST_LEGACY = '2025-11-25';

/** The revision without one: each request says all that is needed. */
export const MODERN = '2026-07-28';
