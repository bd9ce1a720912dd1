import assert from 'node:assert/strict';
import { notificationWords } from '../../src/core/conversation/index.ts';

describe('the words of a notification', () => {
	const cases: readonly (readonly [title: string, text: string, words: string])[] = [
		[
			'are its summary',
			'<task-notification>\n<task-id>a5</task-id>\n<status>completed</status>\n<summary>Agent "Count"\ncame to rest</summary>\n</task-notification>',
			'Agent "Count" came to rest',
		],
		[
			'are not what a result quotes',
			'<task-notification>\n<status>failed</status>\n<result>It said <summary>all is well</summary></result>',
			'failed It said all is well',
		],
		['are all of it without a summary, without its tags', '<note> Build\n  is over </note>', 'Build is over'],
		['may have no tags', 'It is over', 'It is over'],
		['may be none', '', ''],
	];
	for (const [title, text, words] of cases) it(title, () => assert.equal(notificationWords(text).trim(), words));
});
