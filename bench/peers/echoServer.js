// The MCP server behind every gateway of the bench: as fast as one process on stdio can be, so that what is measured is what stands before it.

let rest = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (/** @type {string} */ chunk) => {
	const lines = (rest + chunk).split('\n');
	rest = lines.pop() ?? '';
	let answers = '';
	for (const line of lines) answers += answer(/** @type {Message} */ (JSON.parse(line)));
	if (answers !== '') process.stdout.write(answers);
});
process.stdin.on('end', () => process.exit(0));

/**
 * @typedef {object} Message as its client sends it
 * @property {string | number} [id]
 * @property {string} [method]
 * @property {{ arguments?: { text?: string } }} [params]
 */

/** @param {Message} message */
function answer({ id, method, params }) {
	if (id === undefined) return '';
	switch (method) {
		case 'initialize':
			return line(id, {
				protocolVersion: '2025-11-25',
				capabilities: { tools: {} },
				serverInfo: { name: 'echo', version: '1.0.0' },
			});
		case 'tools/list':
			return line(id, {
				tools: [
					{
						name: 'echo',
						description: 'Says the same.',
						inputSchema: { type: 'object', properties: { text: { type: 'string' } } },
					},
				],
			});
		case 'tools/call':
			return line(id, { content: [{ type: 'text', text: params?.arguments?.text }] });
		case 'ping':
			return line(id, {});
		default:
			return `${JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } })}\n`;
	}
}

/** @param {string | number} id @param {object} result */
function line(id, result) {
	return `${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`;
}
