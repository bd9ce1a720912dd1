import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { userInfo } from 'node:os';

const module = new URL('../../../src/platform/node/userHome.ts', import.meta.url).href;

describe('the home folder', () => {
	before(function () {
		// It is not told by HOME there.
		if (process.platform === 'win32') this.skip();
	});

	function homeWith(environment: Readonly<Record<string, string>>, first = ''): string {
		const script = `import { userHome } from ${JSON.stringify(module)};
			${first}
			try { console.log(userHome()); } catch (error) { console.log(error.name + ': ' + error.message); }`;
		return execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
			env: environment,
			encoding: 'utf8',
		}).trimEnd();
	}

	it('is what HOME says', () => {
		assert.equal(homeWith({ HOME: '/home/of one' }), '/home/of one');
	});

	for (const [what, environment] of [
		['is empty', { HOME: '' }],
		['is relative', { HOME: 'somewhere' }],
		['is not there', {}],
	] as const) {
		it(`is what the system says of the user where HOME ${what}, and never a folder below the one that one stands in`, () => {
			assert.equal(homeWith(environment), userInfo().homedir);
		});
	}

	it('is missing in one sentence where nobody knows of one', () => {
		// Only the superuser can become somebody whom the system does not know.
		if (process.getuid?.() !== 0) return;
		assert.match(homeWith({}, 'process.setuid(3141592);'), /^\w*Error: There is no home folder: .* Set HOME\.$/);
	});
});
