/** The end of a job, in any way, and the next one: from any checkpoint, in any shape, in any home. */

import { type Compression, type ErrorCode, hasCode, type Restore } from "@tidemark/core";
import fc from "fast-check";
import { CATALOG, isOperatorKind, type StateSpec } from "../model/catalog.js";
import { FIRST_SHAPE, type HomeModel, type JobModel, type Shape, type Snapshot } from "../model/job-model.js";
import { LAST_FORMAT } from "../model/migrations.js";
import { expectCode, expectEqual, expectThat, outcomeText, settled } from "../oracles/expectations.js";
import {
  heldCheckpointChoices,
  holdCheckpoint,
  type HeldCheckpoint,
  ruleOf,
  type StorageFault,
} from "./checkpoint-commands.js";
import { type Command, command } from "./command.js";
import { stickyOwners } from "./key-group-shares.js";
import type { World } from "./world.js";

/**
 * `close`: as it should be. `abandon`: left running, by a process that does not know yet. `crash`: gone, also in the middle of a
 * checkpoint.
 */
type Ending =
  | { readonly kind: "close" | "abandon" | "crash" }
  | { readonly kind: "crash in checkpoint"; readonly held: HeldCheckpoint };

interface Reopening {
  readonly ending: Ending;
  /** Number of the home to go on in. */
  readonly home: number;
  readonly from: "latest" | "none" | "retained" | "savepoint" | "other home" | "unknown";
  readonly index: number;
  readonly parallelism: readonly number[];
  /** Which states are declared, one bit each, and the seed of their order. */
  readonly declared: readonly { readonly bits: number; readonly order: number }[];
  readonly retain: number;
  readonly compression: Compression;
  /** Whether tasks keep the key groups that they have, as far as that is even. */
  readonly isSticky: boolean;
  /** Whether the values get a newer format, if there is one. */
  readonly evolves: boolean;
  /** A failure of the storage while opening. */
  readonly fault: StorageFault | null;
}

const endings: fc.Arbitrary<Ending> = fc.oneof(
  fc.record({ kind: fc.constantFrom("close" as const, "abandon" as const, "crash" as const) }),
  fc.record({ kind: fc.constantFrom("close" as const, "abandon" as const, "crash" as const) }),
  fc.record({ kind: fc.constant("crash in checkpoint" as const), held: heldCheckpointChoices }),
);

const ALL_BITS = 2 ** CATALOG.length - 1;

const openFaults: fc.Arbitrary<StorageFault> = fc
  .record({
    call: fc.constantFrom("put" as const, "get" as const, "list" as const),
    kind: fc.constantFrom("owner" as const, "lineage" as const, "manifest" as const, "segment" as const),
    when: fc.constantFrom("before" as const, "after" as const),
    times: fc.integer({ min: 1, max: 2 }),
  })
  .map((fault) => ({ ...fault, outcome: "unknown" }));

const reopenings: fc.Arbitrary<Reopening> = fc.record({
  ending: endings,
  home: fc.oneof({ weight: 2, arbitrary: fc.constant(-1) }, { weight: 1, arbitrary: fc.nat(2) }),
  from: fc.oneof(
    { weight: 5, arbitrary: fc.constant("latest" as const) },
    {
      weight: 4,
      arbitrary: fc.constantFrom("retained" as const, "savepoint" as const, "other home" as const, "unknown" as const),
    },
    { weight: 1, arbitrary: fc.constant("none" as const) },
  ),
  index: fc.nat(99),
  parallelism: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.constantFrom(1, 1, 2, 3)),
  declared: fc.tuple(
    ...[0, 1].map(() => fc.record({ bits: fc.oneof(fc.constant(ALL_BITS), fc.nat(ALL_BITS)), order: fc.nat(99) })),
  ),
  retain: fc.integer({ min: 1, max: 3 }),
  compression: fc.constantFrom("none" as const, "deflate" as const),
  isSticky: fc.boolean(),
  evolves: fc.constantFrom(false, false, false, true),
  fault: fc.option(openFaults, { freq: 4 }),
});

export const reopenCommands: fc.Arbitrary<Command> = reopenings.map((reopening) => {
  const { ending, home, from, index, parallelism, declared, retain, evolves, isSticky, fault } = reopening;
  const how = {
    evolves,
    isSticky,
    home,
    from,
    index,
    parallelism,
    bits: declared.map(({ bits }) => bits),
    retain,
    fault,
  };
  return command(`reopen after ${ending.kind} ${JSON.stringify(how)}`, (model, real) => reopen(reopening, model, real));
});

async function reopen(reopening: Reopening, model: JobModel, real: World): Promise<void> {
  const home = reopening.home < 0 ? model.current : reopening.home;
  await end(reopening.ending, { staysHome: home === model.current }, { model, real });
  model.current = home;
  real.newStorage(model);
  const source = sourceOf(reopening, model, real);
  const shape = shapeOf(reopening, model);
  if (reopening.fault !== null) {
    real.storage.addRule(ruleOf(reopening.fault));
    const before = real.storage.struck;
    const result = await settled(real.open(model, shape, source.restore));
    real.storage.heal();
    if (real.storage.struck > before) real.coverage.count("open fails");
    if ("error" in result && !source.isMissing) {
      expectThat(hasCode(result.error, "UNAVAILABLE"), `Opening with a fault: ${outcomeText(result)}`);
      expectThat(real.storage.struck > before, `Opening without a fault: ${outcomeText(result)}`);
    }
    // It may have become owner, and hung in the middle; it is left behind in any case.
    real.newStorage(model);
  }
  if (source.isMissing) {
    await expectCode(() => real.open(model, shape, source.restore), [MISSING], "Restore of what is not there");
    source.restore = "latest";
    source.snapshot = undefined;
  }
  real.coverage.count(`restore ${reopening.from}${source.isMissing ? " missing" : ""}`);
  await openJudged(source, shape, { model, real });
}

/** Closes the job and opens it in another shape, from its latest checkpoint. */
export async function reopenAs(shape: Shape, model: JobModel, real: World): Promise<void> {
  await real.running.control.close();
  real.newStorage(model);
  await openJudged(latestSource(), shape, { model, real });
}

/** Opens the job, and checks what it continues from and that it is all there. */
export async function openJudged(source: Source, shape: Shape, { model, real }: Both): Promise<void> {
  await real.open(model, shape, source.restore);
  settleHome(model, real);
  await judgeOpened(source, shape, { model, real });
}

const MISSING: ErrorCode = "CHECKPOINT_NOT_FOUND";

interface Both {
  readonly model: JobModel;
  readonly real: World;
}

async function end(
  ending: Ending,
  { staysHome }: { readonly staysHome: boolean },
  { model, real }: Both,
): Promise<void> {
  // Whoever goes elsewhere leaves no one behind: an owner that nobody fences could go on.
  const kind = ending.kind === "abandon" && !staysHome ? "close" : ending.kind;
  real.coverage.count(`end by ${kind}`);
  if (kind === "close") await real.running.control.close();
  if (kind === "close" || kind === "abandon") real.zombies.push({ running: real.running, isClosed: kind === "close" });
  if (ending.kind === "crash in checkpoint" && model.health === "running") {
    const { snapshot, isHeld, work } = await holdCheckpoint(ending.held, model, real);
    const isPublished = ending.held.hold.kind === "manifest" && ending.held.hold.when === "after";
    if (!isHeld) {
      const result = await work;
      expectThat(!("error" in result), `A checkpoint failed without a fault: ${outcomeText(result)}`);
      model.publish({ ...snapshot, id: result.value.id });
    } else if (isPublished) {
      // Ids rise by one with every barrier of a job.
      model.home.maybe.push({ ...snapshot, id: UNKNOWN_ID });
    }
  }
  if (kind !== "abandon") real.storage.kill();
}

/** Stands for the id of a checkpoint whose maker died before it could tell. */
const UNKNOWN_ID = -1;

interface Source {
  restore: Restore;
  snapshot: Snapshot | undefined;
  readonly isMissing: boolean;
}

function sourceOf({ from, index }: Reopening, model: JobModel, real: World): Source {
  const { retained } = model.home;
  switch (from) {
    case "none":
      return { restore: "none", snapshot: undefined, isMissing: false };
    case "retained":
      // What may have been published may have subsumed the others: then only the latest can be asked for.
      if (retained.length === 0 || model.home.maybe.length > 0) break;
      return ownSource(retained[index % retained.length] as Snapshot);
    case "savepoint":
      return savepointSource(index, model, real);
    case "other home":
      return foreignSource(index, model, real);
    case "unknown":
      return { restore: 1_000_000 + index, snapshot: undefined, isMissing: true };
    case "latest":
      break;
  }
  return latestSource();
}

/** What the latest is, is seen when the job is open. */
export function latestSource(): Source {
  return { restore: "latest", snapshot: undefined, isMissing: false };
}

function ownSource(snapshot: Snapshot): Source {
  return { restore: snapshot.id, snapshot, isMissing: false };
}

function savepointSource(index: number, model: JobModel, real: World): Source {
  if (model.savepoints.length === 0) return latestSource();
  const at = index % model.savepoints.length;
  const place = real.savepoints[at];
  expectThat(place !== undefined, "Each savepoint has its place");
  return { restore: { savepoint: place.open() }, snapshot: model.savepoints[at], isMissing: false };
}

function foreignSource(index: number, model: JobModel, real: World): Source {
  const at = index % model.homes.length;
  const home = model.homes[at] as HomeModel;
  const snapshot = home.maybe.length > 0 ? undefined : home.retained[index % Math.max(1, home.retained.length)];
  const checkpoint = snapshot?.id ?? 1_000_000;
  return {
    restore: { from: real.placeOf(at).open(), job: home.job, checkpoint },
    snapshot,
    isMissing: snapshot === undefined,
  };
}

function shapeOf(
  { declared, parallelism, retain, compression, evolves: isEvolving, isSticky }: Reopening,
  model: JobModel,
): Shape {
  const { rescales, evolves, format, catalog } = model;
  // What is not declared is not looked at: it may come back where the watermark does.
  const needsDeclaring = ({ kind, ttl }: StateSpec): boolean => isOperatorKind(kind) || ttl?.time === "event";
  const isDeclared = (bits: number, spec: StateSpec): boolean =>
    evolves || (rescales && needsDeclaring(spec)) || ((bits >> CATALOG.indexOf(spec)) & 1) === 1;
  return {
    format: Math.min(format + (evolves && isEvolving ? 1 : 0), LAST_FORMAT),
    retain,
    compression,
    parallelism: rescales ? parallelism : FIRST_SHAPE.parallelism,
    ...(rescales && isSticky ? { owners: stickyOwners(model, parallelism) } : {}),
    declared: declared.map(({ bits, order }) => permuted(catalog, order).filter((spec) => isDeclared(bits, spec))),
  };
}

/** One of the orders of `items`. */
function permuted<T>(items: readonly T[], order: number): T[] {
  return items
    .map((item, index) => ({ item, rank: ((index + 1) * (order + 1) * 7919) % 101 }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}

/** What counts now is known: everything that surely did, and perhaps some of what may. */
function settleHome(model: JobModel, real: World): void {
  const { home } = model;
  const ids = real.running.control.retained;
  // One that was in flight when its owner went may have been published: it then subsumed what is beyond its owner's retention.
  const isSubsumed = (id: number): boolean => ids.filter((newer) => newer > id).length >= home.retain;
  const lost = home.retained.find(({ id }) => !ids.includes(id) && !isSubsumed(id));
  expectThat(lost === undefined, `Checkpoint ${lost?.id} was acknowledged and does not count: ${ids.join()}`);
  const surely = new Map(home.retained.map((snapshot) => [snapshot.id, snapshot]));
  const maybe = new Map(home.maybe.map((snapshot) => [snapshot.id, snapshot]));
  home.retained = ids.map((id) => {
    const snapshot = surely.get(id) ?? maybe.get(id) ?? maybe.get(UNKNOWN_ID);
    expectThat(snapshot !== undefined, `Checkpoint ${id} counts and was never published: ${ids.join()}`);
    return { ...snapshot, id };
  });
  const hasUnknown = maybe.has(UNKNOWN_ID);
  expectThat(!hasUnknown || home.retained.some(({ id }) => !surely.has(id)), "A stored manifest does not count");
  home.maybe = [];
}

async function judgeOpened({ restore, snapshot }: Source, shape: Shape, { model, real }: Both): Promise<void> {
  const found = restore === "latest" ? model.home.retained.at(-1) : snapshot;
  expectEqual(real.running.control.restoredFrom, found?.id, "Restored from");
  model.restore(found, shape);
  await real.expectSame(
    model,
    `after restoring ${JSON.stringify(typeof restore === "object" ? "another place" : restore)}`,
  );
}
