/** What Cloudflare asks for, in US dollars a month on the Workers Paid plan. Read again before it is quoted: it changes. */
export const prices = {
	readAt: '2026-11-21',
	sources: [
		'https://developers.cloudflare.com/durable-objects/platform/pricing/',
		'https://developers.cloudflare.com/kv/platform/pricing/',
	],
	/** Of the plan, whatever is used. */
	base: 5,
	durableObjects: {
		requests: { included: 1_000_000, perMillion: 0.15 },
		/** In GB-seconds. An object that is idle and may hibernate is not billed. */
		duration: { included: 400_000, perMillion: 12.5 },
		/** What one object is billed as, whatever it uses. */
		gigabytes: 0.128,
		rowsWritten: { included: 50_000_000, perMillion: 1 },
		/** Of objects on the older key-value backend, 4 KB each. */
		keyValueWrites: { included: 1_000_000, perMillion: 1 },
	},
	keyValue: {
		reads: { included: 10_000_000, perMillion: 0.5 },
		writes: { included: 1_000_000, perMillion: 5 },
	},
} as const satisfies PriceList;

export interface Price {
	readonly included: number;
	readonly perMillion: number;
}

interface PriceList {
	/** A day, ISO 8601. */
	readonly readAt: string;
	readonly sources: readonly string[];
	readonly base: number;
	readonly durableObjects: Readonly<Record<'requests' | 'duration' | 'rowsWritten' | 'keyValueWrites', Price>> & {
		readonly gigabytes: number;
	};
	readonly keyValue: Readonly<Record<'reads' | 'writes', Price>>;
}

export function cost(units: number, { included, perMillion }: Price): number {
	return (Math.max(0, units - included) / 1e6) * perMillion;
}
