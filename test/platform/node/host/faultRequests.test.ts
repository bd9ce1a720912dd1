import assert from 'node:assert/strict';
import { ErrorCodes, ResponseError } from 'vscode-jsonrpc/node';
import { requestFaults } from '../../../../src/platform/node/host/faultRequests.ts';

describe('a request about faults', () => {
	const failing = (failure: Error) => ({
		async request(): Promise<never> {
			throw failure;
		},
	});

	it('says in a sentence that the host is too old', async () => {
		const old = failing(new ResponseError(ErrorCodes.MethodNotFound, 'Unhandled method faults/list'));
		await assert.rejects(requestFaults(old, 'faults/list', {}), {
			name: 'ExpectedError',
			message: /^The host that runs is older than this program and knows nothing of faults\./,
		});
	});

	it('leaves every other failure as it is', async () => {
		const broken = new Error('broken');
		await assert.rejects(requestFaults(failing(broken), 'faults/list', {}), broken);
	});
});
