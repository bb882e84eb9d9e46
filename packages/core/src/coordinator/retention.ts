/** Which checkpoints are kept, and what they need. */

import type { Manifest } from "../checkpoint/manifest.js";
import type { ManifestName } from "../checkpoint/names.js";

interface Kept {
  readonly name: ManifestName;
  /** Read when it is needed: the segments of a checkpoint that another attempt published are in its manifest only. */
  segments: ReadonlySet<string> | undefined;
}

export class Retention {
  readonly #retain: number;
  readonly #read: (name: ManifestName) => Promise<Manifest>;
  #kept: readonly Kept[];

  /** `found` is what counted when the job was opened, ascending. */
  constructor(retain: number, found: readonly ManifestName[], read: (name: ManifestName) => Promise<Manifest>) {
    this.#retain = retain;
    this.#read = read;
    this.#kept = found.map((name) => ({ name, segments: undefined }));
  }

  /** Ids of the checkpoints that are kept, ascending. */
  get ids(): readonly number[] {
    return this.#kept.map(({ name }) => name.checkpoint);
  }

  /** Ids that will be kept once checkpoint `id` is published. */
  withNext(id: number): readonly number[] {
    return [...this.ids, id].slice(-this.#retain);
  }

  /** A checkpoint was published: the oldest beyond the number to keep are subsumed. Returns their ids. */
  add(name: ManifestName, manifest: Manifest): readonly number[] {
    const kept = [...this.#kept, { name, segments: segmentsOf(manifest) }];
    this.#kept = kept.slice(-this.#retain);
    return kept.slice(0, -this.#retain).map((subsumed) => subsumed.name.checkpoint);
  }

  /**
   * What the kept checkpoints need.
   * @throws what reading a kept manifest throws: then nothing may be removed
   */
  async reachable(): Promise<{ readonly manifests: ReadonlySet<string>; readonly segments: ReadonlySet<string> }> {
    const segments = new Set<string>();
    for (const kept of this.#kept) {
      kept.segments ??= segmentsOf(await this.#read(kept.name));
      for (const segment of kept.segments) segments.add(segment);
    }
    return { manifests: new Set(this.#kept.map(({ name }) => name.leaf)), segments };
  }
}

/** Last parts of the names of the segments that a manifest names. */
export function segmentsOf({ operators }: Manifest): ReadonlySet<string> {
  return new Set(operators.flatMap(({ tasks }) => tasks.flatMap(({ segments }) => segments.map(({ name }) => name))));
}
