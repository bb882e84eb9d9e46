/**
 * Finds and removes what no checkpoint needs any more. Garbage is derived from what is there, never counted.
 *
 * Kept are: manifests that are retained, segments that a retained manifest or the running attempt names, and everything of a
 * newer attempt. Manifests go first, then segments: a manifest whose segments are gone would be listed and not restore.
 *
 * Invariants:
 * - An object is removed only by the owner, and only when every retained manifest was read.
 * - A segment is removed when it has been garbage for the grace period, as seen by this process.
 */

import type { CheckpointStorage } from "../contracts/checkpoint-storage.js";
import type { Clock } from "../contracts/clock.js";
import type { Lineage } from "./lineage.js";
import { type JobNames, parseAttempt, parseManifestName, segmentAttempt } from "./names.js";

export interface GarbageScope {
  readonly storage: CheckpointStorage;
  readonly names: JobNames;
  readonly lineage: Lineage;
  readonly clock: Clock;
  readonly graceMs: number;
}

/** What must stay. */
export interface Reachable {
  /** Last parts of the names of retained manifests. */
  readonly manifests: ReadonlySet<string>;
  /**
   * Whether a segment stays, by the last part of its name: these manifests name it, or a checkpoint under way may. Asked when the
   * segment is found, as checkpoints go on meanwhile.
   */
  readonly segments: Pick<ReadonlySet<string>, "has">;
}

export class GarbageCollector {
  readonly #scope: GarbageScope;
  /** When each segment was first seen to be garbage. */
  #since = new Map<string, number>();

  constructor(scope: GarbageScope) {
    this.#scope = scope;
  }

  /**
   * Removes what is not reachable. What fails to go is found again the next time.
   * @throws {StateBackendError} FENCED if another owner has taken over; nothing is removed then
   */
  async collect(reachable: Reachable): Promise<void> {
    const { storage, lineage } = this.#scope;
    const manifests = await this.#obsoleteManifests(reachable);
    const segments = await this.#obsoleteSegments(reachable);
    const records = await this.#obsoleteRecords();
    const obsolete = [...manifests, ...segments, ...records];
    if (obsolete.length === 0) return;
    await lineage.assertOwner();
    await storage.remove(obsolete);
    for (const name of segments) this.#since.delete(name);
  }

  async #obsoleteManifests(reachable: Reachable): Promise<string[]> {
    const { storage, names, lineage } = this.#scope;
    const obsolete: string[] = [];
    for await (const { name } of storage.list(names.checkpoints)) {
      const manifest = parseManifestName(name, names.checkpoints);
      if (manifest === undefined || manifest.attempt > lineage.attempt.number) continue;
      if (!reachable.manifests.has(manifest.leaf)) obsolete.push(name);
    }
    return obsolete;
  }

  async #obsoleteSegments(reachable: Reachable): Promise<string[]> {
    const { storage, names, lineage, clock, graceMs } = this.#scope;
    const now = clock.monotonic();
    const seen = new Map<string, number>();
    for await (const { name } of storage.list(names.segments)) {
      const leaf = name.slice(names.segments.length);
      const attempt = segmentAttempt(leaf);
      if (attempt === undefined || attempt > lineage.attempt.number || reachable.segments.has(leaf)) continue;
      seen.set(name, this.#since.get(name) ?? now);
    }
    this.#since = seen;
    return [...seen].filter(([, since]) => now - since >= graceMs).map(([name]) => name);
  }

  /** What attempts below our own left has no say any more. */
  async #obsoleteRecords(): Promise<string[]> {
    const { storage, names, lineage } = this.#scope;
    const obsolete: string[] = [];
    for (const prefix of [names.marks, names.lineages, names.owners]) {
      for await (const { name } of storage.list(prefix)) {
        const attempt = parseAttempt(name, prefix);
        if (attempt !== undefined && attempt < lineage.attempt.number) obsolete.push(name);
      }
    }
    return obsolete;
  }
}
