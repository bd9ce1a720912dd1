import assert from 'node:assert/strict';
import { maximumValues, Metrics } from '../../src/core/host/metrics.ts';
import type { Operation } from '../../src/core/host/metrics.ts';

const now = 1795250000123;

const called: Operation = {
	side: 'server',
	server: 'files',
	method: 'tools/call',
	tool: 'read',
	transport: 'http',
	protocolVersion: '2025-11-25',
	errorType: undefined,
	seconds: 0.03,
	callId: 'call-1',
};

function createMetrics(): Metrics {
	return new Metrics({ now: () => now }, '1.2.3');
}

const openMetrics = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

function linesOf(text: string, start: string): readonly string[] {
	return text.split('\n').filter((line) => line.startsWith(start));
}

describe('metrics', () => {
	it('are text for Prometheus', () => {
		const metrics = createMetrics();
		metrics.operation(called);
		metrics.operation({ ...called, seconds: 7 });
		metrics.operation({ ...called, side: 'client', transport: 'stdio', errorType: '-32603', seconds: 1000 });
		metrics.reconnect('files', 'exited');
		metrics.reconnect('files', 'exited');
		metrics.observeInFlight(() => [
			['files', 3],
			['web', 0],
		]);
		const labels =
			'crosstalk_server="files",mcp_method_name="tools/call",gen_ai_operation_name="execute_tool",gen_ai_tool_name="read",mcp_protocol_version="2025-11-25"';
		const client = `${labels},network_transport="pipe",error_type="-32603"`;
		const server = `${labels},network_transport="tcp",network_protocol_name="http"`;
		const bucket = (side: string, attributes: string, counts: readonly (readonly [string, number])[]) =>
			counts
				.map(
					([bound, count]) =>
						`mcp_${side}_operation_duration_seconds_bucket{${attributes},le="${bound}"} ${count}\n`,
				)
				.join('');
		const bounds = [
			'0.01',
			'0.02',
			'0.05',
			'0.1',
			'0.2',
			'0.5',
			'1',
			'2',
			'5',
			'10',
			'30',
			'60',
			'120',
			'300',
			'+Inf',
		];
		const { contentType, body } = metrics.scrape(undefined);
		assert.equal(contentType, 'text/plain; version=0.0.4; charset=utf-8');
		assert.equal(
			body,
			`# HELP target_info The program that tells these metrics.
# TYPE target_info gauge
target_info{service_name="crosstalk",service_version="1.2.3"} 1
# HELP mcp_client_operation_duration_seconds How long MCP servers took to answer the host.
# TYPE mcp_client_operation_duration_seconds histogram
${bucket(
	'client',
	client,
	bounds.map((bound) => [bound, bound === '+Inf' ? 1 : 0]),
)}mcp_client_operation_duration_seconds_sum{${client}} 1000
mcp_client_operation_duration_seconds_count{${client}} 1
# HELP mcp_server_operation_duration_seconds How long agents waited for the answers of the host.
# TYPE mcp_server_operation_duration_seconds histogram
${bucket(
	'server',
	server,
	bounds.map((bound, index) => [bound, index < 2 ? 0 : index < 9 ? 1 : 2]),
)}mcp_server_operation_duration_seconds_sum{${server}} 7.03
mcp_server_operation_duration_seconds_count{${server}} 2
# HELP crosstalk_in_flight_calls Calls that have been taken from agents and are not yet answered.
# TYPE crosstalk_in_flight_calls gauge
crosstalk_in_flight_calls{crosstalk_server="files"} 3
crosstalk_in_flight_calls{crosstalk_server="web"} 0
# HELP crosstalk_reconnects_total Connections to MCP servers that were made anew.
# TYPE crosstalk_reconnects_total counter
crosstalk_reconnects_total{crosstalk_server="files",crosstalk_reconnect_cause="exited"} 2
`,
		);
	});

	it('lead from a bucket to a call, for a scraper that asks for OpenMetrics', () => {
		const metrics = createMetrics();
		metrics.operation(called);
		metrics.operation({ ...called, callId: 'call-2' });
		metrics.operation({ ...called, seconds: 1, callId: 'not "plain"' });
		metrics.reconnect('files', 'exited');
		const { contentType, body } = metrics.scrape(openMetrics);
		assert.equal(contentType, openMetrics);
		assert.deepEqual(
			body
				.split('\n')
				.filter((line) => line.includes(' # '))
				.map((line) => line.slice(line.indexOf('le='))),
			['le="0.05"} 2 # {crosstalk_call_id="call-2"} 0.03 1795250000.123'],
		);
		assert.equal(body.includes('le="1.0"} 3\n'), true, body);
		assert.equal(body.includes('# UNIT mcp_server_operation_duration_seconds seconds\n'), true);
		assert.equal(body.includes('# TYPE target info\n'), true);
		assert.equal(body.includes('# TYPE crosstalk_reconnects counter\ncrosstalk_reconnects_total{'), true);
		assert.equal(body.endsWith('\n# EOF\n'), true);
	});

	const accepted: readonly (readonly [string | undefined, boolean])[] = [
		[undefined, false],
		['*/*', false],
		['text/plain', false],
		['application/openmetrics-text', true],
		[
			'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
			true,
		],
		['application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5', true],
		['text/plain;q=0.9,application/openmetrics-text;q=0.5', false],
		['application/openmetrics-text;q=0', false],
		['application/openmetrics-text;version=2.0.0', false],
	];
	for (const [accept, isOpenMetrics] of accepted) {
		it(`are ${isOpenMetrics ? 'OpenMetrics' : 'plain text'} for ${accept ?? 'a scraper that says nothing'}`, () => {
			assert.equal(
				createMetrics().scrape(accept).contentType.startsWith('application/openmetrics'),
				isOpenMetrics,
			);
		});
	}

	it('escape what would end a label', () => {
		const metrics = createMetrics();
		metrics.reconnect('a "b"\\\nc', 'exited');
		assert.deepEqual(linesOf(metrics.scrape(undefined).body, 'crosstalk_reconnects_total'), [
			'crosstalk_reconnects_total{crosstalk_server="a \\"b\\"\\\\\\nc",crosstalk_reconnect_cause="exited"} 1',
		]);
	});

	it('count the errors that agents were answered with', () => {
		const metrics = createMetrics();
		metrics.operation({ ...called, errorType: 'timed-out' });
		metrics.operation({ ...called, errorType: 'timed-out', tool: 'write' });
		metrics.operation({ ...called, errorType: 'tool_error' });
		metrics.operation({ ...called, errorType: 'timed-out', side: 'client' });
		assert.deepEqual(linesOf(metrics.scrape(undefined).body, 'crosstalk_errors_total'), [
			'crosstalk_errors_total{crosstalk_server="files",error_type="timed-out"} 2',
			'crosstalk_errors_total{crosstalk_server="files",error_type="tool_error"} 1',
		]);
	});

	it('put tools beyond a number together, server by server', () => {
		const metrics = createMetrics();
		for (let index = 0; index < maximumValues.tools + 50; index++) {
			metrics.operation({ ...called, tool: `tool-${index}` });
			metrics.operation({ ...called, server: 'web', tool: `other-tool-${index}` });
		}
		const counts = linesOf(metrics.scrape(undefined).body, 'mcp_server_operation_duration_seconds_count');
		assert.equal(counts.length, 2 * (maximumValues.tools + 1));
		assert.deepEqual(
			counts.filter((line) => line.includes('gen_ai_tool_name="other"')).map((line) => line.split('} ')[1]),
			['50', '50'],
		);
	});

	it('stay within bounds whatever agents send', () => {
		const metrics = createMetrics();
		for (let index = 0; index < 20_000; index++) {
			const name = `${index}`;
			metrics.operation({
				...called,
				server: name,
				method: name,
				tool: name,
				protocolVersion: name,
				errorType: name,
			});
			metrics.operation({
				...called,
				server: `${index % 40}`,
				method: `${index % 50}`,
				errorType: `${index % 60}`,
			});
			metrics.reconnect(name, name);
		}
		metrics.operation({ ...called, tool: 'x'.repeat(100_000) });
		const { body } = metrics.scrape(undefined);
		const counts = linesOf(body, 'mcp_server_operation_duration_seconds_count');
		assert.ok(counts.length <= 5_000 + maximumValues.servers + 1, String(counts.length));
		assert.equal(
			counts.reduce((sum, line) => sum + Number(line.split('} ')[1]), 0),
			40_001,
		);
		assert.ok(
			linesOf(body, 'crosstalk_reconnects_total').length <=
				(maximumValues.servers + 1) * (maximumValues.causes + 1),
		);
		assert.ok(body.length < 50_000_000);
	});

	it('are not spoilt by a clock that goes wrong', () => {
		const metrics = createMetrics();
		for (const seconds of [Number.NaN, -5, Number.POSITIVE_INFINITY]) metrics.operation({ ...called, seconds });
		const { body } = metrics.scrape(undefined);
		assert.match(body, /_sum\{[^}]*\} 0\n/);
		assert.match(body, /_count\{[^}]*\} 3\n/);
	});

	it('ask for the calls in flight when they are wanted, and no longer than they may', () => {
		const metrics = createMetrics();
		let calls = 1;
		const observed = metrics.observeInFlight(() => [['files', calls]]);
		metrics.observeInFlight(() => [['files', 10]]);
		const gauge = () => linesOf(metrics.scrape(undefined).body, 'crosstalk_in_flight_calls');
		assert.deepEqual(gauge(), ['crosstalk_in_flight_calls{crosstalk_server="files"} 11']);
		calls = 0;
		assert.deepEqual(gauge(), ['crosstalk_in_flight_calls{crosstalk_server="files"} 10']);
		observed.dispose();
		calls = 7;
		assert.deepEqual(gauge(), ['crosstalk_in_flight_calls{crosstalk_server="files"} 10']);
	});

	it('are a request of OTLP in its form of JSON', () => {
		const metrics = createMetrics();
		metrics.operation({ ...called, tool: undefined, method: 'tools/list', protocolVersion: undefined });
		metrics.reconnect('files', 'exited');
		metrics.observeInFlight(() => [['files', 3]]);
		const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
		const times = { startTimeUnixNano: '1795250000123000000', timeUnixNano: '1795250000123000000' };
		const files = attribute('crosstalk.server', 'files');
		const sum = (isMonotonic: boolean, asInt: string, ...attributes: readonly object[]) => ({
			aggregationTemporality: 2,
			isMonotonic,
			dataPoints: [{ attributes: [files, ...attributes], ...times, asInt }],
		});
		assert.deepEqual(JSON.parse(metrics.otlp({ 'deployment.environment': 'test', 'service.name': 'mine' })), {
			resourceMetrics: [
				{
					resource: {
						attributes: [
							attribute('service.name', 'mine'),
							attribute('service.version', '1.2.3'),
							attribute('deployment.environment', 'test'),
						],
					},
					scopeMetrics: [
						{
							scope: { name: 'crosstalk', version: '1.2.3' },
							metrics: [
								{
									name: 'mcp.server.operation.duration',
									description: 'How long agents waited for the answers of the host.',
									unit: 's',
									histogram: {
										aggregationTemporality: 2,
										dataPoints: [
											{
												attributes: [
													files,
													attribute('mcp.method.name', 'tools/list'),
													attribute('network.transport', 'tcp'),
													attribute('network.protocol.name', 'http'),
												],
												...times,
												count: '1',
												sum: 0.03,
												min: 0.03,
												max: 0.03,
												bucketCounts: [
													'0',
													'0',
													'1',
													'0',
													'0',
													'0',
													'0',
													'0',
													'0',
													'0',
													'0',
													'0',
													'0',
													'0',
													'0',
												],
												explicitBounds: [
													0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300,
												],
												exemplars: [
													{
														timeUnixNano: '1795250000123000000',
														asDouble: 0.03,
														filteredAttributes: [attribute('crosstalk.call.id', 'call-1')],
													},
												],
											},
										],
									},
								},
								{
									name: 'crosstalk.in_flight_calls',
									description: 'Calls that have been taken from agents and are not yet answered.',
									unit: '{call}',
									sum: sum(false, '3'),
								},
								{
									name: 'crosstalk.reconnects',
									description: 'Connections to MCP servers that were made anew.',
									unit: '{reconnect}',
									sum: sum(true, '1', attribute('crosstalk.reconnect.cause', 'exited')),
								},
							],
						},
					],
				},
			],
		});
	});
});
