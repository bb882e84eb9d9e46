/** Storages with transactions that part what belongs together: an object, and the results that are to be there with it. */

import { type TransactionalOutcome, systemClock, type TransactionalPut } from "@tidemark/core";
import type { ResultWriter, TransactionalMemory, TransactionalStorage } from "../reference/transactional-memory.js";

type PutWith = NonNullable<TransactionalStorage["putWith"]>;
type Put = TransactionalPut<ResultWriter>;

/** A storage in memory with one fault. */
export interface BrokenResults {
  readonly what: string;
  /** Id of the law that must catch it. */
  readonly law: "results-with-objects" | "guard-holds-off" | "results-iff-published";
  readonly make: (sound: PutWith, parts: Parts) => PutWith;
}

/** What a handle consists of. */
interface Parts {
  readonly place: TransactionalMemory;
  readonly handle: TransactionalStorage;
}

const written = (results: string[]): ResultWriter => ({ write: (result) => void results.push(result) });

export const BROKEN_RESULTS: readonly BrokenResults[] = [
  {
    what: "writes the results although the object exists",
    law: "results-iff-published",
    make: (sound, { place }) => {
      return async (name, body, put) => {
        const outcome = await sound(name, body, put);
        if (outcome === "exists") await put.work(written(place.results));
        return outcome;
      };
    },
  },
  {
    what: "writes the results of an owner that was taken over",
    law: "results-iff-published",
    make: (sound) => (name, body, put) => sound(name, body, { work: put.work }),
  },
  {
    what: "keeps the results of work that fails",
    law: "results-iff-published",
    make: (sound, { place }) => {
      return (name, body, put) => {
        const work: Put["work"] = () => put.work(written(place.results));
        return sound(name, body, { ...put, work });
      };
    },
  },
  {
    what: "creates the object, and then does the work",
    law: "results-with-objects",
    make: (sound, { place }) => {
      return async (name, body, put) => {
        const outcome = await sound(name, body, { ...put, work: async () => undefined });
        if (outcome !== "created") return outcome;
        const results: string[] = [];
        await put.work(written(results));
        place.results.push(...results);
        return outcome;
      };
    },
  },
  {
    what: "looks at the guard, and then lets the next owner come",
    law: "guard-holds-off",
    make: (sound, { place }) => {
      return async (name, body, { work, guard }): Promise<TransactionalOutcome> => {
        if (guard !== undefined && (await place.beside(guard.last)).at(-1) !== guard.last) return "refused";
        return sound(name, body, { work });
      };
    },
  },
  {
    what: "reports an error of its own where the work fails",
    law: "results-with-objects",
    make: (sound) => {
      return async (name, body, put) => {
        let hasFailed = false;
        const work: Put["work"] = async (client) => {
          await put.work(client).catch((error: unknown) => {
            hasFailed = true;
            throw error;
          });
        };
        return sound(name, body, { ...put, work }).catch((error: unknown) => {
          throw hasFailed ? new Error("The transaction failed.", { cause: error }) : error;
        });
      };
    },
  },
  {
    what: "keeps the last result of a transaction only",
    law: "results-with-objects",
    make: (sound) => {
      return (name, body, put) => {
        const work: Put["work"] = async (client) => {
          const results: string[] = [];
          await put.work(written(results));
          for (const result of results.slice(-1)) client.write(result);
        };
        return sound(name, body, { ...put, work });
      };
    },
  },
  {
    what: "shows results before it has created the object",
    law: "results-iff-published",
    make: (_, { place, handle }) => {
      return (name, body, { work, guard }) =>
        place.alone(guard?.next, async () => {
          if (guard !== undefined && (await place.beside(guard.last)).at(-1) !== guard.last) return "refused";
          if ((await place.beside(name)).includes(name)) return "exists";
          const results: string[] = [];
          await work(written(results));
          place.results.push(...results);
          await systemClock.yield();
          // Its process may be dead by now.
          return handle.put(name, body, { ifAbsent: true });
        });
    },
  },
];
