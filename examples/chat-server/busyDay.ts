import type { Chats } from './chat.ts';

/** What was said on one day, by context. The tab of the nightly review is not among them: nobody talks there. */
export const busyDay: Readonly<Record<string, readonly (readonly [time: string, author: string, text: string])[]>> = {
	'tab-checkout': [
		[
			'09:12',
			'mira',
			'Checkout fails for carts with a voucher: 500 from /payments, since the release of this morning.',
		],
		['09:20', 'assistant', 'The voucher service answers with a currency of null. I look at the mapping.'],
		['09:58', 'mira', 'Eleven customers so far. Please keep me posted.'],
		['10:31', 'assistant', 'Fixed in the mapping, with a test. Ready to be released.'],
		['10:40', 'mira', 'Released. We owe these eleven customers a message.'],
	],
	'tab-search': [
		['11:05', 'jonas', 'Search finds nothing for words with an umlaut.'],
		['11:47', 'assistant', 'The index was built without folding. A rebuild takes two hours; may it run tonight?'],
		['11:52', 'jonas', 'Yes. Somebody has to look at it tomorrow.'],
	],
	'tab-billing': [
		['14:03', 'ada', 'Which invoices of October were sent twice?'],
		['14:30', 'assistant', 'Forty-two, all of them from the retry at 02:00. The list is in the report.'],
		['15:15', 'ada', 'Then the retry needs a key. Decide on it this week, please.'],
		['16:44', 'ada', 'Until then nobody starts it by hand.'],
	],
};

/** Midnight of that day, UTC. */
export const dayStart = '2026-11-20T00:00:00Z';

/** Writes the day where none has been written. Whoever starts second writes nothing twice. */
export async function writeBusyDay(chats: Chats): Promise<void> {
	const written = await chats.contexts();
	for (const [contextId, messages] of Object.entries(busyDay)) {
		if (written.some((context) => context.context_id === contextId && context.messages > 0)) continue;
		for (const [index, [time, author, text]] of messages.entries()) {
			const at = `${dayStart.slice(0, 10)}T${time}:00Z`;
			await chats.post(contextId, { at, author, text }, `busy day ${index + 1}`);
		}
	}
}
