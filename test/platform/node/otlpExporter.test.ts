import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { OtlpExporter, otlpTarget } from '../../../src/platform/node/otlpExporter.ts';
import type { OtlpTarget } from '../../../src/platform/node/otlpExporter.ts';

interface Received {
	readonly request: IncomingMessage;
	readonly body: Buffer;
}

/** A collector that answers with the given status codes, one after the other, the last one for ever; 0: not at all. */
async function withCollector(
	statuses: readonly number[],
	run: (url: string, received: readonly Received[]) => Promise<void>,
): Promise<void> {
	const received: Received[] = [];
	const server = createServer((request, response) => {
		const chunks: Buffer[] = [];
		request.on('data', (chunk: Buffer) => chunks.push(chunk));
		request.on('end', () => {
			const status = statuses[Math.min(received.length, statuses.length - 1)] ?? 200;
			received.push({ request, body: Buffer.concat(chunks) });
			if (status === 302) response.setHeader('location', '/elsewhere');
			if (status !== 0) response.writeHead(status).end('{}');
		});
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	try {
		// It listens on a port, so its address is not a path.
		await run(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, received);
	} finally {
		server.closeAllConnections();
		server.close();
	}
}

function targetOf(environment: Readonly<Record<string, string>>): OtlpTarget {
	const target = otlpTarget(environment, undefined);
	assert.ok(typeof target === 'object');
	return target;
}

describe('the target of metrics', () => {
	it('does not exist unless somebody names it', () => {
		assert.equal(otlpTarget({}, undefined), undefined);
		assert.equal(
			otlpTarget({ OTEL_EXPORTER_OTLP_ENDPOINT: ' ', OTEL_METRIC_EXPORT_INTERVAL: '1000' }, undefined),
			undefined,
		);
	});

	it('is a path below the general address', () => {
		assert.equal(
			targetOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318' }).url,
			'http://localhost:4318/v1/metrics',
		);
		assert.equal(
			targetOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://a.example/otel/' }).url,
			'https://a.example/otel/v1/metrics',
		);
	});

	it('is the address for metrics as it stands, before any other', () => {
		const environment = {
			OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://m/x',
			OTEL_EXPORTER_OTLP_ENDPOINT: 'http://g',
		};
		assert.equal(targetOf(environment).url, 'http://m/x');
	});

	it('is what is configured where the environment names none', () => {
		const configured = otlpTarget({}, 'http://configured');
		assert.ok(typeof configured === 'object');
		assert.equal(configured.url, 'http://configured/v1/metrics');
		const both = otlpTarget({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://g' }, 'http://configured');
		assert.ok(typeof both === 'object');
		assert.equal(both.url, 'http://g/v1/metrics');
	});

	it('is none where metrics are switched off', () => {
		const named = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://g' };
		assert.equal(otlpTarget({ ...named, OTEL_SDK_DISABLED: 'true' }, undefined), undefined);
		assert.equal(otlpTarget({ ...named, OTEL_METRICS_EXPORTER: 'none' }, undefined), undefined);
		assert.equal(otlpTarget({ ...named, OTEL_METRICS_EXPORTER: 'prometheus' }, undefined), undefined);
		assert.ok(typeof otlpTarget({ ...named, OTEL_METRICS_EXPORTER: 'console,otlp' }, undefined) === 'object');
	});

	it('that cannot be used is a sentence', () => {
		const refusals: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
			[{ OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4317' }, /"localhost:4317\/v1\/metrics" is no address/],
			[{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://g', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, /gRPC/],
		];
		for (const [environment, sentence] of refusals) {
			const refusal = otlpTarget(environment, undefined);
			assert.ok(typeof refusal === 'string');
			assert.match(refusal, sentence);
		}
	});

	it('has the rest from the environment too', () => {
		const target = targetOf({
			OTEL_EXPORTER_OTLP_ENDPOINT: 'http://g',
			OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20x, a = b ,nonsense,=c',
			OTEL_EXPORTER_OTLP_METRICS_HEADERS: 'a=%zz',
			OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
			OTEL_EXPORTER_OTLP_TIMEOUT: '500',
			OTEL_METRIC_EXPORT_INTERVAL: 'often',
			OTEL_RESOURCE_ATTRIBUTES: 'service.name=no,deployment.environment=test',
			OTEL_SERVICE_NAME: 'mine',
		});
		assert.deepEqual(target, {
			url: 'http://g/v1/metrics',
			headers: { authorization: 'Bearer x', a: '%zz' },
			isCompressed: true,
			timeoutMs: 500,
			intervalMs: 60_000,
			resource: { 'service.name': 'mine', 'deployment.environment': 'test' },
		});
	});
});

describe('the exporter', () => {
	const body = (resource: Readonly<Record<string, string>>) => JSON.stringify({ resource });

	it('sends again and again, and once more at the end', async () => {
		await withCollector([200], async (url, received) => {
			const target = targetOf({
				OTEL_EXPORTER_OTLP_ENDPOINT: url,
				OTEL_EXPORTER_OTLP_HEADERS: 'x-key=1',
				OTEL_METRIC_EXPORT_INTERVAL: '10',
				OTEL_SERVICE_NAME: 'mine',
			});
			const exporter = new OtlpExporter({ target, body, warn: assert.fail });
			while (received.length < 3) await delay(5);
			await exporter.close();
			const count = received.length;
			await delay(50);
			assert.equal(received.length, count);
			const [first] = received;
			assert.equal(first?.request.method, 'POST');
			assert.equal(first?.request.url, '/v1/metrics');
			assert.equal(first?.request.headers['content-type'], 'application/json');
			assert.equal(first?.request.headers['x-key'], '1');
			assert.equal(first?.body.toString(), '{"resource":{"service.name":"mine"}}');
		});
	});

	it('compresses when it is asked to', async () => {
		await withCollector([200], async (url, received) => {
			const target = targetOf({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' });
			await new OtlpExporter({ target, body, warn: assert.fail }).close();
			assert.equal(received[0]?.request.headers['content-encoding'], 'gzip');
			assert.equal(gunzipSync(received[0]?.body ?? '').toString(), '{"resource":{}}');
		});
	});

	it('says once that the collector refuses, and again when it refuses anew', async () => {
		await withCollector([503, 503, 200, 400], async (url) => {
			const warnings: string[] = [];
			const target = targetOf({ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${url}/m?key=secret` });
			const exporter = new OtlpExporter({ target, body, warn: (sentence) => warnings.push(sentence) });
			for (let round = 0; round < 4; round++) await exporter.send();
			await exporter.close();
			assert.deepEqual(warnings, [
				`Metrics cannot be sent to ${url}/m (it answered 503); trying again.`,
				`Metrics cannot be sent to ${url}/m (it answered 400); trying again.`,
			]);
		});
	});

	it('neither waits for ever nor follows to another place', async () => {
		await withCollector([0, 302], async (url, received) => {
			const warnings: string[] = [];
			const impatient = targetOf({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_TIMEOUT: '500' });
			const slow = new OtlpExporter({ target: impatient, body, warn: (sentence) => warnings.push(sentence) });
			await slow.send();
			assert.match(warnings[0] ?? '', /it did not answer in time/);
			const target = targetOf({ OTEL_EXPORTER_OTLP_ENDPOINT: url });
			const moved = new OtlpExporter({ target, body, warn: (sentence) => warnings.push(sentence) });
			await moved.send();
			assert.equal(warnings.length, 2);
			assert.equal(received.length, 2);
			await slow.close();
			await moved.close();
		});
	});

	it('copes with a collector that is not there', async () => {
		const warnings: string[] = [];
		const target = targetOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
		await new OtlpExporter({ target, body, warn: (sentence) => warnings.push(sentence) }).close();
		assert.equal(warnings.length, 1);
	});
});
