/** What the kit needs of whoever is tested: a backend, and places for checkpoints that outlive their handles. */

import { type Backend, type CheckpointStorage, memoryStorage, type stickyKeyGroups } from "@tidemark/core";
import type { StateSpec } from "./model/catalog.js";
import type { CodecOf } from "./commands/formats.js";
import type { RunningJob } from "./commands/call-state.js";

/** A durable place for checkpoints, as several processes would share it. */
export interface Place {
  /** A new handle on the place, as a process that starts now would open it. */
  open(): CheckpointStorage;
}

/** What is tested. */
export interface Harness {
  readonly name: string;
  /** A backend whose working state starts empty; its own place for checkpoints is not used. */
  backend(): Backend;
  /** A new, empty place. */
  place(): Place;
  /** A history begins: what another one has left behind would be of a later time. */
  begin?(): void;
  /** Stands between the job and the kit: for the kit's own tests, which break jobs. */
  wrap?(job: RunningJob): RunningJob;
  /** What is declared for a state: for the kit's own tests, which break declarations. */
  readonly declaredAs?: (spec: StateSpec) => StateSpec;
  /** Codecs of the formats: for the kit's own tests, which break codecs. */
  readonly codecOf?: CodecOf;
  /** Deals key groups to tasks: for the kit's own tests, which deal them wrongly. @defaultValue `stickyKeyGroups` */
  readonly assign?: typeof stickyKeyGroups;
}

/** Checkpoints in the memory of this process. */
export function memoryPlace(): Place {
  const shared = memoryStorage();
  // A handle is closed by whoever opened it; the place stays.
  return { open: () => withoutClose(shared) };
}

function withoutClose(storage: CheckpointStorage): CheckpointStorage {
  return {
    put: (name, body, options) => storage.put(name, body, options),
    get: (name, range) => storage.get(name, range),
    list: (prefix) => storage.list(prefix),
    remove: (names) => storage.remove(names),
    close: async () => {},
  };
}
