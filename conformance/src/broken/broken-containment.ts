/** Storages that reach beyond their place. */

import { type CheckpointStorage, memoryStorage } from "@tidemark/core";
import type { BrokenStorage } from "./broken-storages.js";

/** Common to all places, as a table without a column for them would be. */
const common = memoryStorage();

const POLLUTION = "tidemark-broken";

export const BROKEN_CONTAINMENT: readonly BrokenStorage[] = [
  {
    what: "keeps the segments of all places in one",
    caughtBy: "containment",
    make: () => (inner) => ({
      async put(name, body, options) {
        const outcome = await inner.put(name, body, options);
        if (isSegment(name)) await copy(inner, name);
        return outcome;
      },
      get: (name, range) => (isSegment(name) ? common : inner).get(name, range),
    }),
  },
  {
    what: "removes what begins with the name of the job",
    caughtBy: "containment",
    make: () => (inner) => ({
      async remove(names) {
        const places = new Set(names.map((name) => name.split("/")[0] ?? ""));
        await inner.remove(names);
        for await (const { name } of inner.list("")) {
          const [place = ""] = name.split("/");
          const isLonger = [...places].some((each) => place !== each && place.startsWith(each));
          if (isLonger) await inner.remove([name]);
        }
      },
    }),
  },
  {
    what: "gives every object of the process a method of its own",
    caughtBy: "containment",
    make: () => (inner) => ({
      async put(name, body, options) {
        Object.defineProperty(Object.prototype, POLLUTION, { value: () => name, configurable: true, writable: true });
        return inner.put(name, body, options);
      },
    }),
    repair: () => void Reflect.deleteProperty(Object.prototype, POLLUTION),
  },
  {
    what: "leaves its settings in the environment",
    caughtBy: "containment",
    make: () => (inner) => ({
      async *list(prefix) {
        process.env[POLLUTION] = prefix;
        yield* inner.list(prefix);
      },
    }),
    repair: () => void Reflect.deleteProperty(process.env, POLLUTION),
  },
];

function isSegment(name: string): boolean {
  return name.includes("/segment/");
}

/** The last place that has put it is the one that all of them see. */
async function copy(inner: CheckpointStorage, name: string): Promise<void> {
  await common.remove([name]);
  await common.put(name, inner.get(name));
}
