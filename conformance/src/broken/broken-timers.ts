/** Timers and watermarks, each broken in one way. */

import { hasCode } from "@tidemark/core";
import { call, type Handle, type LooseTask, type LooseTimers, type RunningJob } from "../commands/call-state.js";
import type { ModelTimer } from "../model/timer-model.js";
import { bound, type BrokenFeature, tasks, whenRescaled, wrapped } from "./broken-feature.js";

type Handler = (timer: ModelTimer) => unknown;
type Entry = Omit<ModelTimer, "kind">;

/** Changes what the handles of both kinds do; `isHandling` says whether a handler is in its synchronous part. */
function kinds(change: (handle: Handle, isHandling: () => boolean) => Partial<Handle>): BrokenFeature["make"] {
  return wrapped(
    tasks(({ timers }) => {
      let depth = 0;
      const changed = (handle: Handle): Handle => ({ ...bound(handle), ...change(handle, () => depth > 0) }) as Handle;
      return {
        timers: {
          event: changed(timers.event),
          processing: changed(timers.processing),
          onFire: (handler) =>
            timers.onFire((timer) => {
              depth++;
              try {
                return handler(timer);
              } finally {
                depth--;
              }
            }),
        },
      };
    }),
  );
}

/** Changes what the handler of timers is. */
function handlers(change: (handler: Handler, job: RunningJob) => Handler): BrokenFeature["make"] {
  return wrapped(
    tasks(({ timers }, { job }) => ({
      timers: withHandler(timers, (handler) => timers.onFire(change(handler, job))),
    })),
  );
}

function withHandler({ event, processing }: LooseTimers, onFire: LooseTimers["onFire"]): LooseTimers {
  return { event, processing, onFire };
}

/** Fires the event timers that are due in another order, then those that their handlers have registered. */
function firesInOrder(order: (due: readonly Entry[]) => readonly Entry[]): BrokenFeature["make"] {
  return wrapped(
    tasks((task) => {
      let handler: Handler = () => undefined;
      return {
        timers: withHandler(task.timers, (given) => {
          handler = given;
          task.timers.onFire(given);
        }),
        async advanceWatermark(time) {
          const { event } = task.timers;
          const due = (call(event, "entries") as Entry[]).filter((entry) => entry.time <= time);
          const isBack = time < (task.watermark() ?? Number.NEGATIVE_INFINITY);
          for (const { key, time: at, namespace } of isBack ? [] : due) call(event, "delete", key, at, namespace);
          await task.advanceWatermark(time);
          for (const entry of order(due)) await handler({ kind: "event", ...entry });
          await task.advanceWatermark(time);
        },
      };
    }),
  );
}

function deleteTimers({ timers }: LooseTask, count: number): void {
  const entries = call(timers.event, "entries") as Entry[];
  for (const { key, time, namespace } of entries.slice(0, count)) call(timers.event, "delete", key, time, namespace);
}

/** A watermark that is refused is passed over. */
function passesOver(task: LooseTask): Partial<LooseTask> {
  return {
    async advanceWatermark(time) {
      try {
        await task.advanceWatermark(time);
      } catch (error) {
        if (!hasCode(error, "VALUE_INVALID")) throw error;
      }
    },
  };
}

const repeats: BrokenFeature["make"] = () => ({
  wrap: tasks(({ timers }) => {
    const again = new Set<string>();
    const nameOf = (...parts: readonly unknown[]): string => parts.map(String).join();
    const event: Handle = {
      ...bound(timers.event),
      register(key, time, namespace) {
        if (call(timers.event, "has", key, time, namespace) === true) again.add(nameOf(key, time, namespace));
        return call(timers.event, "register", key, time, namespace);
      },
    };
    const onFire: LooseTimers["onFire"] = (handler) =>
      timers.onFire((timer) => {
        if (again.delete(nameOf(timer.key, timer.time, timer.namespace))) void handler(timer);
        return handler(timer);
      });
    return { timers: { event, processing: timers.processing, onFire } };
  }),
});

export const BROKEN_TIMERS: readonly BrokenFeature[] = [
  {
    what: "a timer fires twice after a restore",
    caughtBy: "timers",
    make: handlers((handler, job) => {
      let isFirst = job.control.restoredFrom !== undefined;
      return (timer) => {
        if (isFirst) void handler(timer);
        isFirst = false;
        return handler(timer);
      };
    }),
  },
  {
    what: "timers are not in the checkpoint",
    caughtBy: "timers",
    make: wrapped((job) => {
      if (job.control.restoredFrom !== undefined) for (const task of job.operators.flat()) deleteTimers(task, Infinity);
      return job;
    }),
  },
  {
    what: "a timer is lost when the number of tasks changes",
    caughtBy: "timers",
    make: whenRescaled((job) => {
      for (const task of job.operators.flat()) deleteTimers(task, 1);
      return job;
    }),
  },
  {
    what: "timers fire last in, first out",
    caughtBy: "timers",
    make: firesInOrder((due) => [...due].reverse()),
  },
  {
    what: "timers fire key by key",
    caughtBy: "timers",
    make: firesInOrder((due) => [...due].sort((a, b) => (String(a.key) < String(b.key) ? -1 : 1))),
  },
  { what: "deleting a timer does nothing", caughtBy: "timers", make: kinds(() => ({ delete: () => undefined })) },
  { what: "a timer that is registered twice fires twice", caughtBy: "timers", make: repeats },
  { what: "a watermark that goes back is taken", caughtBy: "timers", make: wrapped(tasks(passesOver)) },
  {
    what: "a timer at the watermark waits for the next one",
    caughtBy: "timers",
    make: wrapped(
      tasks((task) => {
        let last: number | undefined;
        return {
          watermark: () => last ?? task.watermark(),
          async advanceWatermark(time) {
            if (time !== last) await task.advanceWatermark(time - 1);
            last = time;
          },
        };
      }),
    ),
  },
  {
    what: "what a handler registers waits for the next watermark",
    caughtBy: "timers",
    make: kinds((handle, isHandling) => ({
      register(key, time, namespace) {
        const later = isHandling() ? (time as number) + 1000 : time;
        return call(handle, "register", key, later, namespace);
      },
    })),
  },
  {
    what: "a handler cannot take a timer back",
    caughtBy: "timers",
    make: kinds((handle, isHandling) => ({
      delete: (...given) => (isHandling() ? undefined : call(handle, "delete", ...given)),
    })),
  },
  {
    what: "timers of all namespaces are one",
    caughtBy: "timers",
    make: kinds((handle) => ({ register: (key, time) => call(handle, "register", key, time, "") })),
  },
  {
    what: "a watermark is not in the checkpoint",
    caughtBy: "timers",
    make: wrapped(
      tasks((task, { job }) => {
        let isForgotten = job.control.restoredFrom !== undefined;
        return {
          watermark: () => (isForgotten ? undefined : task.watermark()),
          advanceWatermark(time) {
            isForgotten = false;
            return task.advanceWatermark(time);
          },
        };
      }),
    ),
  },
  {
    what: "a barrier does not wait for what a timer does",
    caughtBy: "barrier",
    make: wrapped(
      tasks((task) => {
        let late: Promise<unknown> = Promise.resolve();
        return {
          timers: withHandler(task.timers, (handler) =>
            task.timers.onFire((timer) => {
              late = late.then(() => turns(5)).then(() => handler(timer));
            }),
          ),
          async advanceWatermark(time) {
            await task.advanceWatermark(time);
            await late;
            await task.advanceWatermark(time);
            await late;
          },
        };
      }),
    ),
  },
];

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}
