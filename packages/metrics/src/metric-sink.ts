/** Where figures go: what the two bindings have in common. */

/** Words that a series is told apart by, by label name. */
export type Labels = Readonly<Record<string, string>>;

/** What a metric is called and measured in. */
export interface MetricDefinition {
  /** Parts joined by dots, without prefix and unit: `checkpoint.duration`. */
  readonly name: string;
  /** Base units: seconds, bytes, or a number of things. */
  readonly unit: "seconds" | "bytes" | "count";
  readonly help: string;
  readonly labels: readonly string[];
}

/** A histogram, with the upper bounds of its buckets, ascending. */
export interface HistogramDefinition extends MetricDefinition {
  readonly buckets: readonly number[];
}

/** Adds to a counter, or one observation to a histogram. */
export type Recorder = (amount: number, labels: Labels) => void;

/** What a gauge reads when it is collected. */
export type Readings = () => Iterable<readonly [value: number, labels: Labels]>;

/** A library for metrics, as far as it is needed here. */
export interface MetricSink {
  counter(definition: MetricDefinition): Recorder;
  histogram(definition: HistogramDefinition): Recorder;
  gauge(definition: MetricDefinition, read: Readings): void;
  /** Takes away every metric that was made here. */
  stop(): void;
}

/** Metrics that are being kept. */
export interface Metrics {
  /** Ends listening and takes the metrics away. Idempotent. */
  stop(): void;
}
