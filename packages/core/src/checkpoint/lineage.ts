/**
 * Who may publish checkpoints of a job, and which published ones count.
 *
 * An attempt is acquired by creating `owner/<n+1>`. Its owner then lists what is published and records it as `lineage/<n+1>`:
 *
 *   acquire ──create owner──▶ list manifests ──create lineage──▶ owner still highest? ──▶ may publish
 *   publish ──create manifest──▶ owner still highest? ──▶ published; else FENCED
 *   publish with work of the caller's ──owner still highest? create manifest, do work: one transaction──▶ published; else FENCED
 *
 * Invariants:
 * - The authority is the highest attempt with a lineage. A manifest counts if the authority's lineage names it, or the
 *   authority published it; anything else is void: an older attempt published it too late to be seen.
 * - Whoever is told that a checkpoint was published saw no higher owner after creating its manifest, so every higher owner
 *   lists it.
 * - Attempts are never reused by two owners that publish: whoever acquires looks for a higher owner before and after its record.
 */

import { assert } from "../assert.js";
import type { Random } from "../contracts/clock.js";
import type { CheckpointStorage, PutOutcome, TransactionalOutcome } from "../contracts/checkpoint-storage.js";
import { hasCode, isStateBackendError, quoted, StateBackendError } from "../errors.js";
import { decodeManifest, type Manifest } from "./manifest.js";
import { type JobNames, type ManifestName, parseAttempt, parseManifestName } from "./names.js";
import { readWhole } from "./read-whole.js";
import { sealJson, unsealJson } from "./sealed-json.js";

const OWNER_FORMAT = { magic: "tidemark-owner", version: 1 };
const LINEAGE_FORMAT = { magic: "tidemark-lineage", version: 1 };
const MARK_FORMAT = { magic: "tidemark-published", version: 1 };
const ACQUIRE_TRIES_MAX = 100;
/** How often the storage is looked at before what it says counts as not to be known. */
const LOOK_TRIES_MAX = 5;

/** The right to publish: `number` counts owners, `nonce` (32 hexadecimal digits) is random. */
export interface Attempt {
  readonly number: number;
  readonly nonce: string;
}

/** What is done in the transaction that makes a manifest exist. */
export interface PublishWork {
  readonly run: (client: unknown) => Promise<void>;
  /** Whether `run` threw it: then the transaction has not taken place. */
  readonly isFailure: (error: unknown) => boolean;
}

interface Put {
  readonly put: () => Promise<TransactionalOutcome>;
  readonly isFailure: (error: unknown) => boolean;
}

/** What is published and counts, ascending by checkpoint, and the highest id ever given. */
export interface Published {
  readonly manifests: readonly ManifestName[];
  readonly highestId: number;
  /** What the last of `manifests` says, if it is whole: it was read, and is written once. */
  readonly latest?: Manifest | undefined;
}

/** Reads what counts, without becoming owner. */
export async function readPublished(storage: CheckpointStorage, names: JobNames): Promise<Published> {
  return publishedUnder(storage, names, Number.POSITIVE_INFINITY);
}

export class Lineage {
  readonly attempt: Attempt;
  readonly #storage: CheckpointStorage;
  readonly #names: JobNames;

  private constructor(storage: CheckpointStorage, names: JobNames, attempt: Attempt) {
    this.#storage = storage;
    this.#names = names;
    this.attempt = attempt;
  }

  /**
   * Becomes the owner of a job; whoever was it before is fenced from now on.
   * @throws {StateBackendError} FENCED if others became owner at the same time, later than us
   */
  static async acquire(
    storage: CheckpointStorage,
    names: JobNames,
    random: Random,
  ): Promise<{ readonly lineage: Lineage; readonly published: Published }> {
    const attempt = await createOwner(storage, names, random);
    const lineage = new Lineage(storage, names, attempt);
    const published = await publishedUnder(storage, names, attempt.number);
    const record = { ...attempt, checkpoints: published.manifests.map(({ leaf }) => leaf) };
    const outcome = await createSurely(storage, names.lineage(attempt.number), sealJson(LINEAGE_FORMAT, record));
    if (outcome === "exists") throw fenced(attempt, attempt.number);
    await lineage.assertOwner();
    return { lineage, published };
  }

  #hasMark = false;

  /**
   * Makes a manifest exist, unless another owner has taken over. With `work`, both take place or neither; the work of who is fenced does not.
   * @throws what `work` throws; then there is no manifest
   * @throws {StateBackendError} FENCED if another has; whether the manifest counts is then for its lineage to say
   * @throws {StateBackendError} UNAVAILABLE, with the outcome as far as it is known
   */
  async publish(checkpoint: number, manifest: Buffer, work?: PublishWork): Promise<ManifestName> {
    const name = this.#names.checkpoint(checkpoint, this.attempt.number);
    const outcome = await createSurely(this.#storage, name, manifest, work && this.#putWith(name, manifest, work));
    if (outcome === "refused") throw await this.#refused();
    assert(outcome === "created", "an attempt publishes a checkpoint id once");
    await this.#assertOwnerSurely();
    await this.#mark();
    const parsed = parseManifestName(name, this.#names.checkpoints);
    assert(parsed !== undefined, "a manifest's name can be parsed");
    return parsed;
  }

  /** @throws {StateBackendError} FENCED if a higher attempt exists */
  async assertOwner(): Promise<void> {
    const highest = await highestAttempt(this.#storage, this.#names.owners);
    if (highest !== this.attempt.number) throw fenced(this.attempt, highest);
  }

  /** Creates the manifest in the transaction of `work`, as long as no other owner is there and none appears meanwhile. */
  #putWith(name: string, manifest: Buffer, { run, isFailure }: PublishWork): Put {
    const { number } = this.attempt;
    const guard = { last: this.#names.owner(number), next: this.#names.owner(number + 1) };
    const put = async (): Promise<TransactionalOutcome> => {
      assert(this.#storage.putWith !== undefined, "work is refused where the storage has no transactions");
      return this.#storage.putWith(name, manifest, { work: run, guard });
    };
    return { put, isFailure };
  }

  async #refused(): Promise<Error> {
    const highest = await highestAttempt(this.#storage, this.#names.owners);
    return fenced(this.attempt, highest);
  }

  /** The manifest exists: whether it counts must be found out, and if it cannot be, nobody may say that it does not. */
  async #assertOwnerSurely(): Promise<void> {
    let failure: unknown;
    for (let tries = 0; tries < LOOK_TRIES_MAX; tries++) {
      try {
        await this.assertOwner();
        return;
      } catch (error) {
        if (hasCode(error, "FENCED")) throw error;
        failure = error;
      }
    }
    throw stayedUnknown(this.#names.owners, failure);
  }

  /** Notes that this attempt has published: without any manifest, its storage is then damaged and not new. */
  async #mark(): Promise<void> {
    if (this.#hasMark) return;
    try {
      await this.#storage.put(this.#names.mark(this.attempt.number), sealJson(MARK_FORMAT, this.attempt), {
        ifAbsent: true,
      });
      this.#hasMark = true;
    } catch (error) {
      // The checkpoint counts without it; the next one tries again.
      if (!isStateBackendError(error)) throw error;
    }
  }
}

/**
 * Creates an object that only we write. An unknown outcome is resolved by repeating the put: reading back would show an
 * object that is visible and not yet durable, while a put that answers does so about durable objects.
 */
async function createSurely(storage: CheckpointStorage, name: string, body: Buffer): Promise<PutOutcome>;
async function createSurely(
  storage: CheckpointStorage,
  name: string,
  body: Buffer,
  put: Put | undefined,
): Promise<TransactionalOutcome>;
async function createSurely(
  storage: CheckpointStorage,
  name: string,
  body: Buffer,
  put: Put = { put: () => storage.put(name, body, { ifAbsent: true }), isFailure: () => false },
): Promise<TransactionalOutcome> {
  const outcome = await putAgainIfUnknown(name, put);
  // It exists: perhaps because an earlier try of ours was applied although its reply was lost.
  return outcome === "exists" && (await holds(storage, name, body)) ? "created" : outcome;
}

async function putAgainIfUnknown(name: string, { put, isFailure }: Put): Promise<TransactionalOutcome> {
  try {
    return await put();
  } catch (error) {
    if (!isStateBackendError(error) || error.outcome === "not-applied" || isFailure(error)) throw error;
  }
  try {
    return await put();
  } catch (error) {
    // The work was begun, so that the first try has surely not been applied.
    throw isFailure(error) ? error : stayedUnknown(name, error);
  }
}

function stayedUnknown(name: string, cause: unknown): StateBackendError {
  return new StateBackendError(
    "UNAVAILABLE",
    `Whether a checkpoint was published could not be found out. name=${quoted(name)}. Restore the latest checkpoint when the storage answers again.`,
    { cause, outcome: "unknown" },
  );
}

async function holds(storage: CheckpointStorage, name: string, body: Buffer): Promise<boolean> {
  try {
    return body.equals(await readWhole(storage, name));
  } catch (error) {
    if (hasCode(error, "CHECKPOINT_NOT_FOUND")) return false;
    throw error;
  }
}

async function createOwner(storage: CheckpointStorage, names: JobNames, random: Random): Promise<Attempt> {
  for (let tries = 0; tries < ACQUIRE_TRIES_MAX; tries++) {
    const number = (await highestAttemptAnywhere(storage, names)) + 1;
    const attempt = { number, nonce: Buffer.from(random.bytes(16)).toString("hex") };
    const outcome = await createSurely(storage, names.owner(number), sealJson(OWNER_FORMAT, attempt));
    // Old owner objects are removed, so that a slow starter could create one of them again: it is not the highest then.
    if (outcome === "created" && (await highestAttempt(storage, names.owners)) === number) return attempt;
  }
  throw new StateBackendError(
    "UNAVAILABLE",
    `Others kept taking the job over. tries=${ACQUIRE_TRIES_MAX}. Make sure that only one process runs the job, then try again.`,
  );
}

async function highestAttempt(storage: CheckpointStorage, prefix: string): Promise<number> {
  let highest = 0;
  for await (const { name } of storage.list(prefix)) highest = Math.max(highest, parseAttempt(name, prefix) ?? 0);
  return highest;
}

/** Also where owner objects were lost: an attempt must be above all that was ever published. */
async function highestAttemptAnywhere(storage: CheckpointStorage, names: JobNames): Promise<number> {
  let highest = 0;
  for (const prefix of [names.owners, names.lineages, names.marks]) {
    highest = Math.max(highest, await highestAttempt(storage, prefix));
  }
  for await (const { name } of storage.list(names.checkpoints)) {
    highest = Math.max(highest, parseManifestName(name, names.checkpoints)?.attempt ?? 0);
  }
  return highest;
}

/**
 * What counts for an owner with number `attempt`: by the highest lineage below it.
 *
 * It takes several looks at the storage, and others may publish, remove or take over in between. So what was seen is believed only
 * if the lineage that it was judged by is still the highest, and nothing that was listed has gone.
 */
async function publishedUnder(storage: CheckpointStorage, names: JobNames, attempt: number): Promise<Published> {
  for (let tries = 1; tries < LOOK_TRIES_MAX; tries++) {
    const before = await highestLineage(storage, names, attempt);
    try {
      const published = await lookUnder(storage, names, attempt);
      if ((await highestLineage(storage, names, attempt)) === before) return published;
    } catch (error) {
      const isSettled = (await highestLineage(storage, names, attempt)) === before;
      if (isSettled && !hasCode(error, "CHECKPOINT_NOT_FOUND")) throw error;
    }
  }
  return lookUnder(storage, names, attempt);
}

async function lookUnder(storage: CheckpointStorage, names: JobNames, attempt: number): Promise<Published> {
  const authority = await authorityBelow(storage, names, attempt);
  const listed: ManifestName[] = [];
  for await (const { name } of storage.list(names.checkpoints)) {
    const manifest = parseManifestName(name, names.checkpoints);
    if (manifest !== undefined) listed.push(manifest);
  }
  const counted = listed
    .filter(({ leaf, attempt: by }) => by === authority.attempt || authority.checkpoints.has(leaf))
    .sort((a, b) => a.checkpoint - b.checkpoint || a.attempt - b.attempt);
  checkNothingLost(authority, listed, counted);
  return {
    ...(await stillRetained(storage, names, counted)),
    highestId: listed.reduce((highest, { checkpoint }) => Math.max(highest, checkpoint), 0),
  };
}

/** Without those that the latest one subsumed: whoever published it may be removing them just now. */
async function stillRetained(
  storage: CheckpointStorage,
  names: JobNames,
  counted: readonly ManifestName[],
): Promise<Pick<Published, "manifests" | "latest">> {
  const last = counted.at(-1);
  if (last === undefined) return { manifests: counted };
  const name = names.checkpoints + last.leaf;
  try {
    const latest = decodeManifest(await readWhole(storage, name), name);
    const manifests = counted.filter(({ checkpoint }) => latest.retains.includes(checkpoint));
    return { manifests, latest: manifests.at(-1) === last ? latest : undefined };
  } catch (error) {
    // A damaged latest manifest says so when it is restored. The others stay to be chosen from.
    if (hasCode(error, "CHECKPOINT_CORRUPT") || hasCode(error, "FORMAT_UNSUPPORTED")) return { manifests: counted };
    throw error;
  }
}

/** At least one checkpoint is always retained, and an attempt publishes only after its lineage. */
function checkNothingLost(
  authority: Authority,
  listed: readonly ManifestName[],
  counted: readonly ManifestName[],
): void {
  if ((authority.checkpoints.size > 0 || authority.hasMark) && counted.length === 0) {
    throw lost("every manifest that the last owner found or published", `attempt=${authority.attempt}`);
  }
  const beyond = listed.find(({ attempt }) => attempt > authority.attempt && attempt < authority.limit);
  if (beyond !== undefined) throw lost("the lineage of an attempt that published", `attempt=${beyond.attempt}`);
}

function lost(what: string, facts: string): StateBackendError {
  return new StateBackendError(
    "CHECKPOINT_CORRUPT",
    `Objects of the job are missing: ${what}. ${facts}. Bring the place back from a copy; it is not taken for an empty job.`,
  );
}

interface Authority {
  readonly attempt: number;
  /** Attempts at or above it are not considered. */
  readonly limit: number;
  readonly checkpoints: ReadonlySet<string>;
  /** Whether it published anything itself. */
  readonly hasMark: boolean;
}

async function authorityBelow(storage: CheckpointStorage, names: JobNames, limit: number): Promise<Authority> {
  const attempt = await highestLineage(storage, names, limit);
  if (attempt === 0) return { attempt, limit, checkpoints: new Set(), hasMark: false };
  const name = names.lineage(attempt);
  const checkpoints = unsealJson(await readWhole(storage, name), LINEAGE_FORMAT, { name, parse: parseLineage });
  let hasMark = false;
  for await (const mark of storage.list(names.marks)) hasMark ||= parseAttempt(mark.name, names.marks) === attempt;
  return { attempt, limit, checkpoints, hasMark };
}

async function highestLineage(storage: CheckpointStorage, names: JobNames, limit: number): Promise<number> {
  let highest = 0;
  for await (const { name } of storage.list(names.lineages)) {
    const attempt = parseAttempt(name, names.lineages) ?? 0;
    if (attempt < limit) highest = Math.max(highest, attempt);
  }
  return highest;
}

function parseLineage(json: unknown): ReadonlySet<string> {
  const checkpoints = (json as { checkpoints?: unknown } | null)?.checkpoints;
  if (!Array.isArray(checkpoints)) throw new TypeError("checkpoints is not a list");
  return new Set(checkpoints.map(String));
}

function fenced(own: Attempt, highest: number): StateBackendError {
  return new StateBackendError(
    "FENCED",
    `Another process has taken the job over. attempt=${own.number} owner=${highest}. Stop this one; the other continues from the last published checkpoint.`,
    { outcome: "unknown" },
  );
}
