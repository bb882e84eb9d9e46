/** The files of the system, with calls that fail on command: for the hooks `crash` and `faults`. */

import fs from "node:fs/promises";

/** `failFrom(skip, count)` lets `skip` calls through, and then `count` of them fail. `end` says whether any has. */
export function failingFiles() {
  let [skip, count, struck] = [Infinity, 0, false];
  const system = new Proxy(fs, {
    get:
      (target, name: keyof typeof fs) =>
      async (...given: unknown[]) => {
        const isDue = skip-- <= 0 && count-- > 0;
        if (isDue) struck = true;
        if (isDue) throw Object.assign(new Error("EIO: injected"), { code: "EIO" });
        return (target[name] as (...all: unknown[]) => unknown)(...given);
      },
  });
  return {
    system,
    failFrom: (first: number, times: number) => ([skip, count, struck] = [first, times, false]),
    end: () => (([skip, count] = [Infinity, 0]), struck),
  };
}
