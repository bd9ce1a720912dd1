export const presetNames = ['cascade', 'compaction', 'scope'] as const;
export type PresetName = (typeof presetNames)[number];
