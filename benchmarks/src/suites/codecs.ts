/**
 * What one value costs in each codec: to be taken over (`set`), encoded (a checkpoint), decoded (a restore), and its length.
 *
 * How: every codec of every repetition has a process of its own, and the codecs take turns. All get equal orders: a record of five members,
 * with an array of three records. The floor is `structured`, which a state has if it declares no codec.
 */

import { avro, ByteReader, ByteWriter, type Codec, json, structured, validated } from "@tidemark/core";
import avsc from "avsc";
import { z } from "zod";
import { cleanHeap } from "../harness/clean-heap.js";
import { SeededRandom } from "../harness/random.js";
import { measured } from "../harness/rows.js";
import type { Scale, Suite } from "../harness/suite.js";
import { takeTurns } from "../harness/take-turns.js";

const line = z.object({ sku: z.string(), count: z.int(), cents: z.int() });
const schema = z.object({
  id: z.int(),
  customer: z.string(),
  isPaid: z.boolean(),
  weight: z.number(),
  lines: z.array(line),
});
type Order = z.infer<typeof schema>;

const type = avsc.Type.forSchema({
  type: "record",
  name: "Order",
  fields: [
    { name: "id", type: "long" },
    { name: "customer", type: "string" },
    { name: "isPaid", type: "boolean" },
    { name: "weight", type: "double" },
    {
      name: "lines",
      type: {
        type: "array",
        items: {
          type: "record",
          name: "Line",
          fields: [
            { name: "sku", type: "string" },
            { name: "count", type: "int" },
            { name: "cents", type: "int" },
          ],
        },
      },
    },
  ],
});

const CODECS = {
  structured: structured<Order>(),
  json: json<Order>(),
  avro: avro<Order>(type, { version: 1 }),
  "structured, validated by zod": validated(structured(), schema),
} satisfies Record<string, Codec<Order>>;

const NAMES = Object.keys(CODECS) as (keyof typeof CODECS)[];
const METRICS = ["take over", "encode", "decode"] as const;

interface Trial {
  readonly codec: keyof typeof CODECS;
  readonly repetition: number;
  readonly orderCount: number;
}

/** Microseconds a value, and bytes a value. */
type Costs = Readonly<Record<(typeof METRICS)[number] | "bytes", number>>;

export const codecs: Suite<Trial, Costs> = {
  name: "codecs",
  backends: ["memory"],
  heapMiB: 4096,
  trials({ isQuick, repetitions }: Scale) {
    const orderCount = isQuick ? 20_000 : 200_000;
    return takeTurns(NAMES, repetitions, (codec, repetition) => ({ codec, repetition, orderCount }));
  },
  run: (trial) => Promise.resolve(measure(trial)),
  rows(trials) {
    const of = (codec: Trial["codec"], metric: keyof Costs): number[] =>
      trials.filter(({ trial }) => trial.codec === codec).map(({ result }) => result[metric]);
    return NAMES.flatMap((codec) =>
      ([...METRICS, "bytes"] as const).map((metric) =>
        measured({
          metric: `${codec}: ${metric}`,
          unit: metric === "bytes" ? "bytes/value" : "us/value",
          values: of(codec, metric),
          floors: of("structured", metric),
        }),
      ),
    );
  },
};

function measure({ codec: name, repetition, orderCount }: Trial): Costs {
  const codec: Codec<Order> = CODECS[name];
  const given = orders(orderCount, repetition);
  const out = new ByteWriter();
  const ends = new Uint32Array(orderCount);
  cleanHeap();
  const started = performance.now();
  const owned = given.map((order) => codec.own(order));
  const taken = performance.now();
  for (const [at, order] of owned.entries()) {
    codec.write(order, out);
    ends[at] = out.length;
  }
  const encoded = performance.now();
  const bytes = out.view();
  let sum = 0;
  for (let at = 0, start = 0; at < orderCount; at++) {
    const end = ends[at] as number;
    sum += codec.read(new ByteReader(bytes.subarray(start, end))).lines.length;
    start = end;
  }
  const decoded = performance.now();
  if (sum !== orderCount * 3) throw new Error(`Not every line came back. expected=${orderCount * 3} lines=${sum}.`);
  const each = (ms: number): number => (ms * 1000) / orderCount;
  return {
    "take over": each(taken - started),
    encode: each(encoded - taken),
    decode: each(decoded - encoded),
    bytes: out.length / orderCount,
  };
}

function orders(count: number, seed: number): Order[] {
  const random = new SeededRandom(seed);
  const lineOf = (): Order["lines"][number] => ({
    sku: `sku-${random.below(10_000)}`,
    count: 1 + random.below(9),
    cents: random.below(100_000),
  });
  return Array.from({ length: count }, (_, at) => ({
    id: at,
    customer: `customer ${random.below(1_000_000)}`,
    isPaid: random.below(2) === 1,
    weight: random.fraction() * 10,
    lines: [lineOf(), lineOf(), lineOf()],
  }));
}
