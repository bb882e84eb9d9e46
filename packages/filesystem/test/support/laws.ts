/**
 * What must hold of a storage whatever fails, as programs that a broken variant does not survive.
 *
 * Invariants:
 * - A law throws `LawBroken` if the storage broke it, and anything else if the law itself is wrong.
 */

import { isStateBackendError } from "@tidemark/core";
import type { CheckpointStorage } from "@tidemark/core";
import { directory } from "../../src/directory-storage.js";
import { TEMP_DIRECTORY } from "../../src/temp-files.js";
import { crashStates } from "./crash-states.js";
import { FaultFiles } from "./fault-files.js";
import type { LogEntry } from "./fault-files.js";
import { at, CrashNow, from } from "./fault-plan.js";
import type { Fault, Placement } from "./fault-plan.js";
import type { DiskImage } from "./memory-disk.js";
import { Expectation, LawBroken, readAll, runHistory } from "./history.js";
import type { History, Step } from "./history.js";
import { seededRandom } from "./seeded-random.js";
import type { Variant } from "./variants.js";

/** The seed of all sampling and of all names. */
const SEED = 20_260_801;

const ROOT = "/data/store";

const bytes = (text: string): Uint8Array => Buffer.from(text);
const SEGMENT_1 = [bytes("first block, "), bytes("second block, "), bytes("footer")];

/** Three checkpoints, the older ones released. */
const CHECKPOINTS: History = [
  { put: "owner/1-ab", body: bytes("attempt"), options: { ifAbsent: true } },
  [
    { put: "job/shared/s1", body: SEGMENT_1 },
    { put: "job/shared/s2", body: bytes("segment two") },
  ],
  { put: "job/chk/1", body: bytes("manifest one"), options: { ifAbsent: true } },
  { put: "job/shared/s3", body: bytes("segment three") },
  { put: "job/chk/2", body: bytes("manifest two"), options: { ifAbsent: true } },
  { remove: ["job/chk/1", "job/shared/s1", "job/shared/s2", "job/shared/absent"] },
  { put: "job/shared/s4", body: bytes("segment four") },
  [
    { put: "job/chk/3", body: bytes("manifest three"), options: { ifAbsent: true } },
    { put: "job/chk/3", body: bytes("manifest of a zombie"), options: { ifAbsent: true } },
  ],
  { remove: ["job/chk/2", "job/shared/s3"] },
];

/** Each call twice, as a caller does that does not know how the first one ended. */
const REPEATED: History = [
  { put: "a/b/manifest", body: bytes("manifest") },
  { put: "a/b/manifest", body: bytes("manifest") },
  { put: "a/b/segment", body: [bytes("seg"), bytes("ment")] },
  { put: "a/b/segment", body: [bytes("seg"), bytes("ment")] },
  { remove: ["a/b/manifest", "a/b/segment"] },
  { remove: ["a/b/manifest", "a/b/segment"] },
];

/** The laws, by name; each resolves to how many states it looked at. */
export const LAWS = {
  /** An acknowledged call survives a loss of power at any moment, and no object is ever there in part. */
  "power loss": async (variant: Variant): Promise<number> => {
    const disk = new FaultFiles();
    await runHistory(CHECKPOINTS, open(variant, disk), disk);
    return checkStates(CHECKPOINTS, disk.log, { limitPerCut: 2 ** 16 });
  },

  /** The same for a storage that goes on after a loss of power and meets the next one. */
  "power loss twice": async (variant: Variant): Promise<number> => {
    const disk = new FaultFiles();
    await runHistory(CHECKPOINTS, open(variant, disk), disk);
    const STRIDE = 160;
    let index = 0;
    let sum = 0;
    for (const { cut, image } of crashStates(disk.log, { seed: SEED, limitPerCut: 2 ** 8 })) {
      if (index++ % STRIDE === 0) sum += await goOn(variant, image, disk.log.slice(0, cut));
    }
    return sum;
  },

  /** The same if a process died first, at any operation, and left some things unsynced. */
  "restart in between": async (variant: Variant): Promise<number> => {
    const first: Step = { put: "a/b/c", body: bytes("before"), options: { ifAbsent: true } };
    const second: History = [
      { put: "a/b/c", body: bytes("after"), options: { ifAbsent: true } },
      { put: "a/b/d", body: bytes("sibling") },
    ];
    return untilComplete(async (index) => {
      const disk = new FaultFiles();
      disk.plan.inject({ kind: "crash" }, at(index));
      const crashed = await crashes(() => runHistory([first], open(variant, disk), disk));
      disk.plan.restart();
      await runHistory(second, open(variant, disk), disk, 1);
      return { states: await checkStates([first, ...second], disk.log, { limitPerCut: 2 ** 8 }), isComplete: !crashed };
    });
  },

  /** A file whose sync failed is not believed, whatever the next sync of it says. */
  "failed sync": (variant: Variant) => withFailed("sync", variant),

  /** A call that could not make its change durable can be repeated, and is durable then. */
  "failed directory sync": (variant: Variant) => withFailed("syncDirectory", variant),

  /** After a crash at any operation each object is wholly there or wholly absent. */
  "crash at every operation": async (variant: Variant): Promise<number> => {
    return untilComplete(async (index) => {
      const disk = new FaultFiles();
      // If the last operation before the crash is a write, it is torn.
      disk.plan.inject({ kind: "short" }, at(index - 1));
      disk.plan.inject({ kind: "crash" }, at(index));
      const crashed = await crashes(() => runHistory(CHECKPOINTS, open(variant, disk), disk));
      await new Expectation(CHECKPOINTS, disk.log).check(directory(ROOT, { files: new FaultFiles(disk.image()) }));
      return { states: 1, isComplete: !crashed };
    });
  },

  /** An error at any operation is reported, does no harm, leaves nothing behind, and is over when it is over. */
  "errors everywhere": async (variant: Variant): Promise<number> => {
    let states = 0;
    for (const code of ["EIO", "ENOSPC", "EMFILE", "EACCES"]) {
      const fault: Fault = { kind: "error", code };
      for (const place of [at, from]) states += await untilComplete((index) => heals(variant, fault, place(index)));
    }
    return states;
  },

  /** A call that failed after its effect does not claim that it had none. */
  "honest outcome": async (variant: Variant): Promise<number> => {
    const isChange = /^(link|makeDirectory|sync|syncDirectory|unlink|write)$/;
    return untilComplete(async (index) => {
      const disk = new FaultFiles();
      const when: Placement["when"] = (call) => call.index === index && isChange.test(call.operation);
      disk.plan.inject({ kind: "late-error", code: "EIO" }, { when });
      await runHistory(CHECKPOINTS, open(variant, disk), disk);
      const isComplete = disk.plan.count <= index;
      await new Expectation(CHECKPOINTS, disk.log).check(directory(ROOT, { files: disk }));
      return { states: 1, isComplete };
    });
  },

  /** Of any number of concurrent creates one succeeds, and the object is that one's. */
  "one winner": async (variant: Variant): Promise<number> => {
    const disk = new FaultFiles();
    const storage = open(variant, disk);
    const names = Array.from({ length: 32 }, (_, index) => `attempt ${index}`);
    const put = (body: string) => storage.put("owner/7", bytes(body), { ifAbsent: true });
    const outcomes = await Promise.all(names.map(put));
    const winners = names.filter((_, index) => outcomes[index] === "created");
    if (winners.length !== 1) throw new LawBroken(`${winners.length} winners`);
    if ((await readAll(storage, "owner/7")).toString() !== winners[0]) throw new LawBroken("The object is a loser's");
    return names.length;
  },

  /** An object keeps its bytes, whoever puts others under its name. */
  "never replaced": async (variant: Variant): Promise<number> => {
    const disk = new FaultFiles();
    const storage = open(variant, disk);
    await storage.put("a/b", bytes("first"));
    if ((await storage.put("a/b", bytes("other"), { ifAbsent: true })) !== "exists") throw new LawBroken("Not refused");
    const failed = await fails(() => storage.put("a/b", bytes("other")));
    if (!failed) throw new LawBroken("Other bytes were accepted");
    if ((await readAll(storage, "a/b")).toString() !== "first") throw new LawBroken("Replaced");
    return 1;
  },

  /** Writes and reads that move less than they were asked for change nothing but the pace. */
  "short transfers": async (variant: Variant): Promise<number> => {
    const disk = new FaultFiles();
    disk.plan.inject({ kind: "short" }, from(0));
    const storage = open(variant, disk);
    const body = Buffer.from(seededRandom(SEED).bytes(1_300_000));
    await storage.put("large", body);
    const found = disk.image().get(`${ROOT}/large`);
    if (!(found instanceof Uint8Array) || !body.equals(found)) throw new LawBroken("Not all of it was written");
    if (!body.equals(await readAll(storage, "large"))) throw new LawBroken("Not all of it was read");
    return 1;
  },
} satisfies Record<string, (variant: Variant) => Promise<number>>;

/** Name of a law. */
export type LawName = keyof typeof LAWS;

function open(variant: Variant, disk: FaultFiles, seed = SEED): CheckpointStorage {
  return variant.storage(directory(ROOT, { files: variant.files(disk), random: seededRandom(seed) }));
}

/** Checks each crash state of `log` by reopening it; resolves to how many there were. */
async function checkStates(history: History, log: readonly LogEntry[], options: CheckOptions): Promise<number> {
  const { limitPerCut, earlier = [] } = options;
  let states = 0;
  let known = { cut: -1, expectation: new Expectation(history, earlier) };
  for (const { cut, image } of crashStates(log, { seed: SEED, limitPerCut })) {
    if (cut !== known.cut) known = { cut, expectation: new Expectation(history, [...earlier, ...log.slice(0, cut)]) };
    await known.expectation.check(directory(ROOT, { files: new FaultFiles(image) }));
    states += 1;
  }
  return states;
}

/** After a loss of power: repeats what was not acknowledged, puts one more, and checks the crash states of that. */
async function goOn(variant: Variant, image: DiskImage, earlier: readonly LogEntry[]): Promise<number> {
  const steps = CHECKPOINTS.flat() as readonly Step[];
  const isMarked = (index: number, events: RegExp): boolean =>
    earlier.some(({ operation, path }) => operation === "mark" && path.endsWith(` ${index}`) && events.test(path));
  const unfinished = steps.filter(
    (_, index) => isMarked(index, /^begin/) && !isMarked(index, /^(created|exists|removed)/),
  );
  const more: readonly Step[] = [...unfinished, { put: "job/shared/later", body: bytes("later") }];
  const disk = new FaultFiles(image);
  // Another seed: temporary names of the first process may have survived.
  await runHistory(more, open(variant, disk, SEED + 1), disk, steps.length);
  return checkStates([...steps, ...more], disk.log, { limitPerCut: 2 ** 6, earlier });
}

interface CheckOptions {
  readonly limitPerCut: number;
  /** What happened before the log began. @defaultValue nothing */
  readonly earlier?: readonly LogEntry[];
}

/** The history of repeated calls with the nth operation of that kind failing, for each n. */
async function withFailed(operation: "sync" | "syncDirectory", variant: Variant): Promise<number> {
  return untilComplete(async (index) => {
    const disk = new FaultFiles();
    let count = 0;
    const when: Placement["when"] = (call) => call.operation === operation && count++ === index;
    disk.plan.inject({ kind: "error", code: "EIO" }, { when });
    await runHistory(REPEATED, open(variant, disk), disk);
    return { states: await checkStates(REPEATED, disk.log, { limitPerCut: 2 ** 8 }), isComplete: count <= index };
  });
}

interface Round {
  readonly states: number;
  /** Whether the fault found no place any more. */
  readonly isComplete: boolean;
}

/** Runs rounds 0, 1, 2, … until the fault lies behind the end of the program; resolves to the sum of their states. */
async function untilComplete(round: (index: number) => Promise<Round>): Promise<number> {
  const ROUNDS_MAX = 2_000;
  let sum = 0;
  for (let index = 0; index < ROUNDS_MAX; index += 1) {
    const { states, isComplete } = await round(index);
    sum += states;
    if (isComplete) return sum;
  }
  throw new Error("The program does not come to an end.");
}

/** The whole history, each step repeated once after the fault has shown itself and is over. */
async function heals(variant: Variant, fault: Fault, placement: Placement): Promise<Round> {
  const disk = new FaultFiles();
  let hasStruck = false;
  const when: Placement["when"] = (call) => {
    const strikes = placement.when(call);
    hasStruck ||= strikes;
    return strikes;
  };
  disk.plan.inject(fault, { ...placement, when });
  const storage = open(variant, disk);
  const attempts: Step[] = [];
  const attempt = async (step: Step): Promise<boolean> => {
    attempts.push(step);
    const [outcome] = await runHistory([step], storage, disk, attempts.length - 1);
    return outcome !== "unknown" && outcome !== "not-applied";
  };
  for (const step of CHECKPOINTS.flat() as readonly Step[]) {
    if (await attempt(step)) continue;
    if (!hasStruck) throw new LawBroken("Failed without a fault");
    disk.plan.heal();
    if (!(await attempt(step))) throw new LawBroken("Does not heal");
  }
  await reads(storage, new Expectation(attempts, disk.log));
  disk.plan.heal();
  await new Expectation(attempts, disk.log).check(storage);
  await storage.close();
  const leftover = [...disk.image().keys()].find((path) => path.includes(`/${TEMP_DIRECTORY}/`));
  if (leftover !== undefined) throw new LawBroken(`Left behind: ${leftover}`);
  if (disk.openCount !== 0) throw new LawBroken(`${disk.openCount} files left open`);
  return { states: 1, isComplete: !hasStruck };
}

/** Reads all, right or not at all. */
async function reads(storage: CheckpointStorage, expectation: Expectation): Promise<void> {
  try {
    await expectation.check(storage);
  } catch (error) {
    if (!isStateBackendError(error) || error.code !== "UNAVAILABLE") throw error;
  }
}

async function crashes(program: () => Promise<unknown>): Promise<boolean> {
  try {
    await program();
    return false;
  } catch (error) {
    if (error instanceof CrashNow) return true;
    throw error;
  }
}

async function fails(program: () => Promise<unknown>): Promise<boolean> {
  try {
    await program();
    return false;
  } catch (error) {
    if (isStateBackendError(error)) return true;
    throw error;
  }
}
