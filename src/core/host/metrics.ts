import type { Disposable } from '../base/lifecycle.ts';

/** One request that has ended, seen from one side of the host. */
export interface Operation {
	/** `server`: the host answered an agent, waiting included. `client`: an MCP server answered the host. */
	readonly side: 'client' | 'server';
	/** The MCP server's configured name. */
	readonly server: string;
	/** Of the request: `tools/call`. */
	readonly method: string;
	readonly tool: string | undefined;
	/** How the host reaches the other side: an agent or the server. */
	readonly transport: 'stdio' | 'http' | 'sse';
	readonly protocolVersion: string | undefined;
	/** `tool_error` for a result with `isError`, else the JSON-RPC code or one of the host's own types (`timed-out`); absent: it went well. */
	readonly errorType: string | undefined;
	readonly seconds: number;
	/** Leads from a slow bucket to the call. */
	readonly callId: string | undefined;
}

/** What a program that collects metrics gets. */
export interface Exposition {
	readonly contentType: string;
	readonly body: string;
}

/** A label whose values nobody here chooses holds this many different ones; whatever comes later counts as `other`. */
export const maximumValues = {
	tools: 200,
	servers: 200,
	methods: 64,
	versions: 16,
	errorTypes: 64,
	causes: 32,
} as const;

/** Histograms in all. A product of many labels can grow large though each of them is bounded. */
const maximumHistograms = 5_000;

/**
 * Counters and histograms of the host, named as OpenTelemetry's conventions for MCP name them, told as Prometheus and OpenMetrics text and
 * as the JSON form of OTLP.
 */
export class Metrics {
	private readonly clock: { now(): number };
	private readonly version: string;
	private readonly startedAt: number;
	private readonly durations = { client: new HistogramFamily(), server: new HistogramFamily() };
	private readonly reconnects = new CounterFamily();
	private readonly errors = new CounterFamily();
	private readonly servers = new Bounded(maximumValues.servers);
	private readonly tools = new Map<string, Bounded>();
	private readonly methods = new Bounded(maximumValues.methods);
	private readonly versions = new Bounded(maximumValues.versions);
	private readonly errorTypes = new Bounded(maximumValues.errorTypes);
	private readonly causes = new Bounded(maximumValues.causes);
	private readonly inFlight = new Set<() => Iterable<readonly [server: string, calls: number]>>();

	/**
	 * @param clock Epoch milliseconds.
	 * @param version Of this program.
	 */
	constructor(clock: { now(): number }, version: string) {
		this.clock = clock;
		this.version = version;
		this.startedAt = clock.now();
	}

	/** Counts a request that has ended. It runs for every call, twice. */
	operation(operation: Operation): void {
		const { side } = operation;
		const server = this.servers.take(operation.server);
		const method = this.methods.take(operation.method);
		const tool = operation.tool === undefined ? '' : this.toolsOf(server).take(operation.tool);
		const version = operation.protocolVersion === undefined ? '' : this.versions.take(operation.protocolVersion);
		const errorType = operation.errorType === undefined ? '' : this.errorTypes.take(operation.errorType);
		const { transport, seconds, callId } = operation;
		const family = this.durations[side];
		let key = `${server}\n${method}\n${tool}\n${transport}\n${version}\n${errorType}`;
		let histogram = family.get(key);
		if (histogram === undefined) {
			const isFull = family.size >= maximumHistograms;
			if (isFull) key = `${server}\n${other}`;
			histogram = family.add(
				key,
				isFull
					? [
							['crosstalk.server', server],
							['mcp.method.name', other],
						]
					: operationAttributes({ server, method, tool, transport, version, errorType }),
			);
		}
		histogram.record(seconds, callId, this.clock);
		if (errorType !== '' && side === 'server') {
			this.errors.add(`${server}\n${errorType}`, () => [
				['crosstalk.server', server],
				['error.type', errorType],
			]);
		}
	}

	/** Counts a connection that was made anew. `cause` is one of few words: `exited`, `unresponsive`, `requested`. */
	reconnect(server: string, cause: string): void {
		const name = this.servers.take(server);
		const why = this.causes.take(cause);
		this.reconnects.add(`${name}\n${why}`, () => [
			['crosstalk.server', name],
			['crosstalk.reconnect.cause', why],
		]);
	}

	/** Gives the calls in flight, by server, whenever they are asked for. */
	observeInFlight(read: () => Iterable<readonly [server: string, calls: number]>): Disposable {
		this.inFlight.add(read);
		return { dispose: () => void this.inFlight.delete(read) };
	}

	/** What a scraper gets that sends this `Accept` header: OpenMetrics, with exemplars, when it asks for it. */
	scrape(accept: string | undefined): Exposition {
		if (wantsOpenMetrics(accept)) {
			const body = exposed(this.families(), true);
			return { contentType: 'application/openmetrics-text; version=1.0.0; charset=utf-8', body };
		}
		return { contentType: 'text/plain; version=0.0.4; charset=utf-8', body: exposed(this.families(), false) };
	}

	/** The body of a `POST /v1/metrics`: `ExportMetricsServiceRequest` as JSON. `resource` says which program this is. */
	otlp(resource: Readonly<Record<string, string>>): string {
		const startTimeUnixNano = nanoseconds(this.startedAt);
		const timeUnixNano = nanoseconds(this.clock.now());
		const times = { startTimeUnixNano, timeUnixNano };
		const metrics = this.families()
			.filter((family) => family.points.length > 0 && family.name !== 'target')
			.map((family) => otlpMetric(family, times));
		const attributes = { 'service.name': serviceName, 'service.version': this.version, ...resource };
		return JSON.stringify({
			resourceMetrics: [
				{
					resource: { attributes: otlpAttributes(Object.entries(attributes)) },
					scopeMetrics: [{ scope: { name: serviceName, version: this.version }, metrics }],
				},
			],
		});
	}

	private toolsOf(server: string): Bounded {
		let tools = this.tools.get(server);
		if (tools === undefined) this.tools.set(server, (tools = new Bounded(maximumValues.tools)));
		return tools;
	}

	private families(): readonly Family[] {
		const inFlight = new Map<string, number>();
		for (const read of this.inFlight) {
			for (const [server, calls] of read()) {
				const name = this.servers.take(server);
				inFlight.set(name, (inFlight.get(name) ?? 0) + calls);
			}
		}
		return [
			{
				kind: 'gauge',
				name: 'target',
				description: 'The program that tells these metrics.',
				unit: '',
				points: [
					{
						attributes: [
							['service.name', serviceName],
							['service.version', this.version],
						],
						value: 1,
					},
				],
			},
			{
				kind: 'histogram',
				name: 'mcp.client.operation.duration',
				description: 'How long MCP servers took to answer the host.',
				unit: 's',
				points: this.durations.client.points,
			},
			{
				kind: 'histogram',
				name: 'mcp.server.operation.duration',
				description: 'How long agents waited for the answers of the host.',
				unit: 's',
				points: this.durations.server.points,
			},
			{
				kind: 'gauge',
				name: 'crosstalk.in_flight_calls',
				description: 'Calls that have been taken from agents and are not yet answered.',
				unit: '{call}',
				points: [...inFlight].map(([server, value]) => ({ attributes: [['crosstalk.server', server]], value })),
			},
			{
				kind: 'counter',
				name: 'crosstalk.reconnects',
				description: 'Connections to MCP servers that were made anew.',
				unit: '{reconnect}',
				points: this.reconnects.points,
			},
			{
				kind: 'counter',
				name: 'crosstalk.errors',
				description: 'Errors that agents were answered with.',
				unit: '{error}',
				points: this.errors.points,
			},
		];
	}
}

const serviceName = 'crosstalk';
const other = 'other';

type Attributes = readonly (readonly [name: string, value: string])[];

type Family = {
	readonly name: string;
	readonly description: string;
	readonly unit: string;
} & (
	| { readonly kind: 'histogram'; readonly points: readonly { attributes: Attributes; histogram: Histogram }[] }
	| { readonly kind: 'counter' | 'gauge'; readonly points: readonly { attributes: Attributes; value: number }[] }
);

function operationAttributes(operation: {
	readonly server: string;
	readonly method: string;
	readonly tool: string;
	readonly transport: 'stdio' | 'http' | 'sse';
	readonly version: string;
	readonly errorType: string;
}): Attributes {
	const { server, method, tool, transport, version, errorType } = operation;
	const attributes: [string, string][] = [
		['crosstalk.server', server],
		['mcp.method.name', method],
	];
	if (method === 'tools/call') attributes.push(['gen_ai.operation.name', 'execute_tool']);
	if (tool !== '') attributes.push(['gen_ai.tool.name', tool]);
	if (version !== '') attributes.push(['mcp.protocol.version', version]);
	attributes.push(['network.transport', transport === 'stdio' ? 'pipe' : 'tcp']);
	if (transport !== 'stdio') attributes.push(['network.protocol.name', 'http']);
	if (errorType !== '') attributes.push(['error.type', errorType]);
	return attributes;
}

/** The first so many different values of a label, and `other` for the rest. */
class Bounded {
	private readonly known = new Set<string>();
	private readonly maximum: number;

	constructor(maximum: number) {
		this.maximum = maximum;
	}

	take(value: string): string {
		if (this.known.has(value)) return value;
		if (this.known.size >= this.maximum || value.length > 200) return other;
		this.known.add(value);
		return value;
	}
}

class CounterFamily {
	private readonly counters = new Map<string, { readonly attributes: Attributes; value: number }>();

	get points(): readonly { attributes: Attributes; value: number }[] {
		return [...this.counters.values()];
	}

	add(key: string, attributes: () => Attributes): void {
		const counter = this.counters.get(key);
		if (counter === undefined) this.counters.set(key, { attributes: attributes(), value: 1 });
		else counter.value++;
	}
}

class HistogramFamily {
	private readonly histograms = new Map<string, { readonly attributes: Attributes; readonly histogram: Histogram }>();

	get size(): number {
		return this.histograms.size;
	}

	get points(): readonly { attributes: Attributes; histogram: Histogram }[] {
		return [...this.histograms.values()];
	}

	get(key: string): Histogram | undefined {
		return this.histograms.get(key)?.histogram;
	}

	/** The histogram of that key, made if there is none. */
	add(key: string, attributes: Attributes): Histogram {
		const known = this.get(key);
		if (known !== undefined) return known;
		const histogram = new Histogram();
		this.histograms.set(key, { attributes, histogram });
		return histogram;
	}
}

/** Upper bounds in seconds, as the conventions give them for operations of MCP. */
const bounds = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300] as const;

const plainId = /^[\w.:-]{1,100}$/;

interface Exemplar {
	readonly seconds: number;
	readonly callId: string;
	/** Epoch milliseconds. */
	readonly at: number;
}

class Histogram {
	/** Not added up; the last one is for what is above all bounds. */
	private readonly counts = new Float64Array(bounds.length + 1);
	/** By bucket the last call that fell into it. */
	private readonly exemplars: (Exemplar | undefined)[] = Array.from({ length: bounds.length + 1 }, () => undefined);
	private count = 0;
	private sum = 0;
	private minimum = Number.POSITIVE_INFINITY;
	private maximum = 0;

	record(measured: number, callId: string | undefined, clock: { now(): number }): void {
		// A clock that goes wrong must not spoil every sum to come.
		const seconds = measured >= 0 && measured < Number.POSITIVE_INFINITY ? measured : 0;
		let bucket = 0;
		while (bucket < bounds.length && seconds > (bounds[bucket] ?? 0)) bucket++;
		this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
		this.count++;
		this.sum += seconds;
		this.minimum = Math.min(this.minimum, seconds);
		this.maximum = Math.max(this.maximum, seconds);
		// Scrapers differ in what they take inside an exemplar; the ids that the host makes are plain.
		if (callId !== undefined && plainId.test(callId)) this.exemplars[bucket] = { seconds, callId, at: clock.now() };
	}

	/** The lines of one series. `labels` is what stands between the braces, or nothing. */
	expose(name: string, labels: string, isOpenMetrics: boolean): string {
		const before = labels === '' ? '' : `${labels},`;
		const around = labels === '' ? '' : `{${labels}}`;
		let lines = '';
		let below = 0;
		for (const [bucket, count] of this.counts.entries()) {
			below += count;
			const bound = bounds[bucket];
			const le = bound === undefined ? '+Inf' : isOpenMetrics && Number.isInteger(bound) ? `${bound}.0` : bound;
			const exemplar = isOpenMetrics ? this.exemplars[bucket] : undefined;
			const example =
				exemplar === undefined
					? ''
					: ` # {${callIdLabel}="${exemplar.callId}"} ${exemplar.seconds} ${exemplar.at / 1000}`;
			lines += `${name}_bucket{${before}le="${le}"} ${below}${example}\n`;
		}
		return `${lines}${name}_sum${around} ${this.sum}\n${name}_count${around} ${this.count}\n`;
	}

	otlp(attributes: readonly OtlpAttribute[], times: OtlpTimes) {
		return {
			attributes,
			...times,
			count: String(this.count),
			sum: this.sum,
			min: this.minimum,
			max: this.maximum,
			bucketCounts: [...this.counts].map(String),
			explicitBounds: bounds,
			exemplars: this.exemplars.flatMap((exemplar) =>
				exemplar === undefined
					? []
					: [
							{
								timeUnixNano: nanoseconds(exemplar.at),
								asDouble: exemplar.seconds,
								filteredAttributes: otlpAttributes([['crosstalk.call.id', exemplar.callId]]),
							},
						],
			),
		};
	}
}

const callIdLabel = prometheusName('crosstalk.call.id');

function exposed(families: readonly Family[], isOpenMetrics: boolean): string {
	let text = '';
	for (const family of families) {
		if (family.points.length === 0) continue;
		const base = `${prometheusName(family.name)}${family.unit === 's' ? '_seconds' : ''}`;
		const suffix = family.name === 'target' ? '_info' : family.kind === 'counter' ? '_total' : '';
		const type = family.name === 'target' && isOpenMetrics ? 'info' : family.kind;
		// OpenMetrics names the family without the suffix of its samples, the older format with it.
		const name = isOpenMetrics ? base : base + suffix;
		text += `# HELP ${name} ${escapedHelp(family.description, isOpenMetrics)}\n# TYPE ${name} ${type}\n`;
		if (isOpenMetrics && family.unit === 's') text += `# UNIT ${name} seconds\n`;
		if (family.kind === 'histogram') {
			for (const { attributes, histogram } of family.points) {
				text += histogram.expose(base, labelsOf(attributes), isOpenMetrics);
			}
		} else {
			for (const { attributes, value } of family.points)
				text += `${base}${suffix}{${labelsOf(attributes)}} ${value}\n`;
		}
	}
	return isOpenMetrics ? `${text}# EOF\n` : text;
}

/** As OpenTelemetry's names become Prometheus'. */
function prometheusName(name: string): string {
	return name.replaceAll(/\W/g, '_');
}

function labelsOf(attributes: Attributes): string {
	return attributes.map(([name, value]) => `${prometheusName(name)}="${escapedLabel(value)}"`).join(',');
}

function escapedLabel(value: string): string {
	return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

function escapedHelp(text: string, isOpenMetrics: boolean): string {
	const escaped = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
	return isOpenMetrics ? escaped.replaceAll('"', '\\"') : escaped;
}

/** Whether OpenMetrics is named, not refused, and no less welcome than the older text. */
function wantsOpenMetrics(accept: string | undefined): boolean {
	if (accept === undefined) return false;
	const quality = (type: string) => {
		let best = -1;
		for (const range of accept.toLowerCase().split(',')) {
			const [name = '', ...parameters] = range.split(';').map((part) => part.trim());
			if (name !== type) continue;
			// OpenMetrics 1.0.0 reads what 0.0.1 was; a later one we do not write.
			const version = parameters.find((parameter) => parameter.startsWith('version='))?.slice('version='.length);
			if (type === openMetrics && version !== undefined && version !== '1.0.0' && version !== '0.0.1') continue;
			const q = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1);
			best = Math.max(best, Number.isNaN(q) ? 1 : q);
		}
		return best;
	};
	const wanted = quality(openMetrics);
	return wanted > 0 && wanted >= quality('text/plain');
}

const openMetrics = 'application/openmetrics-text';

function otlpMetric(family: Family, times: OtlpTimes) {
	const { name, description, unit } = family;
	const named = { name, description, unit };
	const aggregationTemporality = cumulative;
	if (family.kind === 'histogram') {
		const dataPoints = family.points.map(({ attributes, histogram }) =>
			histogram.otlp(otlpAttributes(attributes), times),
		);
		return { ...named, histogram: { aggregationTemporality, dataPoints } };
	}
	const dataPoints = family.points.map(({ attributes, value }) => ({
		attributes: otlpAttributes(attributes),
		...times,
		asInt: String(value),
	}));
	return { ...named, sum: { aggregationTemporality, isMonotonic: family.kind === 'counter', dataPoints } };
}

interface OtlpTimes {
	readonly startTimeUnixNano: string;
	readonly timeUnixNano: string;
}

interface OtlpAttribute {
	readonly key: string;
	readonly value: { readonly stringValue: string };
}

function otlpAttributes(attributes: Attributes): readonly OtlpAttribute[] {
	return attributes.map(([key, stringValue]) => ({ key, value: { stringValue } }));
}

/** `AGGREGATION_TEMPORALITY_CUMULATIVE`; enumerations are numbers in OTLP's JSON. */
const cumulative = 2;

/** 64-bit numbers are strings in OTLP's JSON. */
function nanoseconds(milliseconds: number): string {
	return `${Math.floor(milliseconds)}000000`;
}
