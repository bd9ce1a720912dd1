import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const compress = promisify(gzip);

/** Where metrics go, and how. There is no default: without an address nothing is ever sent. */
export interface OtlpTarget {
	/** The whole address, path included. */
	readonly url: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly isCompressed: boolean;
	readonly timeoutMs: number;
	readonly intervalMs: number;
	/** What is told of this program. */
	readonly resource: Readonly<Record<string, string>>;
}

/**
 * The target that OpenTelemetry's own environment variables name.
 * @param configured A base address that a person has set elsewhere; the environment goes before it.
 * @returns Nothing, when no address is named or metrics are switched off; a sentence, when what is named cannot be used.
 */
export function otlpTarget(
	environment: Readonly<Record<string, string | undefined>>,
	configured: string | undefined,
): OtlpTarget | string | undefined {
	const value = (name: string) => {
		const text = environment[name]?.trim();
		// An empty variable counts as none.
		return text === '' ? undefined : text;
	};
	const either = (name: string) => value(`OTEL_EXPORTER_OTLP_METRICS_${name}`) ?? value(`OTEL_EXPORTER_OTLP_${name}`);
	if (value('OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return undefined;
	const exporters = value('OTEL_METRICS_EXPORTER')
		?.split(',')
		.map((name) => name.trim());
	if (exporters !== undefined && !exporters.includes('otlp')) return undefined;
	const own = value('OTEL_EXPORTER_OTLP_METRICS_ENDPOINT');
	const base = value('OTEL_EXPORTER_OTLP_ENDPOINT') ?? configured;
	const address = own ?? (base === undefined ? undefined : `${base.replace(/\/+$/, '')}/v1/metrics`);
	if (address === undefined) return undefined;
	if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol)) {
		return `"${address}" is no address that metrics can be sent to; it has to begin with http:// or https://.`;
	}
	if (either('PROTOCOL') === 'grpc') {
		return 'Metrics are sent as OTLP over HTTP only, and OTEL_EXPORTER_OTLP_PROTOCOL asks for gRPC; no metrics are sent.';
	}
	const serviceName = value('OTEL_SERVICE_NAME');
	return {
		url: address,
		headers: {
			...pairs(value('OTEL_EXPORTER_OTLP_HEADERS')),
			...pairs(value('OTEL_EXPORTER_OTLP_METRICS_HEADERS')),
		},
		isCompressed: either('COMPRESSION') === 'gzip',
		timeoutMs: positive(either('TIMEOUT'), 10_000),
		intervalMs: positive(value('OTEL_METRIC_EXPORT_INTERVAL'), 60_000),
		resource: {
			...pairs(value('OTEL_RESOURCE_ATTRIBUTES')),
			...(serviceName === undefined ? {} : { 'service.name': serviceName }),
		},
	};
}

export interface OtlpExporterOptions {
	readonly target: OtlpTarget;
	/** The metrics as they are now, as OTLP's JSON. */
	readonly body: (resource: Readonly<Record<string, string>>) => string;
	/** Takes a sentence for a person. */
	readonly warn: (sentence: string) => void;
}

/** Sends the metrics again and again. They are sums since the start, so what could not be sent is in the next ones. */
export class OtlpExporter {
	private readonly options: OtlpExporterOptions;
	private readonly timer: NodeJS.Timeout;
	private sending: Promise<void> | undefined;
	private hasFailed = false;

	constructor(options: OtlpExporterOptions) {
		this.options = options;
		this.timer = setInterval(() => void this.send(), options.target.intervalMs);
		// Metrics alone keep no program running.
		this.timer.unref();
	}

	/** Sends the metrics now; of calls that come meanwhile there is one answer. Does not reject. */
	send(): Promise<void> {
		this.sending ??= this.post(this.options.target.timeoutMs).finally(() => (this.sending = undefined));
		return this.sending;
	}

	/** Sends the last metrics, in two seconds at most, and no more. Does not reject. */
	async close(): Promise<void> {
		clearInterval(this.timer);
		await this.post(Math.min(2_000, this.options.target.timeoutMs));
	}

	private async post(timeoutMs: number): Promise<void> {
		const { target, body, warn } = this.options;
		const text = body(target.resource);
		let problem: string | undefined;
		try {
			const response = await fetch(target.url, {
				method: 'POST',
				headers: {
					...target.headers,
					'content-type': 'application/json',
					...(target.isCompressed ? { 'content-encoding': 'gzip' } : {}),
				},
				body: target.isCompressed ? await compress(text) : text,
				signal: AbortSignal.timeout(timeoutMs),
				// Whoever was given the metrics does not pass them on.
				redirect: 'error',
			});
			await response.body?.cancel();
			if (!response.ok) problem = `it answered ${response.status}`;
		} catch (error) {
			// A collector that is away is no reason to stop anything.
			problem = causeOf(error);
		}
		if (problem !== undefined && !this.hasFailed) {
			// The address without what a person may have put into it to be let in.
			const { origin, pathname } = new URL(target.url);
			warn(`Metrics cannot be sent to ${origin}${pathname} (${problem}); trying again.`);
		}
		this.hasFailed = problem !== undefined;
	}
}

function causeOf(error: unknown): string {
	const cause: unknown = error instanceof Error && error.cause !== undefined ? error.cause : error;
	if (!(cause instanceof Error)) return String(cause);
	if (cause.name === 'TimeoutError') return 'it did not answer in time';
	return cause.message === '' && 'code' in cause ? String(cause.code) : cause.message;
}

/** `key=value,key=value`, percent-encoded. */
function pairs(text: string | undefined): Record<string, string> {
	const found: Record<string, string> = {};
	for (const pair of text?.split(',') ?? []) {
		const equals = pair.indexOf('=');
		if (equals <= 0) continue;
		found[decoded(pair.slice(0, equals).trim())] = decoded(pair.slice(equals + 1).trim());
	}
	return found;
}

function decoded(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		// A stray percent sign: it means itself.
		return text;
	}
}

function positive(text: string | undefined, otherwise: number): number {
	const number = Number(text);
	return text !== undefined && Number.isFinite(number) && number > 0 ? number : otherwise;
}
